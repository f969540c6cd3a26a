//! The services around the shop. These stand in for a gateway and a broker on the network. They
//! keep what they have done in files, because they outlive the processes of the shop.

mod connection;
mod journal;

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use es_system::prelude::Uuid;

pub use self::connection::Connection;
pub use self::journal::Journal;
use crate::payments::{ChargeError, Gateway};
use crate::publisher::{Broker, NotPublished};

/// The customer whose card has expired.
pub const EXPIRED: &str = "Carl";

/// A gateway that keeps its charges in a file.
pub struct FileGateway {
    pub connection: Connection,
    /// The amounts, by their keys.
    pub charges: Journal,
    /// The time that a charge takes.
    pub latency: Duration,
}

impl FileGateway {
    /// Opens the gateway in `folder`.
    ///
    /// # Errors
    /// Fails if the file cannot be opened.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            connection: Connection::default(),
            charges: Journal::open(&folder.join("charges.txt"))?,
            latency: Duration::ZERO,
        })
    }
}

impl Gateway for FileGateway {
    fn charge(&self, key: &str, customer: &str, amount: u64) -> Result<(), ChargeError> {
        self.connection.call().map_err(ChargeError::Unavailable)?;
        if customer == EXPIRED {
            return Err(ChargeError::Declined("the card has expired".to_owned()));
        }
        std::thread::sleep(self.latency);
        let charged = self.charges.add(key, &amount.to_string());
        charged.map_err(|error| ChargeError::Unavailable(error.to_string()))
    }
}

/// A broker that keeps its messages in a file.
pub struct FileBroker {
    pub connection: Connection,
    /// The messages, by the positions of their events.
    pub messages: Journal,
    /// The order whose messages are not accepted.
    blocked: Mutex<Option<Uuid>>,
}

impl FileBroker {
    /// Opens the broker in `folder`.
    ///
    /// # Errors
    /// Fails if the file cannot be opened.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            connection: Connection::default(),
            messages: Journal::open(&folder.join("messages.txt"))?,
            blocked: Mutex::default(),
        })
    }

    /// Accepts no messages of this order from now on, or accepts all.
    pub fn block(&self, order: Option<Uuid>) {
        *self.blocked.lock().unwrap_or_else(PoisonError::into_inner) = order;
    }
}

impl Broker for FileBroker {
    fn publish(&self, position: u64, message: &str) -> Result<(), NotPublished> {
        self.connection.call().map_err(NotPublished)?;
        let blocked = *self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        if blocked.is_some_and(|order| message.contains(&order.to_string())) {
            return Err(NotPublished("422 Unprocessable Content".to_owned()));
        }
        let added = self.messages.add(&position.to_string(), message);
        added.map_err(|error| NotPublished(error.to_string()))
    }
}
