//! An event that a policy receives without knowing what it is.

use es_core::{AggregateId, DomainEvent, EventSet};
use es_store::Notification;

use crate::application::Application;
use crate::error::Result;

/// An event as it was recorded, not decoded: what `#[policy(_)]` takes.
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
///     fn note(&self, event: &UndecodedEvent, processing_event: &mut ProcessingEvent) -> Result<()> {
///         let what = match event.is::<DogEvent>() {
///             true => format!("{:?}", event.decode::<DogEvent>()?.payload),
///             false => event.topic().to_owned(),
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
}

impl UndecodedEvent {
    pub(crate) fn new(upstream: &Application, notification: &Notification) -> Self {
        Self {
            upstream: upstream.clone(),
            notification: notification.clone(),
        }
    }

    /// The aggregate that made the event.
    pub fn originator_id(&self) -> &AggregateId {
        &self.notification.originator_id
    }

    /// The version that the aggregate had after it: 1 for the first event.
    pub fn originator_version(&self) -> u64 {
        self.notification.originator_version
    }

    /// The stored name of the event, such as `Dog.TrickAdded`.
    pub fn topic(&self) -> &str {
        &self.notification.topic
    }

    /// The position of the event in the notification log of [`upstream`](Self::upstream).
    pub fn notification_id(&self) -> u64 {
        self.notification.id
    }

    /// The name of the application that recorded the event.
    pub fn upstream(&self) -> &str {
        self.upstream.name()
    }

    /// Whether it is one of the events `E`, such as `DogEvent`, so that it can be decoded as one.
    pub fn is<E: EventSet>(&self) -> bool {
        E::TOPICS.contains(&self.topic())
    }

    /// The event, decoded as one of `E`, such as `DogEvent`.
    ///
    /// # Errors
    /// [`Error::BadData`](crate::Error::BadData) when it is none of `E`, or cannot be decoded.
    pub fn decode<E: EventSet>(&self) -> Result<DomainEvent<E>> {
        self.upstream.decode_set(&self.notification)
    }
}
