//! Progress bars, on a terminal only.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{msg} [{bar:40}] {human_pos} of {human_len}, {per_sec}, {eta} left";

/// A bar on the standard error output, or nothing where that is no terminal.
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// Creates the bar of the work on `subject`.
    pub(super) fn new(subject: &str) -> Self {
        let bar = if io::stderr().is_terminal() {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template(TEMPLATE);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(subject.to_owned());
        Self { bar }
    }

    /// Sets the amount of all work.
    pub(super) fn begin(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// Sets the amount of work that is done.
    pub(super) fn at(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// Removes the bar.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
