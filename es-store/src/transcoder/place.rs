//! The place of a reader in a value.

use serde::de;

/// The place of a reader in a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    depth: u8,
    /// True in a key. A key is text, so a UUID is read from its text there.
    pub(super) is_key: bool,
}

impl Place {
    pub(super) const TOP: Self = Self {
        depth: 0,
        is_key: false,
    };
    const MAX_DEPTH: u8 = 127;

    pub(super) fn key(self) -> Self {
        Self {
            is_key: true,
            ..self
        }
    }

    /// Returns the place one level deeper. serde_json also counts levels, but starts again for a
    /// value that was read ahead.
    pub(super) fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == Self::MAX_DEPTH {
            return Err(E::custom("nested too deep"));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}
