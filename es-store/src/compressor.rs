//! Compression of states.
//!
//! Compressed bytes come from a file or a network, so they are not trusted: a few bytes may
//! decompress to a great many (a *bomb*). Nothing above [`LIMIT`] is decompressed, and so nothing
//! above it is compressed either.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::env::Env;
use crate::error::{EnvError, MapperProblem};

/// The size that a state may have before compression: 64 MiB.
const LIMIT: usize = 64 << 20;

/// Compresses states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compressor {
    /// Zlib at its default level, as in Python.
    Zlib,
    /// Zstandard at its default level. The Python library does not have it.
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Compressor {
    /// Returns the compressor that `COMPRESSOR_TOPIC` names, or `None` if it is not set or empty.
    pub(crate) fn from_env(env: &Env) -> Result<Option<Self>, EnvError> {
        const KEY: &str = "COMPRESSOR_TOPIC";
        match env.filled(KEY) {
            None => Ok(None),
            Some("zlib" | "eventsourcing.compressor:ZlibCompressor") => Ok(Some(Self::Zlib)),
            #[cfg(feature = "zstd")]
            Some("zstd") => Ok(Some(Self::Zstd)),
            #[cfg(not(feature = "zstd"))]
            Some("zstd") => Err(env.invalid(KEY, "there without the cargo feature `zstd`")),
            Some(_) => {
                Err(env.invalid(KEY, "zlib, eventsourcing.compressor:ZlibCompressor or zstd"))
            }
        }
    }

    /// Compresses a state.
    pub(crate) fn compress(self, state: &[u8]) -> Result<Vec<u8>, MapperProblem> {
        self.compress_within(LIMIT, state)
    }

    /// Decompresses a state.
    pub(crate) fn decompress(self, packed: &[u8]) -> Result<Vec<u8>, MapperProblem> {
        self.decompress_within(LIMIT, packed)
    }

    fn compress_within(self, limit: usize, state: &[u8]) -> Result<Vec<u8>, MapperProblem> {
        if state.len() > limit {
            return Err(MapperProblem::TooLarge { limit });
        }
        let packed = match self {
            Self::Zlib => pack_zlib(state),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd::encode_all(state, zstd::DEFAULT_COMPRESSION_LEVEL),
        };
        packed.map_err(|_| MapperProblem::NotCompressed)
    }

    fn decompress_within(self, limit: usize, packed: &[u8]) -> Result<Vec<u8>, MapperProblem> {
        let state = match self {
            Self::Zlib => unpack_zlib(limit, packed),
            #[cfg(feature = "zstd")]
            Self::Zstd => {
                zstd::Decoder::new(packed).and_then(|decoder| read_within(limit, decoder))
            }
        };
        let state = state.map_err(|_| MapperProblem::NotDecompressed)?;
        if state.len() > limit {
            return Err(MapperProblem::TooLarge { limit });
        }
        Ok(state)
    }
}

fn pack_zlib(state: &[u8]) -> io::Result<Vec<u8>> {
    let packed = Vec::with_capacity(state.len() / 2 + 64);
    let mut encoder = ZlibEncoder::new(packed, Compression::default());
    encoder.write_all(state)?;
    encoder.finish()
}

fn unpack_zlib(limit: usize, packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoder = ZlibDecoder::new(packed);
    let state = read_within(limit, &mut decoder)?;
    let rest = decoder.into_inner();
    if state.len() <= limit && !rest.is_empty() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(state)
}

/// Reads all of `reader`, or at most one byte more than `limit`. A reader checks lengths and
/// checksums only at its end, and one that is not read to its end is above the limit.
fn read_within(limit: usize, reader: impl Read) -> io::Result<Vec<u8>> {
    let mut state = Vec::with_capacity(512);
    let and_one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(and_one_more).read_to_end(&mut state)?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> Vec<Compressor> {
        vec![
            Compressor::Zlib,
            #[cfg(feature = "zstd")]
            Compressor::Zstd,
        ]
    }

    fn chosen(topic: &str) -> Result<Option<Compressor>, String> {
        let env = Env::new().with("COMPRESSOR_TOPIC", topic);
        Compressor::from_env(&env).map_err(|error| error.to_string())
    }

    #[test]
    fn zlib_is_known_in_both_dialects_and_nothing_is_no_compressor() {
        assert_eq!(chosen("zlib"), Ok(Some(Compressor::Zlib)));
        let python = "eventsourcing.compressor:ZlibCompressor";
        assert_eq!(chosen(python), Ok(Some(Compressor::Zlib)));
        assert_eq!(chosen(""), Ok(None));
        assert_eq!(Compressor::from_env(&Env::new()), Ok(None));
    }

    #[test]
    fn another_compressor_is_an_error_with_key_value_and_choices() {
        assert_eq!(
            chosen("gzip").expect_err("refused"),
            "COMPRESSOR_TOPIC is `gzip`, which is not zlib, eventsourcing.compressor:ZlibCompressor or zstd"
        );
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn zstd_is_there_with_its_feature() {
        assert_eq!(chosen("zstd"), Ok(Some(Compressor::Zstd)));
    }

    #[cfg(not(feature = "zstd"))]
    #[test]
    fn zstd_names_its_feature_where_it_is_not_built_in() {
        assert_eq!(
            chosen("zstd").expect_err("refused"),
            "COMPRESSOR_TOPIC is `zstd`, which is not there without the cargo feature `zstd`"
        );
    }

    #[test]
    fn zlib_packs_what_python_packs() {
        let packed = Compressor::Zlib
            .compress(br#"{"timestamp":1}"#)
            .expect("packed");
        let python = "789cab562ac9cc4d2d2e49cc2d50b232ac05002db6057c";
        assert_eq!(crate::hex(&packed), python);
    }

    #[test]
    fn a_bomb_is_an_error_that_says_the_limit() {
        for compressor in all() {
            let bomb = compressor.compress(&vec![b'0'; 1 << 20]).expect("packed");
            assert!(bomb.len() < 4096);
            assert!(compressor.decompress_within(1 << 20, &bomb).is_ok());
            let refused = compressor.decompress_within((1 << 20) - 1, &bomb);
            let refused = refused.expect_err("too large").to_string();
            assert_eq!(
                refused,
                "the state is larger than 1048575 bytes, which is the limit with compression"
            );
            // A state that could not be read again is not written.
            assert!(compressor.compress_within(1000, &[b'0'; 1001]).is_err());
        }
    }

    #[test]
    fn what_is_cut_short_changed_or_lengthened_is_damaged() {
        for compressor in all() {
            let packed = compressor
                .compress(&b"0123456789".repeat(10))
                .expect("packed");
            for cut in 0..packed.len() {
                let refused = compressor.decompress(&packed[..cut]);
                // An empty input is a Zstandard stream without frames.
                let is_nothing =
                    refused == Ok(Vec::new()) && cut == 0 && compressor != Compressor::Zlib;
                assert!(
                    refused == Err(MapperProblem::NotDecompressed) || is_nothing,
                    "{cut}"
                );
            }
            let longer = [&*packed, b"x"].concat();
            assert!(compressor.decompress(&longer).is_err());
        }
        let mut packed = Compressor::Zlib.compress(b"0123456789").expect("packed");
        *packed.last_mut().expect("a checksum") ^= 1;
        assert!(Compressor::Zlib.decompress(&packed).is_err());
    }

    proptest! {
        #[test]
        fn any_state_comes_back(state in prop::collection::vec(any::<u8>(), 0..2000)) {
            for compressor in all() {
                let packed = compressor.compress(&state).expect("packed");
                prop_assert_eq!(compressor.decompress(&packed), Ok(state.clone()));
            }
        }

        #[test]
        fn any_bytes_are_unpacked_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for compressor in all() {
                let _ = compressor.decompress(&bytes);
                let _ = compressor.decompress(&[&[0x78, 0x9c], &*bytes].concat());
            }
        }
    }
}
