//! An event of an upstream, on its way to a policy.

use es_core::{DomainEvent, EventPayload, EventSet};
use es_store::{Decoded, Notification};

use crate::application::Application;
use crate::error::BoxError;

/// An event of an upstream.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    pub(crate) notification: &'a Notification,
    pub(crate) upstream: &'a Application,
}

impl Received<'_> {
    pub(crate) fn payload<P: EventPayload>(&self) -> Result<DomainEvent<P>, BoxError> {
        let decoded = self
            .upstream
            .mapper()
            .decode_payload::<P>(self.notification);
        Ok(self.event(decoded?))
    }

    pub(crate) fn one_of<S: EventSet>(&self) -> Result<DomainEvent<S>, BoxError> {
        let decoded = self.upstream.mapper().decode::<S>(self.notification);
        Ok(self.event(decoded?))
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
    }
}
