//! How far a rebuild is.

use std::time::{Duration, Instant};

/// How far a rebuild is. Events that no handler wants count, too.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RebuildProgress {
    /// The application.
    pub projection: String,
    /// How many events are processed, those of an earlier run that was interrupted included: the sum of the positions.
    pub done: u64,
    /// How many there are now: the sum of the upstreams' last positions.
    pub total: u64,
    /// How many this run has processed in a second.
    pub rate: f64,
    /// How long the rest takes at this rate; `None` where there is no rate yet.
    pub left: Option<Duration>,
    /// Whether the new tables have taken the place of the old ones.
    pub is_finished: bool,
}

/// Measures it.
pub(crate) struct Meter {
    projection: String,
    started: Instant,
    /// What was done before this run.
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
        let (run, elapsed) = (done.saturating_sub(self.before), self.started.elapsed());
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
}
