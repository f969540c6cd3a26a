//! The digest of an event, by which another event in its place is noticed.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The number of bytes at the beginning of a state that a digest covers.
pub(crate) const FIRST: usize = 64;
/// The number of bytes at the end of a state that a digest covers.
pub(crate) const LAST: usize = 32;

/// The digest of an event: SHA-256 over its topic, the length of its stored state, and the first 64
/// and the last 32 bytes of that state.
///
/// These parts are enough. The first bytes of a state contain the time of the event in
/// microseconds, or the random start of a ciphertext. The other bytes of a large state are left
/// out, so that a database need not send them.
///
/// It prints as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of an event with this topic and stored state.
    ///
    /// ```
    /// use es_store::Digest;
    ///
    /// let one = Digest::of("dogschool:Dog.TrickAdded", b"{\"trick\":\"roll over\"}");
    /// let other = Digest::of("dogschool:Dog.TrickAdded", b"{\"trick\":\"play dead\"}");
    /// assert_ne!(one, other);
    /// assert_eq!(one.to_string().len(), 64);
    /// ```
    pub fn of(topic: &str, state: &[u8]) -> Self {
        let first = &state[..state.len().min(FIRST)];
        let last = &state[state.len().saturating_sub(LAST)..];
        Self::of_parts(topic, state.len() as u64, first, last)
    }

    /// Returns the digest from the parts of a state. Each part that has no fixed length is hashed
    /// behind its length, so that no two events are hashed as the same bytes.
    pub(crate) fn of_parts(topic: &str, length: u64, first: &[u8], last: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update((topic.len() as u64).to_be_bytes());
        hash.update(topic);
        hash.update(length.to_be_bytes());
        hash.update(first);
        hash.update(last);
        Self(hash.finalize().into())
    }

    /// Returns the digest from its hexadecimal digits, or `None` if they are none of a digest.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let digits = digits.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |digit: u8| match digit {
                b'0'..=b'9' => Some(digit - b'0'),
                b'a'..=b'f' => Some(digit - b'a' + 10),
                _ => None,
            };
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_digest_is_that_of_the_format_page() {
        let digest = Digest::of("dogschool:Dog.Registered", b"{\"name\":\"Fido\"}");
        let expected = "47012b88d2d6f7bbefe70fb71883b8c6b1853cd523ca824f509c370b3cc950b7";
        assert_eq!(digest.to_string(), expected);
        assert_eq!(Digest::from_hex(expected), Some(digest));
    }

    #[test]
    fn other_texts_are_no_digests() {
        let upper = "A".repeat(64);
        for digits in ["", "00", upper.as_str(), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(Digest::from_hex(digits), None, "{digits}");
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(Digest::of("ab", b"c"), Digest::of("a", b"bc"));
        assert_ne!(Digest::of("a", b""), Digest::of("", b"a"));
        assert_ne!(Digest::of("a", &[0; 200]), Digest::of("a", &[0; 201]));
    }

    proptest! {
        #[test]
        fn a_change_of_topic_length_beginning_or_end_changes_the_digest(
            state in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..300
        ) {
            let digest = Digest::of("a", &state);
            prop_assert_ne!(digest, Digest::of("b", &state));
            let longer = [&state[..], &[0]].concat();
            prop_assert_ne!(digest, Digest::of("a", &longer));
            if at < state.len() && (at < FIRST || at + LAST >= state.len()) {
                let mut other = state.clone();
                other[at] ^= 1;
                prop_assert_ne!(digest, Digest::of("a", &other));
            }
            prop_assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        }
    }
}
