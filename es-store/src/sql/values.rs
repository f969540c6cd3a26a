//! Values of the library's own tables, as parameters and as columns.

use es_core::Timestamp;

use super::limits::at_most;
use super::transaction::{FromValue, Value};

/// Returns a text that is compared.
pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Returns a text that people read. A database that has no place for a zero byte must not refuse
/// it.
pub(super) fn shown(text: &str) -> Value {
    Value::Text(text.replace('\0', "\u{fffd}"))
}

pub(super) fn number(number: u64) -> Value {
    Value::Integer(at_most(number))
}

/// Returns a time, which is stored as its microseconds since 1970.
pub(super) fn time(time: Timestamp) -> Value {
    Value::Integer(time.as_micros())
}

/// The columns of a row, each of which may be damaged.
pub(super) struct ValueRow<'a>(pub(super) &'a [Value]);

impl ValueRow<'_> {
    /// Returns the value of a column. The error is its problem.
    pub(super) fn get<T: FromValue>(&self, index: usize, name: &str) -> Result<T, String> {
        let value = self.0.get(index).unwrap_or(&Value::Null);
        T::from_value(value)
            .ok_or_else(|| format!("its {name} is {}, not {}", value.kind(), T::EXPECTED))
    }

    /// Returns the time of a column.
    pub(super) fn time(&self, index: usize, name: &str) -> Result<Option<Timestamp>, String> {
        let micros: Option<i64> = self.get(index, name)?;
        let time = |micros| {
            Timestamp::from_micros(micros)
                .ok_or_else(|| format!("its {name} is outside of the years 1 to 9999"))
        };
        micros.map(time).transpose()
    }
}
