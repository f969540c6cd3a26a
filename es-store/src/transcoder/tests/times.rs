//! Times are read as Python's `datetime.isoformat` writes them.

use es_core::Timestamp;
use proptest::prelude::*;

use super::{read, try_read};

/// A time of Python's, with the parts that `isoformat` shows.
#[derive(Debug, Clone)]
struct Written {
    date: (i64, i64, i64),
    clock: (i64, i64, i64, i64),
    /// The offset in microseconds.
    offset: i64,
}

impl Written {
    /// Writes what `isoformat` writes: parts that are 0 are left out from the end.
    fn isoformat(&self) -> String {
        let ((year, month, day), (hour, minute, second, micros)) = (self.date, self.clock);
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        if micros != 0 {
            text += &format!(".{micros:06}");
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let (seconds, micros) = (self.offset.abs() / 1_000_000, self.offset.abs() % 1_000_000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        text += &format!("{sign}{hours:02}:{minutes:02}");
        if seconds % 60 != 0 || micros != 0 {
            text += &format!(":{:02}", seconds % 60);
        }
        if micros != 0 {
            text += &format!(".{micros:06}");
        }
        text
    }

    /// Returns the time in UTC, if it is within the years 1 to 9999.
    fn in_utc(&self) -> Option<Timestamp> {
        let (hour, minute, second, micros) = self.clock;
        let seconds = (days(self.date) * 24 + hour) * 3600 + minute * 60 + second;
        Timestamp::from_micros(seconds * 1_000_000 + micros - self.offset)
    }
}

/// Counts the days from 1970 on, year by year and month by month.
fn days((year, month, day): (i64, i64, i64)) -> i64 {
    let before = year - 1;
    let of_years = before * 365 + before / 4 - before / 100 + before / 400;
    let of_months: i64 = (1..month).map(|month| length(year, month)).sum();
    of_years + of_months + day - 1 - 719_162
}

fn length(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn written() -> impl Strategy<Value = Written> {
    const DAY: i64 = 24 * 60 * 60;
    let year = prop_oneof![8 => 1..=9999_i64, 1 => Just(1), 1 => Just(9999)];
    let date = (year, 1..=12_i64)
        .prop_flat_map(|(year, month)| (Just(year), Just(month), 1..=length(year, month)));
    let micros = || prop_oneof![Just(0), 0..1_000_000_i64, Just(999_999)];
    let clock = (0..24_i64, 0..60_i64, 0..60_i64, micros());
    let offset = prop_oneof![
        (-23..24_i64).prop_map(|hours| hours * 3_600_000_000),
        (-DAY + 1..DAY).prop_map(|seconds| seconds * 1_000_000),
        (-DAY * 1_000_000 + 1..DAY * 1_000_000),
    ];
    (date, clock, offset).prop_map(|(date, clock, offset)| Written {
        date,
        clock,
        offset,
    })
}

proptest! {
    #[test]
    fn what_python_writes_is_read(written in written()) {
        let text = written.isoformat();
        prop_assert_eq!(text.parse::<Timestamp>().ok(), written.in_utc(), "{}", text);
    }

    #[test]
    fn a_time_whose_offset_is_cut_off_is_an_error_that_says_so(written in written()) {
        let text = written.isoformat();
        let cut = text.split_at(text.rfind(['+', '-']).expect("a sign")).0;
        let error = cut.parse::<Timestamp>().expect_err("no offset").to_string();
        prop_assert!(error.contains("without an offset"), "{}", error);
    }

    #[test]
    fn anything_like_a_time_never_panics(
        written in written(),
        at in any::<prop::sample::Index>(),
        other in ".{0,2}",
    ) {
        let text = written.isoformat();
        let at = at.index(text.len());
        let _ = format!("{}{other}{}", &text[..at], &text[at + 1..]).parse::<Timestamp>();
        let _ = format!("{}{other}", &text[..at]).parse::<Timestamp>();
    }
}

#[test]
fn a_stored_time_is_read_with_an_offset_and_refused_without_one() {
    let expected: Timestamp = "2024-01-02T03:04:05+00:00".parse().expect("a time");
    let stored = |text| format!(r#"{{"_type_":"datetime_iso","_data_":"{text}"}}"#);
    assert_eq!(
        read::<Timestamp>(&stored("2024-01-02T03:04:35+00:00:30")),
        expected
    );
    let error = try_read::<Timestamp>(&stored("2024-01-02T03:04:05")).expect_err("no offset");
    let error = error.to_string();
    assert!(error.contains("expected a time with an offset"), "{error}");
    assert!(!error.contains("03:04:05\""), "{error}");
}
