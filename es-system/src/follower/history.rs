//! Whether an upstream is still the log that was followed.

use es_store::{Head, UpstreamEvent};

use crate::error::Error;
use crate::follower::edge::Edge;
use crate::follower::failure::Failure;

impl Edge {
    /// Fails if the upstream is another log than before: one that is shorter than what was processed, or has another
    /// event at the recorded position.
    pub(super) fn verify(&self, from: u64, head: Option<&Head>) -> Result<(), Failure> {
        let head = head.map_or(0, |head| head.position);
        if head < from {
            return Err(self.log_changed(format!(
                "it ends at position {head}, and position {from} is processed"
            )));
        }
        if self.has_verified() {
            return Ok(());
        }
        if from > 0 {
            self.verify_event(from)?;
        }
        self.state().is_verified = true;
        Ok(())
    }

    fn verify_event(&self, from: u64) -> Result<(), Failure> {
        let (application, upstream) = (&self.processor.application, &self.upstream);
        let expected = application.on_store(|store| store.upstream_event(upstream.name(), from))?;
        let Some(expected) = expected else {
            return Ok(());
        };
        let found = upstream.on_store(|store| store.event_at(from))?;
        if found.as_ref() == Some(&expected) {
            return Ok(());
        }
        let UpstreamEvent {
            originator_id,
            originator_version,
            ..
        } = expected;
        Err(self.log_changed(format!(
            "version {originator_version} of aggregate {originator_id} was processed at position \
             {from}, and is not there"
        )))
    }

    fn log_changed(&self, problem: String) -> Failure {
        Failure::Stop(Error::LogChanged {
            application: self.processor.name().to_owned(),
            upstream: self.upstream.name().to_owned(),
            problem,
        })
    }
}
