//! Counts what was ordered, charged, reserved and published.

use es_system::prelude::*;
use shop::order_board::OrderBoard;
use shop::orders::{Order, Progress};
use shop::outside::EXPIRED;
use shop::stock::{Item, Stock};

use super::{RECEIVED, Shop};

/// The orders of a shop as they have ended, and the shop.
pub(super) struct Books<'a> {
    shop: &'a Shop<'a>,
    orders: Vec<(Uuid, Order)>,
}

impl<'a> Books<'a> {
    pub(super) fn new(shop: &'a Shop<'a>, placed: &[Uuid]) -> Result<Self> {
        let order = |id: &Uuid| Ok((*id, shop.orders.repository().get(*id)?));
        let orders = placed.iter().map(order).collect::<Result<_>>()?;
        Ok(Self { shop, orders })
    }

    fn confirmed(&self) -> impl Iterator<Item = &(Uuid, Order)> {
        let orders = self.orders.iter();
        orders.filter(|(_, order)| order.progress == Progress::Confirmed)
    }

    /// Each order is confirmed or rejected, and those without a payment are rejected.
    pub(super) fn check_outcomes(&self) {
        for (id, order) in &self.orders {
            let can_pay = order.customer != EXPIRED;
            match &order.progress {
                Progress::Confirmed => assert!(can_pay, "{id}"),
                Progress::Rejected(_) => assert!(!can_pay || order.sku == "lamp", "{id}"),
                other => panic!("{id} has not ended: {other}"),
            }
        }
    }

    /// The gateway has charged the price of each confirmed order once, and nothing else.
    pub(super) fn check_money(&self) {
        let mut charges = self.shop.gateway.charges.entries().expect("a file");
        let prices = self.confirmed();
        let prices = prices.map(|(id, order)| (id.to_string(), order.price.to_string()));
        let mut prices: Vec<_> = prices.collect();
        charges.sort();
        prices.sort();
        assert_eq!(charges, prices);
    }

    /// The broker has published each confirmed order once, and nothing else.
    pub(super) fn check_messages(&self) {
        let messages = self.shop.broker.messages.entries().expect("a file");
        let mut messages: Vec<_> = messages.into_iter().map(|(_, text)| text).collect();
        let expected = self.confirmed().map(|(id, _)| format!("{id} is confirmed"));
        let mut expected: Vec<_> = expected.collect();
        messages.sort();
        expected.sort();
        assert_eq!(messages, expected);
    }

    /// Exactly the items of confirmed orders are reserved, and none are lost.
    pub(super) fn check_stock(&self) -> Result<()> {
        let stock = Stock::new(self.shop.env.clone())?;
        for (sku, received) in RECEIVED {
            let item: Item = stock.repository().get(Item::id_of(sku))?;
            let sold = self.confirmed().filter(|(_, order)| order.sku == sku);
            let sold: u64 = sold.map(|(_, order)| u64::from(order.quantity)).sum();
            assert_eq!(item.reserved, sold, "{sku}");
            assert_eq!(item.available + item.reserved, u64::from(received), "{sku}");
        }
        Ok(())
    }

    /// The board has each order as it has ended.
    pub(super) fn check_board(&self) -> Result<()> {
        let board = OrderBoard::new(self.shop.env.clone())?
            .entries()?
            .into_iter();
        let board: Vec<_> = board.map(|entry| (entry.order, entry.progress)).collect();
        let orders = self.orders.iter();
        let orders = orders.map(|(id, order)| (id.to_string(), order.progress.to_string()));
        assert_eq!(board, orders.collect::<Vec<_>>());
        Ok(())
    }
}
