//! The place of a value that is written.

/// The name of the struct as which serde_json's raw values pass themselves to their own serializer.
const RAW: &str = "$serde_json::private::RawValue";

/// The place of a value that is written, as far as it decides if the value may be `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Anywhere in a value in which a `Some` may be `null`.
    Unchecked,
    /// A place that may be `null`.
    Plain,
    /// The content of a `Some`, which must not be `null`: it would be read as `None`.
    InSome,
    /// The text of a raw value that is the content of a `Some`.
    RawInSome,
}

impl Spot {
    /// Returns the place of an element or a field of a value at this place.
    pub(super) fn inside(self) -> Self {
        match self {
            Self::Unchecked => Self::Unchecked,
            Self::Plain | Self::InSome | Self::RawInSome => Self::Plain,
        }
    }

    /// Returns the place of a field of the struct `name` at this place.
    pub(super) fn in_struct(self, name: &'static str) -> Self {
        match self {
            Self::InSome if name == RAW => Self::RawInSome,
            _ => self.inside(),
        }
    }

    /// Returns the place of the content of a `Some` at this place.
    pub(super) fn in_some(self) -> Self {
        match self {
            Self::Unchecked => Self::Unchecked,
            Self::Plain | Self::InSome | Self::RawInSome => Self::InSome,
        }
    }
}
