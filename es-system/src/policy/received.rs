//! An event of an upstream, on its way to a policy.

use es_core::{DomainEvent, EventPayload, EventSet};
use es_store::{Decoded, MapperError, MapperProblem, Notification};

use crate::application::Application;
use crate::error::BoxError;
use crate::policy::newer_event::NewerEvent;

/// An event of an upstream.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    pub(crate) notification: &'a Notification,
    pub(crate) upstream: &'a Application,
    /// The position up to which events are from the past: the head of the upstream when the
    /// follower began to follow it. `None` if that is not known.
    pub(crate) began: Option<u64>,
}

impl Received<'_> {
    /// Returns true if the event was recorded before the follower began to follow.
    pub(crate) fn is_replay(&self) -> bool {
        self.began
            .is_some_and(|began| self.notification.id <= began)
    }

    pub(crate) fn payload<P: EventPayload>(&self) -> Result<DomainEvent<P>, BoxError> {
        let decoded = self
            .upstream
            .mapper()
            .decode_payload::<P>(self.notification);
        Ok(self.event(decoded.map_err(not_decoded)?))
    }

    pub(crate) fn one_of<S: EventSet>(&self) -> Result<DomainEvent<S>, BoxError> {
        let decoded = self.upstream.mapper().decode::<S>(self.notification);
        Ok(self.event(decoded.map_err(not_decoded)?))
    }

    fn event<P>(&self, decoded: Decoded<P>) -> DomainEvent<P> {
        let event = self.notification;
        DomainEvent::new(
            event.originator_id.clone(),
            event.originator_version,
            decoded.timestamp,
            event.id,
            decoded.payload,
        )
        .__replayed(self.is_replay())
    }
}

fn not_decoded(error: MapperError) -> BoxError {
    match error.problem {
        MapperProblem::NewerVersion { .. } => NewerEvent::Version(error).into(),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use es_store::{Env, Role, StoredEvent};

    use super::*;
    use crate::policy::undecoded_event::UndecodedEvent;

    #[test]
    fn an_event_up_to_the_head_at_which_the_follower_began_is_from_the_past() {
        let upstream = Application::open("School", Role::Leader, Env::new());
        let upstream = &upstream.expect("a store in memory");
        let is_replay = |position, began| {
            let event = StoredEvent::new("one", 1, "Dog.Renamed", Vec::new());
            let received = Received {
                notification: &Notification::new(position, event),
                upstream,
                began,
            };
            UndecodedEvent::new(&received).is_replay()
        };
        let began = Some(5);
        assert_eq!(
            [4, 5, 6].map(|at| is_replay(at, began)),
            [true, true, false]
        );
        assert!(!is_replay(1, Some(0)) && !is_replay(1, None));
    }
}
