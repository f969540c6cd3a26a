//! Orders. Each is a saga: its items are reserved, then the customer is charged, then it is
//! confirmed. If one of these steps is refused, it is rejected, and the stock releases the items.

use std::fmt;

use es_system::Saved;
use es_system::prelude::*;

use crate::payments::{Payment, PaymentCharged, PaymentDeclined};
use crate::stock::{Reservation, ReservationMade, ReservationRefused};

/// The progress of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// The items are not reserved yet.
    Placed,
    /// The items are reserved, and the customer is not charged yet.
    Reserved,
    Confirmed,
    /// The order is rejected, for this reason.
    Rejected(String),
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placed => f.write_str("placed"),
            Self::Reserved => f.write_str("reserved"),
            Self::Confirmed => f.write_str("confirmed"),
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
        }
    }
}

#[aggregate]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    pub customer: String,
    pub sku: String,
    pub quantity: u32,
    /// The price of all items in cents; 0 until they are reserved.
    pub price: u64,
    pub progress: Progress,
}

#[aggregate]
impl Order {
    #[id]
    pub fn id_of(key: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/orders/{key}").as_bytes())
    }

    #[event(Placed)]
    fn place(key: &str, customer: &str, sku: &str, quantity: u32) -> Self {
        Self {
            customer: customer.to_owned(),
            sku: sku.to_owned(),
            quantity,
            price: 0,
            progress: Progress::Placed,
        }
    }

    /// The items are reserved. The event has the customer, who is charged next.
    #[event(Reserved)]
    fn reserved(&mut self, customer: String, price: u64) {
        self.price = price;
        self.progress = Progress::Reserved;
    }

    #[event(Confirmed)]
    fn confirm(&mut self) {
        self.progress = Progress::Confirmed;
    }

    #[event(Rejected)]
    fn reject(&mut self, reason: &str) {
        self.progress = Progress::Rejected(reason.to_owned());
    }

    fn reserve(&mut self, price: u64) {
        let customer = self.customer.clone();
        self.reserved(customer, price);
    }
}

/// The answer to a client that has placed an order.
#[derive(Debug)]
pub struct Placed {
    pub order: Uuid,
    /// The events to wait for, before the order is looked up in a read model.
    pub saved: Saved,
}

#[process_application(aggregates(Order))]
pub struct Orders;

#[process_application]
impl Orders {
    #[policy(Reservation::Made)]
    fn reserve(
        &self,
        event: &DomainEvent<ReservationMade>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut order: Order = self.repository().get(&event.order)?;
        order.reserve(event.price);
        processing_event.collect_events(&mut order);
        Ok(())
    }

    #[policy(Reservation::Refused)]
    fn reject_without_items(
        &self,
        event: &DomainEvent<ReservationRefused>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        self.reject(&event.order, &event.reason, processing_event)
    }

    #[policy(Payment::Charged)]
    fn confirm(
        &self,
        event: &DomainEvent<PaymentCharged>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut order: Order = self.repository().get(&event.order)?;
        order.confirm();
        processing_event.collect_events(&mut order);
        Ok(())
    }

    #[policy(Payment::Declined)]
    fn reject_without_payment(
        &self,
        event: &DomainEvent<PaymentDeclined>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        self.reject(&event.order, &event.reason, processing_event)
    }

    fn reject(
        &self,
        order: &AggregateId,
        reason: &str,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut order: Order = self.repository().get(order)?;
        order.reject(reason);
        processing_event.collect_events(&mut order);
        Ok(())
    }

    /// Places an order. `key` is chosen by the client, once for each order. A client that got no
    /// answer, or an error, sends the same request again. If the order was placed before, it is
    /// returned as it is.
    pub fn place(&self, key: &str, customer: &str, sku: &str, quantity: u32) -> Result<Placed> {
        let order = Order::id_of(key);
        // Of two requests at the same time, one meets a conflict, runs again, and finds the order.
        let saved = self.retry(|| {
            if self.contains(order)? {
                return self.saved_so_far();
            }
            self.save(&mut Order::place(key, customer, sku, quantity))
        })?;
        Ok(Placed { order, saved })
    }
}
