//! Enums, tuples and units as states.

#![allow(clippy::new_without_default, reason = "it is written so on purpose")]

use es_system::prelude::*;

#[aggregate]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Order {
    Open { items: Vec<String> },
    Shipped(u32),
    Lost,
}

#[aggregate]
impl Order {
    #[event(Opened)]
    pub fn open() -> Self {
        Self::Open { items: Vec::new() }
    }

    #[event(ItemAdded)]
    pub fn add(&mut self, item: &str) {
        if let Self::Open { items } = self {
            items.push(item.to_owned());
        }
    }

    #[event(Shipped)]
    pub fn ship(&mut self, parcel: u32) {
        *self = Self::Shipped(parcel);
    }

    #[event(Lost)]
    pub fn lose(&mut self) {
        *self = Self::Lost;
    }
}

#[aggregate]
#[derive(Debug)]
pub struct Counter(u64);

#[aggregate]
impl Counter {
    #[event(Created)]
    pub fn new() -> Self {
        Self(0)
    }

    #[event(Incremented)]
    pub fn increment(&mut self, by: u64) {
        self.0 += by;
    }
}

#[aggregate]
pub struct Flag;

#[aggregate]
impl Flag {
    #[event(Raised)]
    pub fn raise() -> Self {
        Self
    }
}

#[test]
fn main() {
    let mut order = Order::open();
    order.add("bone");
    order.ship(7);
    assert_eq!(*order, OrderState::Shipped(7));
    order.lose();
    assert_eq!(*order, OrderState::Lost);

    let mut counter = Counter::new();
    counter.increment(2);
    assert_eq!(counter.0, 2);
    assert_eq!(Flag::raise().version(), 1);
}
