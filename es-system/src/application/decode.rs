//! Events of an application's log, decoded.

use es_core::{Aggregate, DomainEvent, EventSet};
use es_store::Notification;

use crate::application::core::Application;
use crate::error::{Error, Result};

impl Application {
    /// The event of the aggregate `A` that stands in a notification of this application's log.
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
    /// [`Error::BadData`] when the topic is of no event of `A`, or the event cannot be decoded.
    pub fn decode<A: Aggregate>(
        &self,
        notification: &Notification,
    ) -> Result<DomainEvent<A::Event>> {
        self.decode_set(notification)
    }

    /// The event in a notification of this application's log, which is one of `E`.
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
