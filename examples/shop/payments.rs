//! Payments: customers are charged by a gateway, which may not answer.

use std::sync::Arc;

use es_system::prelude::*;

use crate::orders::{Order, OrderReserved};

/// A service that charges customers.
pub trait Gateway: Send + Sync {
    /// Charges a customer with an amount in cents. Of all calls with the same key, one charge is
    /// made, so a call may be repeated.
    ///
    /// # Errors
    /// Fails if the customer cannot be charged, or if the gateway does not work at the moment.
    fn charge(&self, key: &str, customer: &str, amount: u64) -> Result<(), ChargeError>;
}

/// The reason why a customer was not charged.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// The customer cannot be charged, now or later.
    #[error("{0}")]
    Declined(String),
    /// The gateway does not work at the moment.
    #[error("the gateway answers: {0}")]
    Unavailable(String),
}

/// The time until a gateway that does not work is called again.
const PAUSE: Duration = Duration::from_millis(20);

/// The payment of an order.
#[aggregate]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payment {
    /// The amount that was charged, in cents.
    pub charged: u64,
}

#[aggregate]
impl Payment {
    #[id]
    pub fn id_of(order: AggregateId) -> Uuid {
        let path = format!("/payments/{order}");
        Uuid::new_v5(&Uuid::NAMESPACE_URL, path.as_bytes())
    }

    #[event(Charged)]
    fn charge(order: AggregateId, amount: u64) -> Self {
        Self { charged: amount }
    }

    #[event(Declined)]
    fn decline(order: AggregateId, reason: String) -> Self {
        Self { charged: 0 }
    }
}

#[process_application(aggregates(Payment))]
pub struct Payments {
    gateway: Arc<dyn Gateway>,
}

#[process_application]
impl Payments {
    /// Charges the customer. The process may be killed after the call of the gateway and before the
    /// payment is recorded. The policy then runs again, with the same key.
    #[policy(Order::Reserved)]
    fn charge(
        &self,
        event: &DomainEvent<OrderReserved>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let order = event.originator_id.clone();
        let key = order.to_string();
        let mut payment = match self.gateway.charge(&key, &event.customer, event.price) {
            Ok(()) => Payment::charge(order, event.price),
            Err(ChargeError::Declined(reason)) => Payment::decline(order, reason),
            Err(unavailable) => return Err(RetryLater::after(PAUSE, unavailable).into()),
        };
        processing_event.collect_events(&mut payment);
        Ok(())
    }
}
