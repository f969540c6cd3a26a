//! The progress of a rebuild.

use std::fmt;
use std::time::{Duration, Instant};

/// The progress of a rebuild. It also counts the events that no policy handles. It prints as a
/// line: `TrickTable: 50 of 200 events, 25 a second, 7 s left`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RebuildProgress {
    /// The name of the projection.
    pub projection: String,
    /// The number of processed events, including those of an earlier run that was interrupted: the
    /// sum of the positions.
    pub done: u64,
    /// The current number of events: the sum of the upstreams' last positions.
    pub total: u64,
    /// The number of events that this run processes in a second.
    pub rate: f64,
    /// The remaining time at this rate, or `None` if there is no rate yet.
    pub left: Option<Duration>,
    /// True when the new tables have replaced the old ones.
    pub is_finished: bool,
}

impl fmt::Display for RebuildProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            projection,
            done,
            total,
            rate,
            left,
            is_finished,
        } = self;
        write!(
            f,
            "{projection}: {done} of {total} events, {rate:.0} a second, "
        )?;
        match left {
            _ if *is_finished => f.write_str("finished"),
            Some(left) => write!(f, "{} s left", left.as_secs_f64().ceil()),
            None => f.write_str("time left unknown"),
        }
    }
}

/// The measurement of one run.
pub(crate) struct Meter {
    projection: String,
    started: Instant,
    /// The number of events that earlier runs have processed.
    before: u64,
}

impl Meter {
    pub(crate) fn start(projection: &str, before: u64) -> Self {
        Self {
            projection: projection.to_owned(),
            started: Instant::now(),
            before,
        }
    }

    pub(crate) fn at(&self, done: u64, total: u64, is_finished: bool) -> RebuildProgress {
        let run = done.saturating_sub(self.before);
        let elapsed = self.started.elapsed();
        let rate = run as f64 / elapsed.as_secs_f64().max(1e-6);
        let left = total.saturating_sub(done) as f64 / rate;
        RebuildProgress {
            projection: self.projection.clone(),
            done,
            total,
            rate,
            left: Duration::try_from_secs_f64(left).ok(),
            is_finished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_this_run_and_without_one_the_time_left_is_unknown() {
        let mut meter = Meter::start("TrickTable", 100);
        assert_eq!(meter.at(100, 300, false).left, None);
        meter.started = Instant::now() - Duration::from_secs(10);
        let progress = meter.at(200, 300, false);
        assert!((9.0..11.0).contains(&progress.rate), "{progress:?}");
        let left = progress.left.expect("there is a rate").as_secs_f64();
        assert!((9.0..11.0).contains(&left), "{left}");
    }

    #[test]
    fn the_line_says_how_much_is_done_how_fast_and_how_long_it_takes() {
        let mut progress = RebuildProgress {
            projection: "TrickTable".to_owned(),
            done: 50,
            total: 200,
            rate: 24.6,
            left: Some(Duration::from_millis(6_100)),
            is_finished: false,
        };
        assert_eq!(
            progress.to_string(),
            "TrickTable: 50 of 200 events, 25 a second, 7 s left"
        );
        progress.left = None;
        assert!(progress.to_string().ends_with("time left unknown"));
        progress.is_finished = true;
        assert!(progress.to_string().ends_with("finished"));
    }
}
