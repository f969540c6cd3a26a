//! The question before something is changed.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;

use super::failure::Failure;

/// The arguments of commands that change something.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Consent {
    /// Do it without a question
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Consent {
    /// Tells what will be done, and asks for consent.
    ///
    /// # Errors
    /// Fails if the answer is no, or if nobody can answer.
    pub(super) fn ask(self, will: &str) -> Result<(), Failure> {
        super::output::remark(will);
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "nobody can be asked here, so nothing was changed: add `--yes`".to_owned(),
            ));
        }
        let mut err = io::stderr().lock();
        write!(err, "Go on? [y/N] ")?;
        err.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::Failed("nothing was changed".to_owned())),
        }
    }
}
