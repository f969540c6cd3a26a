//! The address that answered last.
//!
//! Of several addresses, one may accept connections and stay silent, as a frozen server does. Each
//! attempt waits for it up to a share of the limit. So the address that answered last is tried
//! first, and only if it fails are the others tried again in their order.

use std::net::SocketAddr;
use std::sync::Mutex;

use crate::sync::lock;

/// The host and the address of the connection that was opened last.
#[derive(Debug, Default)]
pub(crate) struct LastAnswered(Mutex<Option<(usize, Option<SocketAddr>)>>);

impl LastAnswered {
    /// Returns the indexes of `hosts` hosts, in the order in which they are tried.
    pub(super) fn hosts(&self, hosts: usize) -> Vec<usize> {
        let mut order: Vec<_> = (0..hosts).collect();
        if let Some((last, _)) = *lock(&self.0) {
            // A stable sort: the others keep their order.
            order.sort_by_key(|host| *host != last);
        }
        order
    }

    /// Sorts the addresses of a host by the order in which they are tried.
    pub(super) fn sort(&self, addresses: &mut [SocketAddr]) {
        if let Some((_, Some(last))) = *lock(&self.0) {
            addresses.sort_by_key(|address| *address != last);
        }
    }

    /// Remembers the address of a connection that was opened.
    pub(super) fn remember(&self, host: usize, address: Option<SocketAddr>) {
        *lock(&self.0) = Some((host, address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_answered_last_comes_first_and_the_others_keep_their_order() {
        let answered = LastAnswered::default();
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut addresses = [at(1), at(2), at(3)];
        answered.sort(&mut addresses);
        assert_eq!((answered.hosts(3), addresses[0]), (vec![0, 1, 2], at(1)));
        answered.remember(2, Some(at(3)));
        answered.sort(&mut addresses);
        assert_eq!(answered.hosts(3), [2, 0, 1]);
        assert_eq!(addresses, [at(3), at(1), at(2)]);
        answered.remember(7, None);
        assert_eq!(answered.hosts(3), [0, 1, 2]);
    }
}
