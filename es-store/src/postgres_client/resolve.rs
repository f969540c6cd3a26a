//! Resolution of a host's addresses.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;

use super::limit::Deadline;

/// Resolves a host. The system's resolver has no timeout, so a thread of its own resolves a name.
/// After the deadline that thread is left to end by itself.
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
    if found.is_empty() {
        let problem = "the name has no address";
        return Err(io::Error::new(io::ErrorKind::NotFound, problem));
    }
    Ok(found)
}

fn within<T: Send + 'static>(
    deadline: Deadline,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("es-postgres-resolve".to_owned())
        .spawn(move || {
            // After the deadline the receiver is gone.
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
