//! Where a follower stands in its upstreams, and whether they are the ones that it followed.

use es_store::{Head, Notification, UpstreamEvent};

use crate::application::Application;
use crate::error::{Error, Result};
use crate::follower::{Failure, Follower};

impl Follower {
    /// The name of an upstream, and the recorded position in it; 0 is before the first event.
    pub(crate) fn position_in(&self, upstream: usize) -> Result<(String, u64)> {
        let upstream = self.upstreams[upstream].name();
        Ok((
            upstream.to_owned(),
            self.application.position_in(upstream)?.unwrap_or(0),
        ))
    }

    /// Stops a follower whose upstream is another log than before: one that is shorter than what was
    /// processed, or has another event at the recorded position.
    pub(super) fn verify(
        &self,
        index: usize,
        from: u64,
        head: Option<&Head>,
    ) -> Result<(), Failure> {
        let upstream = &self.upstreams[index];
        let head = head.map_or(0, |head| head.position);
        if head < from {
            return Err(self.log_changed(
                upstream,
                format!("it ends at position {head}, and position {from} is processed"),
            ));
        }
        if self.has_verified(index) {
            return Ok(());
        }
        if from > 0 {
            self.verify_event(upstream, from)?;
        }
        self.progress().verified[index] = true;
        Ok(())
    }

    fn verify_event(&self, upstream: &Application, from: u64) -> Result<(), Failure> {
        let recorder = self.application.recorder()?;
        let expected = recorder.upstream_event(upstream.name(), from);
        let expected = expected.map_err(|e| self.application.store_error(e))?;
        let Some(expected) = expected else {
            return Ok(());
        };
        let found = upstream.recorder()?.event_at(from);
        if found.map_err(|e| upstream.store_error(e))?.as_ref() == Some(&expected) {
            return Ok(());
        }
        let UpstreamEvent {
            originator_id,
            originator_version,
            ..
        } = expected;
        Err(self.log_changed(
            upstream,
            format!(
                "version {originator_version} of aggregate {originator_id} was processed at position \
                 {from}, and is not there"
            ),
        ))
    }

    fn log_changed(&self, upstream: &Application, problem: String) -> Failure {
        Failure::Stop(Error::LogChanged {
            application: self.name().to_owned(),
            upstream: upstream.name().to_owned(),
            problem,
        })
    }
}

/// Which event a notification is.
pub(super) fn at(notification: &Notification) -> UpstreamEvent {
    UpstreamEvent::new(
        notification.originator_id.clone(),
        notification.originator_version,
    )
}
