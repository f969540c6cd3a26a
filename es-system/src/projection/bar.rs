//! A rebuild's progress, shown to whoever waits for it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::projection::progress::RebuildProgress;

const WIDTH: usize = 30;

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

/// Shows how far a rebuild is, on standard error: on a terminal a bar, elsewhere a line now and then. To be given to
/// [`Runner::rebuild`](crate::Runner::rebuild).
pub fn rebuild_bar() -> impl FnMut(&RebuildProgress) {
    let is_terminal = io::stderr().is_terminal();
    let mut last: Option<Instant> = None;
    move |progress| {
        let is_due = last.is_none_or(|last| last.elapsed() >= EVERY);
        if !is_terminal && !is_due && !progress.is_finished {
            return;
        }
        last = Some(Instant::now());
        let mut out = io::stderr().lock();
        // A bar that cannot be shown is no reason to end the rebuild.
        let _shown = match (is_terminal, progress.is_finished) {
            (true, false) => write!(out, "\r\x1b[2K{} {}", bar(progress), text(progress)),
            (true, true) => writeln!(out, "\r\x1b[2K{} {}", bar(progress), text(progress)),
            (false, _) => writeln!(out, "{}", text(progress)),
        };
        let _flushed = out.flush();
    }
}

fn bar(progress: &RebuildProgress) -> String {
    let share = progress.done as f64 / progress.total.max(1) as f64;
    let full = (share * WIDTH as f64).clamp(0.0, WIDTH as f64) as usize;
    format!("[{}{}]", "#".repeat(full), " ".repeat(WIDTH - full))
}

fn text(progress: &RebuildProgress) -> String {
    let RebuildProgress {
        projection,
        done,
        total,
        rate,
        left,
        is_finished,
    } = progress;
    let rest = match (is_finished, left) {
        (true, _) => "finished".to_owned(),
        (_, Some(left)) => format!("{} s left", left.as_secs_f64().ceil()),
        (_, None) => "time left unknown".to_owned(),
    };
    format!("{projection}: {done} of {total} events, {rate:.0} a second, {rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            text(&progress),
            "TrickTable: 50 of 200 events, 25 a second, 7 s left"
        );
        assert_eq!(
            bar(&progress),
            format!("[{}{}]", "#".repeat(7), " ".repeat(23))
        );
        (progress.done, progress.is_finished) = (200, true);
        assert!(text(&progress).ends_with("finished"));
        assert_eq!(bar(&progress), format!("[{}]", "#".repeat(30)));
    }
}
