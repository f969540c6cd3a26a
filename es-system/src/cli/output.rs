//! The output of commands: a report as text or as JSON.

use std::io::{self, IsTerminal, Write};

use clap::Args;
use serde::Serialize;

use super::failure::Failure;

/// The version of the form of all JSON. It changes when a field changes its meaning or is taken
/// out, not when one is added.
const VERSION: u32 = 1;

/// The arguments about the output.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Output {
    /// Print JSON, each object on a line of its own
    #[arg(long)]
    json: bool,
}

/// The result of a command.
pub(super) trait Report: Serialize {
    /// The name of the command.
    const COMMAND: &'static str;

    /// Returns the report as text, which ends with a line break unless it is empty.
    fn text(&self, paint: Paint) -> String;
}

/// A report as it is printed in JSON.
#[derive(Serialize)]
struct Envelope<'a, R> {
    version: u32,
    command: &'static str,
    #[serde(flatten)]
    report: &'a R,
}

impl Output {
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a report on the standard output.
    pub(super) fn print<R: Report>(self, report: &R) -> Result<(), Failure> {
        let text = if self.json {
            json(report)? + "\n"
        } else {
            report.text(Paint::of_stdout())
        };
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }
}

fn json<R: Report>(report: &R) -> Result<String, Failure> {
    let envelope = Envelope {
        version: VERSION,
        command: R::COMMAND,
        report,
    };
    let written = serde_json::to_string(&envelope);
    written.map_err(|error| Failure::Failed(format!("the report cannot be written: {error}")))
}

/// Prints the reason of a failure.
pub(super) fn complain(problem: &str) {
    remark(&format!("error: {problem}"));
}

/// Prints a line on the standard error output. Where that is closed, nobody is left to tell.
pub(super) fn remark(line: &str) {
    let _written = writeln!(io::stderr(), "{line}");
}

/// The colours of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// Returns colours if the standard output is a terminal that wants them.
    fn of_stdout() -> Self {
        let is_set = |key| std::env::var_os(key).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let is_on = io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb;
        Self { is_on }
    }

    /// Returns no colours.
    #[cfg(test)]
    pub(super) fn off() -> Self {
        Self { is_on: false }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(super) fn doubtful(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
