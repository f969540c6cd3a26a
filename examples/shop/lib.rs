//! A shop, as a system of applications that follow each other. Each step of an order is taken
//! exactly once, though processes are killed and the services around the shop fail.
//!
//! ```text
//! Orders ◄──► Stock       reserves items for an order, and releases them if it is rejected
//!        ◄──► Payments    charges the customer, by a gateway that fails at times
//!         ──► Publisher   hands confirmed orders to a broker
//!         ──► OrderBoard  keeps a table of all orders
//! ```

pub mod order_board;
pub mod orders;
pub mod outside;
pub mod payments;
pub mod publisher;
pub mod stock;
pub mod story;

use std::path::Path;
use std::sync::Arc;

use es_system::prelude::*;

use crate::order_board::OrderBoard;
use crate::orders::Orders;
use crate::payments::{Gateway, Payments};
use crate::publisher::{Broker, Publisher};
use crate::stock::Stock;

/// A result whose error is printed and ends the program.
pub type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

/// Returns the system of the shop, which uses these services.
pub fn system(gateway: Arc<dyn Gateway>, broker: Arc<dyn Broker>) -> Result<System> {
    let payments = move |env| Payments::new(env, gateway.clone());
    let publisher = move |env| Publisher::new(env, broker.clone());
    System::new(pipes![
        [Orders, Stock, Orders],
        [Orders, Payments = payments, Orders],
        [Orders, Publisher = publisher],
        [Orders, OrderBoard],
    ])
}

/// Returns the same settings, with a SQLite file in `folder` for each application.
pub fn with_files(env: Env, folder: &Path) -> Env {
    let applications = ["Orders", "Stock", "Payments", "Publisher", "OrderBoard"];
    let sqlite = env.with("PERSISTENCE_MODULE", "sqlite");
    applications.iter().fold(sqlite, |env, name| {
        let file = folder.join(format!("{name}.sqlite"));
        let key = format!("{}_SQLITE_DBNAME", name.to_uppercase());
        env.with(key, file.to_string_lossy())
    })
}
