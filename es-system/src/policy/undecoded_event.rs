//! An event that a policy receives without knowing its type.

use es_core::{AggregateId, DomainEvent, EventSet};
use es_store::Notification;

use crate::application::Application;
use crate::error::Result;
use crate::policy::received::Received;

/// An event as it was recorded, not decoded. `#[policy(_)]` receives it.
///
/// ```
/// # use es_system::prelude::*;
/// # #[aggregate]
/// # pub struct Dog {}
/// # #[aggregate]
/// # impl Dog {
/// #     #[event(Registered)]
/// #     pub fn register() -> Self { Self {} }
/// # }
/// # #[aggregate]
/// # pub struct Entry {}
/// # #[aggregate]
/// # impl Entry {
/// #     #[event(Written)]
/// #     pub fn write(of: &str) -> Self { Self {} }
/// # }
/// #[process_application]
/// pub struct Audit;
///
/// #[process_application]
/// impl Audit {
///     #[policy(_)]
///     fn note(
///         &self,
///         event: &UndecodedEvent,
///         processing_event: &mut ProcessingEvent,
///     ) -> Result<()> {
///         let what = if event.is::<DogEvent>() {
///             format!("{:?}", event.decode::<DogEvent>()?.payload)
///         } else {
///             event.topic().to_owned()
///         };
///         processing_event.collect_events(&mut Entry::write(&what));
///         Ok(())
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct UndecodedEvent {
    upstream: Application,
    notification: Notification,
    is_replay: bool,
}

impl UndecodedEvent {
    pub(crate) fn new(received: &Received<'_>) -> Self {
        Self {
            upstream: received.upstream.clone(),
            notification: received.notification.clone(),
            is_replay: received.is_replay(),
        }
    }

    /// Returns the id of the aggregate that made the event.
    pub fn originator_id(&self) -> &AggregateId {
        &self.notification.originator_id
    }

    /// Returns the version of the aggregate after the event; the first event is 1.
    pub fn originator_version(&self) -> u64 {
        self.notification.originator_version
    }

    /// Returns the stored name of the event, such as `Dog.TrickAdded`.
    pub fn topic(&self) -> &str {
        &self.notification.topic
    }

    /// Returns the position of the event in the notification log of [`upstream`](Self::upstream).
    pub fn notification_id(&self) -> u64 {
        self.notification.id
    }

    /// Returns the name of the application that recorded the event.
    pub fn upstream(&self) -> &str {
        self.upstream.name()
    }

    /// Returns true if the event is from the past: it was recorded before the application that
    /// processes it began to follow, as
    /// [`DomainEvent::is_replay`](crate::DomainEvent::is_replay) tells it.
    pub fn is_replay(&self) -> bool {
        self.is_replay
    }

    /// Returns true if it is one of the events `E`, such as `DogEvent`, and so can be decoded as
    /// one.
    pub fn is<E: EventSet>(&self) -> bool {
        E::TOPICS.contains(&self.topic())
    }

    /// Decodes the event as one of `E`, such as `DogEvent`.
    ///
    /// # Errors
    /// Returns [`Error::BadData`](crate::Error::BadData) if it is none of `E` or cannot be decoded.
    pub fn decode<E: EventSet>(&self) -> Result<DomainEvent<E>> {
        let event = self.upstream.decode_set::<E>(&self.notification)?;
        Ok(event.__replayed(self.is_replay))
    }
}
