//! Durations in arguments and in texts.

use std::time::Duration;

/// Parses a duration such as `30s`, `500ms`, `5m`, `2h` or `1d`. A number alone is in seconds.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 5] = [
        ("ms", 0.001),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3_600.0),
        ("d", 86_400.0),
    ];
    let text = text.trim();
    let unit = UNITS.iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?;
        Some((number, *seconds))
    });
    let (number, unit) = unit.unwrap_or((text, 1.0));
    let seconds = number.trim().parse::<f64>().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds * unit).ok())
        .ok_or_else(|| "it is no duration, such as `30s`, `500ms`, `5m` or `2h`".to_owned())
}

/// Returns a duration as a text of one unit.
pub(super) fn text(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds => format!("{:.0} d", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_or_is_in_seconds() {
        let milliseconds = |text| parse(text).map(|duration| duration.as_millis());
        for (text, expected) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("1.5m", 90_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("7", 7_000),
            ("0", 0),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
        }
        for text in ["", "s", "-1s", "soon", "1w", "inf", "nan"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_is_shown_in_one_unit() {
        let shown = [0.24, 59.6, 600.0, 86_400.0, 864_000.0].map(text);
        assert_eq!(shown, ["0.2 s", "60 s", "10 min", "24 h", "10 d"]);
    }
}
