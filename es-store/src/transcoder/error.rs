//! Errors that show no stored value.
//!
//! The message of a user's type about a value may show the value, so it is dropped at once: the
//! user's code runs with the error type [`Redacted`], which keeps only the expectation. The error
//! passes through serde_json's error type as text between two marks. Text without marks was written
//! by serde_json itself, which shows a value only before `, expected `.

use std::fmt;

use serde::{de, ser};

/// The mark around a message that is redacted already. A value does not contain it by chance.
const MARK: &str = "\0redacted\0";

/// The problem of a value, without the value.
#[derive(Debug)]
pub(super) struct Redacted {
    pub(super) message: String,
    /// The place in the value, such as `.given[2]`. Empty for the value itself.
    pub(super) place: String,
}

impl Redacted {
    /// Creates the error of reading. serde_json described it, or this library between marks.
    pub(super) fn of_reading(error: &impl fmt::Display) -> Self {
        let text = error.to_string();
        if let Some(message) = marked(&text) {
            return Self::new(message);
        }
        match text.rsplit_once(", expected ") {
            // Its line and column count from the beginning of the field, so they mean nothing to
            // the user.
            Some((_, expected)) => {
                let expected = expected
                    .rsplit_once(" at line ")
                    .map_or(expected, |(expected, _)| expected);
                Self::new(format!("expected {expected}"))
            }
            None => Self::new(text),
        }
    }

    /// Creates the error of writing.
    pub(super) fn of_writing(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        match marked(&text) {
            Some(message) => Self {
                message: message.to_owned(),
                place: placed(&text).to_owned(),
            },
            // The message of the user's type may show its value.
            None if error.is_data() => Self::new("its type refuses to write it"),
            None => Self::new(text),
        }
    }

    /// Converts to the error of another deserializer.
    pub(super) fn into_de<E: de::Error>(self) -> E {
        E::custom(format_args!("{MARK}{}{MARK}", self.message))
    }

    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: String::new(),
        }
    }
}

/// Creates the library's own error of writing, which does not show the value.
pub(super) fn refuse_to_write<E: ser::Error>(message: &str) -> E {
    E::custom(format_args!("{MARK}{message}{MARK}"))
}

/// Adds `place` in front of the place of an error of writing.
#[cold]
pub(super) fn within<E: ser::Error>(error: E, place: fmt::Arguments<'_>) -> E {
    let text = error.to_string();
    match marked(&text) {
        Some(message) => {
            let inner = placed(&text);
            E::custom(format_args!("{MARK}{message}{MARK}{place}{inner}"))
        }
        None => error,
    }
}

fn marked(text: &str) -> Option<&str> {
    text.split(MARK).nth(1)
}

/// Returns the place behind a marked message.
fn placed(text: &str) -> &str {
    text.split(MARK).nth(2).unwrap_or_default()
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{}{MARK}", self.message)
    }
}

impl std::error::Error for Redacted {}

impl de::Error for Redacted {
    fn custom<T: fmt::Display>(message: T) -> Self {
        // The message may be the library's own, passed on by a type. The message of the type itself
        // is dropped.
        match marked(&message.to_string()) {
            Some(message) => Self::new(message),
            None => Self::new("its type refuses the stored value"),
        }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("found {}, expected {expected}", kind(found)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!(
            "found another value of type {}, expected {expected}",
            kind(found)
        ))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        Self::new(format!("found length {length}, expected {expected}"))
    }

    fn unknown_variant(_found: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "found an unknown variant, expected one of {expected:?}"
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("missing field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("duplicate field `{field}`"))
    }

    fn unknown_field(_found: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "found an unknown key, expected one of {expected:?}"
        ))
    }
}

fn kind(found: de::Unexpected<'_>) -> &'static str {
    use de::Unexpected as Is;
    match found {
        Is::Bool(_) => "boolean",
        Is::Unsigned(_) | Is::Signed(_) => "integer",
        Is::Float(_) => "float",
        Is::Char(_) | Is::Str(_) => "string",
        Is::Unit => "null",
        Is::Seq | Is::Bytes(_) => "array",
        Is::Map => "object",
        _ => "something else",
    }
}
