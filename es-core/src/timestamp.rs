//! Times in UTC with microseconds, written as Python's `datetime.isoformat` writes them.

mod parse;

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;

/// A time in UTC, with microseconds, from year 1 to year 9999.
///
/// It is shown as `2024-01-02T03:04:05+00:00`, with exactly six digits of a second if they are not
/// 0. Parsing accepts any offset that Python writes, also one with seconds, and `Z`. It drops
///   digits below a microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

/// The error of parsing a [`Timestamp`] from text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` {problem}")]
pub struct TimestampError {
    found: String,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("is not a time such as `2024-01-02T03:04:05.000600+00:00`, from year 1 to year 9999")]
    NoTime,
    #[error("is a time without an offset: add `+00:00` if it is in UTC, or its own offset")]
    NoOffset,
}

const MIN_MICROS: i64 = -62_135_596_800_000_000;
const MAX_MICROS: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// The first moment of year 1.
    pub const MIN: Self = Self { micros: MIN_MICROS };
    /// The last moment of year 9999.
    pub const MAX: Self = Self { micros: MAX_MICROS };

    /// Creates the time `micros` microseconds after 1970-01-01T00:00:00 UTC, or before it if
    /// `micros` is negative.
    ///
    /// Returns `None` outside the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (MIN_MICROS..=MAX_MICROS)
            .contains(&micros)
            .then_some(Self { micros })
    }

    /// Returns the microseconds since 1970-01-01T00:00:00 UTC, negative before it.
    pub fn as_micros(self) -> i64 {
        self.micros
    }

    /// Returns the time since `earlier`, or zero if `earlier` is later.
    ///
    /// ```
    /// use std::time::Duration;
    /// use es_core::Timestamp;
    ///
    /// let lent: Timestamp = "2024-01-30T10:00:00+00:00".parse()?;
    /// let due = lent + Duration::from_secs(28 * 24 * 60 * 60);
    /// assert_eq!(due.to_string(), "2024-02-27T10:00:00+00:00");
    /// assert_eq!(due.duration_since(lent).as_secs(), 28 * 24 * 60 * 60);
    /// # Ok::<(), es_core::TimestampError>(())
    /// ```
    pub fn duration_since(self, earlier: Self) -> Duration {
        let micros = self.micros.saturating_sub(earlier.micros);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn moved(self, micros: i64) -> Self {
        let micros = self.micros.saturating_add(micros);
        Self {
            micros: micros.clamp(MIN_MICROS, MAX_MICROS),
        }
    }

    pub(crate) fn from_system_time(time: SystemTime) -> Self {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => micros(after),
            Err(before) => -micros(before.duration()),
        };
        Self {
            micros: micros.clamp(MIN_MICROS, MAX_MICROS),
        }
    }

    fn to_offset_date_time(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.micros) * 1000).ok()
    }
}

/// Adds a duration, in whole microseconds; at most to [`Timestamp::MAX`].
impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        self.moved(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Subtracts a duration, in whole microseconds; at most to [`Timestamp::MIN`].
impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        self.moved(-i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.to_offset_date_time().ok_or(fmt::Error)?;
        let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
        let (hour, minute, second) = t.to_hms();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        match t.microsecond() {
            0 => f.write_str("+00:00"),
            micros => write!(f, ".{micros:06}+00:00"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of the newtype struct over its text as which a timestamp serialises for a transcoder.
pub const DATETIME_ISO: &str = "$transcoded::datetime_iso";

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(DATETIME_ISO, &self.to_string())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(DATETIME_ISO, TimestampVisitor)
    }
}

/// The expectation in the error of a time without an offset.
const WITH_OFFSET: &str =
    "a time with an offset, such as 2024-01-02T03:04:05+00:00, and not without one";

struct TimestampVisitor;

impl<'de> de::Visitor<'de> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as 2024-01-02T03:04:05.000600+00:00")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse()
            .map_err(|error: TimestampError| match error.problem {
                // This message shows no stored value, so it is passed on where others are dropped.
                Problem::NoOffset => E::invalid_value(de::Unexpected::Str("…"), &WITH_OFFSET),
                Problem::NoTime => E::custom(error),
            })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Timestamp, D::Error> {
        inner.deserialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_moved_stays_within_the_years_that_there_are() {
        let (day, for_ever) = (Duration::from_secs(24 * 60 * 60), Duration::MAX);
        let moment = Timestamp::from_micros(1).expect("in range");
        assert_eq!((moment + day) - day, moment);
        assert_eq!((moment + day).duration_since(moment), day);
        assert_eq!(moment.duration_since(moment + day), Duration::ZERO);
        assert_eq!(moment + for_ever, Timestamp::MAX);
        assert_eq!(moment - for_ever, Timestamp::MIN);
    }

    #[test]
    fn times_are_written_as_python_writes_them() {
        for text in [
            "2024-01-02T03:04:05+00:00",
            "2024-01-02T03:04:05.000600+00:00",
            "1969-12-31T23:59:59.999999+00:00",
            "0001-01-01T00:00:00+00:00",
            "9999-12-31T23:59:59.999999+00:00",
        ] {
            assert_eq!(text.parse::<Timestamp>().expect(text).to_string(), text);
        }
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00+00:00");
        assert_eq!(
            Timestamp::MAX.to_string(),
            "9999-12-31T23:59:59.999999+00:00"
        );
    }

    #[test]
    fn another_offset_is_the_same_moment_in_utc() {
        let moment: Timestamp = "2024-02-29T00:00:00+05:30".parse().expect("a time");
        assert_eq!(moment.to_string(), "2024-02-28T18:30:00+00:00");
        assert_eq!("2024-02-28T18:30:00Z".parse(), Ok(moment));
    }

    #[test]
    fn what_is_no_time_is_refused_and_named() {
        for text in [
            "",
            "yesterday",
            "2024-02-30T00:00:00+00:00",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+00:00:60",
            "2024-01-01T00:00:00+00:00:",
            "2024-01-01T00:00:00+00:00:3",
            "2024-01-01T00:00:00+00:00:30.",
            "2024-01-01T00:00:00+0:00:30",
            "0001-01-01T00:00:00+00:00:01",
            "9999-12-31T23:59:59-00:00:01",
        ] {
            let refused = text.parse::<Timestamp>().expect_err(text);
            assert!(
                refused.to_string().starts_with(&format!("`{text}`")),
                "{refused}"
            );
        }
        assert_eq!(Timestamp::from_micros(i64::MAX), None);
    }

    #[test]
    fn an_offset_has_seconds_where_python_writes_them() {
        for (text, utc) in [
            ("2024-01-01T00:00:30+00:00:30", "2024-01-01T00:00:00+00:00"),
            ("2024-01-01T00:00:00-00:00:30", "2024-01-01T00:00:30+00:00"),
            ("1880-01-01T00:00:00-00:01:15", "1880-01-01T00:01:15+00:00"),
            (
                "2024-01-01T00:00:00.5+23:59:59.999999",
                "2023-12-31T00:00:00.500001+00:00",
            ),
        ] {
            assert_eq!(text.parse::<Timestamp>().expect(text).to_string(), utc);
        }
    }

    #[test]
    fn a_time_without_an_offset_is_an_error_that_says_so() {
        for text in [
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.000600",
            "2024-01-01 00:00:00",
            "2024-01-01T00:00",
        ] {
            let refused = text.parse::<Timestamp>().expect_err(text).to_string();
            assert_eq!(
                refused,
                format!(
                    "`{text}` is a time without an offset: add `+00:00` if it is in UTC, or its own offset"
                )
            );
        }
        let refused = "2024-01-01"
            .parse::<Timestamp>()
            .expect_err("no time")
            .to_string();
        assert!(refused.contains("is not a time such as"), "{refused}");
    }

    #[test]
    fn a_leap_second_is_read_as_before() {
        let read: Timestamp = "2016-12-31T23:59:60Z".parse().expect("a leap second");
        assert_eq!(read.to_string(), "2016-12-31T23:59:59.999999+00:00");
    }
}
