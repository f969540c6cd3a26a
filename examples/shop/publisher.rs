//! The worker that tells the world of confirmed orders, by a broker.

use std::sync::Arc;

use es_system::prelude::*;

use crate::orders::{Order, OrderConfirmed};

/// A service that hands messages to whoever subscribes to them.
pub trait Broker: Send + Sync {
    /// Publishes a message. Of all calls with the same position, one message is published, so a
    /// call may be repeated.
    ///
    /// # Errors
    /// Fails if the broker does not accept the message.
    fn publish(&self, position: u64, message: &str) -> Result<(), NotPublished>;
}

/// The reason why a broker does not accept a message.
#[derive(Debug, thiserror::Error)]
#[error("the broker answers: {0}")]
pub struct NotPublished(pub String);

#[process_application]
pub struct Publisher {
    broker: Arc<dyn Broker>,
}

#[process_application]
impl Publisher {
    /// Publishes a confirmed order. A message that is not accepted is set aside and tried three
    /// times more; the messages of other orders do not wait for it. Then an operator looks at it.
    #[policy(
        Order::Confirmed,
        on_error = retry(times = 3, backoff = "10ms..50ms", then = set_aside)
    )]
    fn publish(
        &self,
        event: &DomainEvent<OrderConfirmed>,
        _: &mut ProcessingEvent,
    ) -> Result<(), NotPublished> {
        let message = format!("{} is confirmed", event.originator_id);
        self.broker.publish(event.notification_id, &message)
    }
}
