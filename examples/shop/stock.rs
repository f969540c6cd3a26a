//! The stock: how many items there are, and which orders they are reserved for.

use es_system::prelude::*;

use crate::orders::{Order, OrderPlaced, OrderRejected};

/// The reason why items are not reserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shortage {
    #[error("nothing is ordered")]
    Nothing,
    #[error("there is no such item")]
    Unknown,
    #[error("only {0} are left")]
    Left(u64),
}

#[aggregate]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// The price of one, in cents.
    pub price: u32,
    pub available: u64,
    /// The number that is reserved for orders.
    pub reserved: u64,
}

#[aggregate]
impl Item {
    #[id]
    pub fn id_of(sku: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/items/{sku}").as_bytes())
    }

    #[event(Listed)]
    fn list(sku: &str, price: u32) -> Self {
        Self {
            price,
            available: 0,
            reserved: 0,
        }
    }

    #[event(Received)]
    fn receive(&mut self, quantity: u32) {
        self.available += u64::from(quantity);
    }

    #[event(Reserved)]
    fn hold(&mut self, quantity: u32) {
        self.available -= u64::from(quantity);
        self.reserved += u64::from(quantity);
    }

    #[event(Released)]
    fn release(&mut self, quantity: u32) {
        self.reserved -= u64::from(quantity);
        self.available += u64::from(quantity);
    }

    /// Reserves items, and returns their price in cents.
    fn reserve(&mut self, quantity: u32) -> Result<u64, Shortage> {
        if quantity == 0 {
            return Err(Shortage::Nothing);
        }
        if u64::from(quantity) > self.available {
            return Err(Shortage::Left(self.available));
        }
        self.hold(quantity);
        Ok(u64::from(quantity) * u64::from(self.price))
    }
}

/// The answer to an order. It remembers what is to be released when the order is rejected.
#[aggregate]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Reservation {
    Made { sku: String, quantity: u32 },
    Refused,
    Released,
}

#[aggregate]
impl Reservation {
    #[id]
    pub fn id_of(order: AggregateId) -> Uuid {
        let path = format!("/reservations/{order}");
        Uuid::new_v5(&Uuid::NAMESPACE_URL, path.as_bytes())
    }

    #[event(Made)]
    fn make(order: AggregateId, sku: String, quantity: u32, price: u64) -> Self {
        Self::Made { sku, quantity }
    }

    #[event(Refused)]
    fn refuse(order: AggregateId, reason: String) -> Self {
        Self::Refused
    }

    #[event(Released)]
    fn release(&mut self) {
        *self = Self::Released;
    }
}

#[process_application(aggregates(Item, Reservation))]
pub struct Stock;

#[process_application]
impl Stock {
    #[policy(Order::Placed)]
    fn reserve(
        &self,
        event: &DomainEvent<OrderPlaced>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let order = event.originator_id.clone();
        let (sku, quantity) = (event.sku.clone(), event.quantity);
        match self.reserved(&sku, quantity)? {
            Ok((mut item, price)) => {
                let mut reservation = Reservation::make(order, sku, quantity, price);
                processing_event.collect_events((&mut item, &mut reservation));
            }
            Err(shortage) => {
                let mut refusal = Reservation::refuse(order, shortage.to_string());
                processing_event.collect_events(&mut refusal);
            }
        }
        Ok(())
    }

    /// Returns the item after the reservation, and the price, or the reason for a refusal.
    fn reserved(&self, sku: &str, quantity: u32) -> Result<Result<(Item, u64), Shortage>> {
        let Some(mut item) = self.repository().find::<Item>(Item::id_of(sku))? else {
            return Ok(Err(Shortage::Unknown));
        };
        let price = item.reserve(quantity);
        Ok(price.map(|price| (item, price)))
    }

    /// Compensates for a reservation whose order is rejected. Nothing is reserved for an order that
    /// was rejected because of a shortage.
    #[policy(Order::Rejected)]
    fn release(
        &self,
        event: &DomainEvent<OrderRejected>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let id = Reservation::id_of(event.originator_id.clone());
        let mut reservation: Reservation = self.repository().get(id)?;
        if let ReservationState::Made { sku, quantity } = &*reservation {
            let mut item: Item = self.repository().get(Item::id_of(sku))?;
            item.release(*quantity);
            reservation.release();
            processing_event.collect_events((&mut item, &mut reservation));
        }
        Ok(())
    }

    /// Receives items, which may be the first of their kind, and returns the number of those that
    /// are available. `price` is that of one item in cents, and counts for a new kind.
    pub fn receive(&self, sku: &str, price: u32, quantity: u32) -> Result<u64> {
        self.retry(|| {
            let known = self.repository().find(Item::id_of(sku))?;
            let mut item = known.unwrap_or_else(|| Item::list(sku, price));
            item.receive(quantity);
            self.save(&mut item)?;
            Ok(item.available)
        })
    }
}
