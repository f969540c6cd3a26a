//! A line of the examination.

use es_store::Verdict;
use serde::Serialize;

use crate::cli::output::Paint;

/// The result of one check.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// The application, the edge or the server that was looked at.
    subject: String,
    check: &'static str,
    /// `ok`, `problem`, or `unknown` if it could not be checked.
    result: &'static str,
    /// The state that was found, or the reason why nothing was.
    found: String,
    /// The repair; missing unless there is a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    repair: Option<String>,
}

impl Finding {
    pub(super) fn new(subject: impl Into<String>, check: &'static str, verdict: Verdict) -> Self {
        let (result, found, repair) = match verdict {
            Verdict::Ok(found) => ("ok", found, None),
            Verdict::Problem { problem, repair } => ("problem", problem, Some(repair)),
            Verdict::Unknown(why) => ("unknown", why, None),
        };
        Self {
            subject: subject.into(),
            check,
            result,
            found,
            repair,
        }
    }

    pub(super) fn is_problem(&self) -> bool {
        self.result == "problem"
    }

    pub(super) fn text(&self, paint: Paint) -> String {
        let Self {
            subject,
            check,
            found,
            ..
        } = self;
        let result = match self.result {
            "ok" => paint.good("ok"),
            "problem" => paint.bad("problem"),
            _ => paint.doubtful("could not check"),
        };
        let repair = self
            .repair
            .iter()
            .map(|repair| format!("\n    do this: {repair}"));
        let repair: String = repair.collect();
        format!("{subject}, {check}: {result}: {found}{repair}\n")
    }
}
