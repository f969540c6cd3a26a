//! Times as text. An offset has seconds, and fractions of them, where Python writes them; the rest
//! is RFC 3339.

use std::str::FromStr;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::{Problem, Timestamp, TimestampError};

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parsed(text).ok_or_else(|| TimestampError {
            found: text.to_owned(),
            problem: if lacks_offset(text) {
                Problem::NoOffset
            } else {
                Problem::NoTime
            },
        })
    }
}

fn parsed(text: &str) -> Option<Timestamp> {
    let (text, offset) = match offset_with_seconds(text) {
        Some((time, offset)) => (format!("{time}Z"), offset),
        None => (text.to_owned(), 0),
    };
    let time = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    let nanos = time
        .checked_to_offset(UtcOffset::UTC)?
        .unix_timestamp_nanos();
    let micros = i64::try_from(nanos.div_euclid(1000)).ok()?;
    Timestamp::from_micros(micros.checked_sub(offset)?)
}

/// Splits a time from an offset such as `+00:00:30` or `-00:00:30.000001`. Returns the offset in
/// microseconds, or `None` if the text does not end in one.
fn offset_with_seconds(text: &str) -> Option<(&str, i64)> {
    const SHORTEST: usize = "+00:00:00".len();
    // A minus is also in the date, so the last sign is that of the offset.
    let at = text.rfind(['+', '-'])?;
    let (time, offset) = text.split_at(at);
    let (sign, digits) = (
        if offset.starts_with('-') { -1 } else { 1 },
        offset.get(1..)?,
    );
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, micros(fraction)?),
        None => (digits, 0),
    };
    if whole.len() + 1 != SHORTEST {
        return None;
    }
    let mut parts = whole.split(':');
    let mut next = |limit| part(parts.next()?, limit);
    let (hours, minutes, seconds) = (next(24)?, next(60)?, next(60)?);
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    Some((time, sign * (seconds * 1_000_000 + fraction)))
}

/// Reads two digits, whose number is below `limit`.
fn part(text: &str, limit: i64) -> Option<i64> {
    let is_plain = text.len() == 2 && is_digits(text);
    let number = text.parse().ok().filter(|_| is_plain)?;
    (number < limit).then_some(number)
}

/// Reads the digits behind the point of a second. Those below a microsecond are dropped.
fn micros(digits: &str) -> Option<i64> {
    let six: String = digits.chars().chain("000000".chars()).take(6).collect();
    six.parse().ok().filter(|_| is_digits(digits))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns true if an offset is what the text lacks.
fn lacks_offset(text: &str) -> bool {
    ["Z", ":00Z"]
        .iter()
        .any(|rest| OffsetDateTime::parse(&format!("{text}{rest}"), &Rfc3339).is_ok())
}
