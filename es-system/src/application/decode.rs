//! Decodes events of an application's log.

use es_core::{Aggregate, DomainEvent, EventSet};
use es_store::Notification;

use crate::application::core::Application;
use crate::error::{Error, Result};

impl Application {
    /// Decodes a notification of this application's log as an event of the aggregate `A`.
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
    /// # #[application]
    /// # pub struct DogSchool;
    /// # let school = DogSchool::new(Env::new())?;
    /// # school.save(&mut Dog::register())?;
    /// for notification in school.notification_log().select(1, 10)? {
    ///     let event = school.decode::<Dog>(&notification)?;
    ///     assert!(matches!(event.payload, DogEvent::Registered(_)));
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::BadData`] if the topic is not that of an event of `A`, or if the event
    /// cannot be decoded.
    pub fn decode<A: Aggregate>(
        &self,
        notification: &Notification,
    ) -> Result<DomainEvent<A::Event>> {
        self.decode_set(notification)
    }

    /// Decodes a notification of this application's log as one of the events `E`.
    pub(crate) fn decode_set<E: EventSet>(
        &self,
        notification: &Notification,
    ) -> Result<DomainEvent<E>> {
        let decoded = self.mapper().decode::<E>(&notification.event);
        let decoded = decoded.map_err(|problem| Error::data(self.name(), problem))?;
        Ok(DomainEvent::new(
            notification.originator_id.clone(),
            notification.originator_version,
            decoded.timestamp,
            notification.id,
            decoded.payload,
        ))
    }
}
