//! Policies and commands by themselves, on the store in memory.

use std::sync::Arc;
use std::thread;

use es_system::prelude::*;
use es_system::testing::policies_of;
use shop::orders::{Order, OrderPlaced, OrderRejected, OrderReserved, Orders};
use shop::payments::{ChargeError, Gateway, PaymentCharged, PaymentDeclined, Payments};
use shop::stock::{
    Item, ItemReleased, ItemReserved, ReservationMade, ReservationRefused, ReservationReleased,
    Stock,
};

const ORDER: Uuid = Uuid::from_u128(1);

/// A gateway that answers as its customers are called.
struct ByName;

impl Gateway for ByName {
    fn charge(&self, _: &str, customer: &str, _: u64) -> Result<(), ChargeError> {
        match customer {
            "declined" => Err(ChargeError::Declined("no money".to_owned())),
            "unavailable" => Err(ChargeError::Unavailable("503".to_owned())),
            _ => Ok(()),
        }
    }
}

fn placed(quantity: u32) -> [OrderPlaced; 1] {
    [OrderPlaced {
        key: "ann-1".to_owned(),
        customer: "Ann".to_owned(),
        sku: "mug".to_owned(),
        quantity,
    }]
}

fn reserved(customer: &str) -> [OrderReserved; 1] {
    let customer = customer.to_owned();
    [OrderReserved {
        customer,
        price: 500,
    }]
}

#[test]
fn one_key_is_one_order_however_many_requests_there_are() -> Result<()> {
    let orders = Orders::new(Env::new())?;
    thread::scope(|scope| {
        let request = || orders.place("ann-1", "Ann", "mug", 2);
        let requests: Vec<_> = (0..8).map(|_| scope.spawn(request)).collect();
        for request in requests {
            let placed = request.join().expect("no panic")?;
            assert_eq!(placed.order, Order::id_of("ann-1"));
            assert_eq!(placed.saved.positions, [1], "the event to wait for");
        }
        Ok::<_, Error>(())
    })?;
    assert_eq!(orders.notification_log().select(1, 10)?.len(), 1);
    Ok(())
}

#[test]
fn a_rejected_order_releases_what_was_reserved_for_it() -> Result<()> {
    let stock = Stock::new(Env::new())?;
    stock.receive("mug", 250, 3)?;
    let (order, sku) = (AggregateId::from(ORDER), "mug".to_owned());
    let (quantity, price) = (2, 500);
    let rejected = [OrderRejected {
        reason: "no money".to_owned(),
    }];
    policies_of(stock)
        .when(ORDER, placed(2))
        .then((
            ItemReserved { quantity },
            ReservationMade {
                order,
                sku,
                quantity,
                price,
            },
        ))
        .when(ORDER, rejected)
        .then((ItemReleased { quantity }, ReservationReleased {}))
        .and_the_application(|stock| {
            let item = stock.repository().get::<Item>(Item::id_of("mug"));
            assert!(item.is_ok_and(|item| (item.available, item.reserved) == (3, 0)));
        });
    Ok(())
}

#[test]
fn what_is_not_there_is_not_reserved_and_not_released() -> Result<()> {
    let stock = Stock::new(Env::new())?;
    stock.receive("mug", 250, 3)?;
    let mut stock = policies_of(stock);
    for (order, quantity, reason) in [(1, 4, "only 3 are left"), (2, 0, "nothing is ordered")] {
        let id = Uuid::from_u128(order);
        let (order, reason) = (AggregateId::from(id), reason.to_owned());
        let rejected = [OrderRejected {
            reason: reason.clone(),
        }];
        stock = stock
            .when(id, placed(quantity))
            .then([ReservationRefused { order, reason }])
            .when(id, rejected)
            .then_nothing();
    }
    Ok(())
}

#[test]
fn a_payment_is_charged_or_declined_or_waits_for_the_gateway() -> Result<()> {
    let (order, amount, reason) = (|| AggregateId::from(ORDER), 500, "no money".to_owned());
    let payments = || Payments::new(Env::new(), Arc::new(ByName));
    policies_of(payments()?)
        .when(ORDER, reserved("Ann"))
        .then([PaymentCharged {
            order: order(),
            amount,
        }]);
    policies_of(payments()?)
        .when(ORDER, reserved("declined"))
        .then([PaymentDeclined {
            order: order(),
            reason,
        }]);
    policies_of(payments()?)
        .when_it_fails(ORDER, reserved("unavailable"), |error| {
            assert!(
                error.to_string().contains("the gateway answers: 503"),
                "{error}"
            );
        })
        .then_nothing();
    Ok(())
}
