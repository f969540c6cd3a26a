//! The addresses of a host.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;

use super::limit::Deadline;

/// Looks up a host's addresses. The system knows no limit for that, so a name is looked up on a
/// thread of its own, which is left alone if it takes too long.
pub(super) fn addresses(
    host: &str,
    port: u16,
    deadline: Option<Deadline>,
) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_owned();
    let look_up = move || Ok((&*name, port).to_socket_addrs()?.collect::<Vec<_>>());
    let found = match deadline {
        None => look_up(),
        Some(deadline) => within(deadline, look_up),
    }?;
    match found.is_empty() {
        true => Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        )),
        false => Ok(found),
    }
}

fn within<T: Send + 'static>(
    deadline: Deadline,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("es-postgres-resolve".to_owned())
        .spawn(move || {
            // Nobody may wait for it any more.
            let _heard = sender.send(work());
        })?;
    receiver
        .recv_timeout(deadline.remaining())
        .unwrap_or_else(|_| Err(deadline.exceeded()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::postgres_client::Limit;

    fn deadline(time: Duration) -> Option<Deadline> {
        Limit { time, key: "KEY" }.deadline()
    }

    #[test]
    fn an_address_and_a_name_are_found() {
        let limit = deadline(Duration::from_secs(60));
        let found = addresses("127.0.0.1", 5432, limit).expect("an address");
        assert_eq!(found, [SocketAddr::from(([127, 0, 0, 1], 5432))]);
        for limit in [limit, None] {
            assert!(!addresses("localhost", 1, limit).expect("found").is_empty());
        }
    }

    #[test]
    fn what_takes_too_long_is_an_error() {
        let (_never, hears) = mpsc::channel::<()>();
        let work = move || hears.recv().map_err(io::Error::other);
        let limit = deadline(Duration::from_millis(10)).expect("a deadline");
        let error = within(limit, work).expect_err("it takes too long");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
