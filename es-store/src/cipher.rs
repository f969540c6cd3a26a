//! Encryption of states with AES-GCM, in the form of the Python library.
//!
//! An encrypted state is a nonce of 12 bytes, new for each state, the tag of 16 bytes, and the
//! ciphertext. There is no associated data: a tag proves that a state was written with the key, not
//! where it was stored.

mod keys;

use std::fmt;

use aes_gcm::aead::array::typenum::U12;
use aes_gcm::aead::{AeadInOut, Generate, Nonce, Tag};
use aes_gcm::aes::Aes192;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm, KeyInit};

use crate::error::MapperProblem;

pub use self::keys::create_key;

type Aes192Gcm = AesGcm<Aes192, U12>;

const NONCE_SIZE: usize = 12;
const TAG_SIZE: usize = 16;
const HEAD_SIZE: usize = NONCE_SIZE + TAG_SIZE;

/// Encrypts with one key, and decrypts with that key or an older one.
#[derive(Clone)]
pub(crate) struct Cipher {
    key: Key,
    /// The older keys, tried in turn after the key.
    old: Vec<Key>,
}

/// A key, expanded for use. It is wiped from memory when it is dropped.
#[derive(Clone)]
enum Key {
    Aes128(Box<Aes128Gcm>),
    Aes192(Box<Aes192Gcm>),
    Aes256(Box<Aes256Gcm>),
}

impl Cipher {
    /// Encrypts a state.
    pub(crate) fn encrypt(&self, state: &[u8]) -> Result<Vec<u8>, MapperProblem> {
        let nonce = Nonce::<Aes256Gcm>::try_generate().map_err(|_| MapperProblem::NotEncrypted)?;
        self.encrypt_with(nonce, state)
    }

    /// Encrypts a state with a nonce that must never have been used with this key.
    pub(crate) fn encrypt_with(
        &self,
        nonce: Nonce<Aes256Gcm>,
        state: &[u8],
    ) -> Result<Vec<u8>, MapperProblem> {
        let mut sealed = Vec::with_capacity(HEAD_SIZE + state.len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&[0; TAG_SIZE]);
        sealed.extend_from_slice(state);
        let (head, text) = sealed.split_at_mut(HEAD_SIZE);
        let tag = self
            .key
            .encrypt(&nonce, text)
            .ok_or(MapperProblem::NotEncrypted)?;
        head[NONCE_SIZE..].copy_from_slice(&tag);
        Ok(sealed)
    }

    /// Decrypts a state.
    pub(crate) fn decrypt(&self, sealed: &[u8]) -> Result<Vec<u8>, MapperProblem> {
        let Some((nonce, rest)) = sealed.split_first_chunk::<NONCE_SIZE>() else {
            return Err(MapperProblem::TooShort);
        };
        let Some((tag, text)) = rest.split_first_chunk::<TAG_SIZE>() else {
            return Err(MapperProblem::TooShort);
        };
        let (nonce, tag) = ((*nonce).into(), (*tag).into());
        std::iter::once(&self.key)
            .chain(&self.old)
            .find_map(|key| key.decrypt(&nonce, &tag, text))
            .ok_or(MapperProblem::NotDecrypted)
    }
}

/// Evaluates the same expression for each size of key.
macro_rules! with_cipher {
    ($key:expr, $cipher:ident => $do:expr) => {
        match $key {
            Key::Aes128($cipher) => $do,
            Key::Aes192($cipher) => $do,
            Key::Aes256($cipher) => $do,
        }
    };
}

impl Key {
    /// Creates a key of 16, 24 or 32 bytes. Returns `None` for any other size.
    fn new(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            16 => Some(Self::Aes128(Box::new(
                Aes128Gcm::new_from_slice(bytes).ok()?,
            ))),
            24 => Some(Self::Aes192(Box::new(
                Aes192Gcm::new_from_slice(bytes).ok()?,
            ))),
            32 => Some(Self::Aes256(Box::new(
                Aes256Gcm::new_from_slice(bytes).ok()?,
            ))),
            _ => None,
        }
    }

    /// Encrypts `text` in place.
    fn encrypt(&self, nonce: &Nonce<Aes256Gcm>, text: &mut [u8]) -> Option<Tag<Aes256Gcm>> {
        with_cipher!(self, cipher => cipher.encrypt_inout_detached(nonce, &[], text.into())).ok()
    }

    /// Returns the plain text, if the tag belongs to this key.
    fn decrypt(
        &self,
        nonce: &Nonce<Aes256Gcm>,
        tag: &Tag<Aes256Gcm>,
        text: &[u8],
    ) -> Option<Vec<u8>> {
        let mut plain = text.to_vec();
        let buffer = plain.as_mut_slice().into();
        with_cipher!(self, cipher => cipher.decrypt_inout_detached(nonce, &[], buffer, tag))
            .ok()?;
        Some(plain)
    }
}

/// Shows no key.
impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher")
            .field("old_keys", &self.old.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
