//! The values of parameters and of columns: one small set of types for all databases.

use es_core::{AggregateId, Timestamp};
use uuid::Uuid;

/// A value of a column. Every database can keep it.
///
/// SQLite has no booleans, UUIDs and times. It keeps them as the integers 0 and 1, and as text
/// (`00000000-0000-0000-0000-000000000000`, `2024-01-02T03:04:05+00:00`).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `NULL`.
    Null,
    /// `BOOLEAN`.
    Boolean(bool),
    /// `BIGINT` and smaller integers.
    Integer(i64),
    /// `DOUBLE PRECISION`.
    Real(f64),
    /// `TEXT`, `VARCHAR(n)`; in PostgreSQL also `JSON` and `JSONB`.
    Text(String),
    /// `BYTEA` in PostgreSQL, `BLOB` in SQLite.
    Bytes(Vec<u8>),
    /// `UUID`, or a text.
    Uuid(Uuid),
    /// `TIMESTAMPTZ`, or a text.
    Timestamp(Timestamp),
}

impl Value {
    /// Returns the name of the type for messages, which never show the value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Real(_) => "a floating-point number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a UUID",
            Self::Timestamp(_) => "a time",
        }
    }
}

/// A type that can be a parameter of a statement.
pub trait ToValue {
    /// Returns the value, or `None` for a number above `i64::MAX`, which no database keeps.
    fn to_value(&self) -> Option<Value>;
}

/// A type that can be read from a column.
pub trait FromValue: Sized {
    /// The name of the type in messages, such as "an integer".
    const EXPECTED: &'static str;

    /// Converts the value, or returns `None` if it has another type.
    fn from_value(value: &Value) -> Option<Self>;
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Option<Value> {
        (**self).to_value()
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Option<Value> {
        Some(self.clone())
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Option<Value> {
        self.as_ref().map_or(Some(Value::Null), ToValue::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl ToValue for $integer {
            fn to_value(&self) -> Option<Value> {
                i64::try_from(*self).ok().map(Value::Integer)
            }
        }

        impl FromValue for $integer {
            const EXPECTED: &'static str = concat!("an integer that is a `", stringify!($integer), "`");

            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Integer(value) => Self::try_from(*value).ok(),
                    _ => None,
                }
            }
        }
    )+};
}

integers!(i64, u64, i32, u32);

macro_rules! plain {
    ($($type:ty, $variant:ident, $expected:literal, |$value:ident| $from:expr;)+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Option<Value> {
                Some(Value::$variant(self.clone()))
            }
        }

        impl FromValue for $type {
            const EXPECTED: &'static str = $expected;

            fn from_value($value: &Value) -> Option<Self> {
                $from
            }
        }
    )+};
}

plain! {
    bool, Boolean, "a boolean", |value| match value {
        Value::Boolean(value) => Some(*value),
        Value::Integer(0) => Some(false),
        Value::Integer(1) => Some(true),
        _ => None,
    };
    f64, Real, "a number", |value| match value {
        Value::Real(value) => Some(*value),
        // SQLite keeps a whole number as an integer if the column has no type.
        Value::Integer(value) => exact(*value),
        _ => None,
    };
    String, Text, "a text", |value| match value {
        Value::Text(value) => Some(value.clone()),
        _ => None,
    };
    Vec<u8>, Bytes, "bytes", |value| match value {
        Value::Bytes(value) => Some(value.clone()),
        _ => None,
    };
    Uuid, Uuid, "a UUID", |value| match value {
        Value::Uuid(value) => Some(*value),
        Value::Text(value) => value.parse().ok(),
        _ => None,
    };
    Timestamp, Timestamp, "a time", |value| match value {
        Value::Timestamp(value) => Some(*value),
        Value::Text(value) => value.parse().ok(),
        _ => None,
    };
}

/// Returns the float that is exactly this integer, if there is one.
pub(crate) fn exact(value: i64) -> Option<f64> {
    let float = value as f64;
    // As integers of 128 bits, so that the conversion back cannot saturate.
    (float as i128 == i128::from(value)).then_some(float)
}

impl ToValue for str {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Text(self.to_owned()))
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Bytes(self.to_vec()))
    }
}

/// A UUID stays a UUID, and any other id is its text.
impl ToValue for AggregateId {
    fn to_value(&self) -> Option<Value> {
        Some(match self {
            AggregateId::Uuid(id) => Value::Uuid(*id),
            AggregateId::Text(id) => Value::Text(id.as_ref().to_owned()),
        })
    }
}
