//! Connecting to the first host that answers, within a limit. The one that answered last is tried
//! first.
//!
//! The limit includes name resolution, TCP, TLS, authentication and the first statements. The
//! remaining time is divided evenly among the remaining hosts, and among the addresses of a host,
//! so that a silent one leaves time for the next.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{Config, Error, SimpleQueryMessage};

use super::Client;
use super::answered::LastAnswered;
use super::event_loop::EventLoop;
use super::limit::{Deadline, Limit};
use super::resolve::addresses;
use super::socket::{Socket, Stream};

/// The reason why a connection could not be opened.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The server cannot be reached, or it does not allow writing.
    Unreachable { server: String, error: io::Error },
    /// The server refused the connection, or did not answer.
    Driver(Error),
    /// The server has no TLS, which is required.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "only TLS is required")
    )]
    LacksTls(Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { server, error } => write!(f, "{server}: {error}"),
            Self::Driver(error) | Self::LacksTls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable { error, .. } => Some(error),
            Self::Driver(error) | Self::LacksTls(error) => error.source(),
        }
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

/// Connects to the first host that answers and has the required session attributes. `open` connects
/// to one address, with or without TLS, by [`Target::connect`]; `begin` executes the first
/// statements.
pub(crate) fn connect(
    config: &Config,
    limit: Option<Limit>,
    answered: &LastAnswered,
    open: impl Fn(&Target<'_>) -> Result<Client, ConnectError>,
    begin: impl Fn(&mut Client) -> Result<(), Error>,
) -> Result<Client, ConnectError> {
    let deadline = limit.and_then(Limit::deadline);
    let (hosts, ports) = (config.get_hosts(), config.get_ports());
    let mut failed = None;
    for (tried, index) in answered.hosts(hosts.len()).into_iter().enumerate() {
        let host = &hosts[index];
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let deadline = deadline.map(|whole| whole.share(hosts.len() - tried));
        match to_host(config, (host, port), deadline, answered, &open, &begin) {
            Ok((client, address)) => {
                answered.remember(index, address);
                return Ok(client);
            }
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| unreachable("no host", io::ErrorKind::InvalidInput.into())))
}

fn to_host(
    config: &Config,
    (host, port): (&Host, u16),
    deadline: Option<Deadline>,
    answered: &LastAnswered,
    open: &impl Fn(&Target<'_>) -> Result<Client, ConnectError>,
    begin: &impl Fn(&mut Client) -> Result<(), Error>,
) -> Result<(Client, Option<SocketAddr>), ConnectError> {
    let addresses = match host {
        Host::Tcp(name) => {
            let mut addresses =
                addresses(name, port, deadline).map_err(|error| unreachable(name, error))?;
            answered.sort(&mut addresses);
            addresses.into_iter().map(Address::Tcp).collect()
        }
        #[cfg(unix)]
        Host::Unix(folder) => vec![Address::Path(folder.join(format!(".s.PGSQL.{port}")))],
    };
    let mut failed = None;
    let count = addresses.len();
    for (index, address) in addresses.into_iter().enumerate() {
        let target = Target {
            config,
            host,
            address,
            deadline: deadline.map(|whole| whole.share(count - index)),
        };
        match open(&target).and_then(|client| target.begin(client, begin)) {
            Ok(client) => return Ok((client, target.address.by_tcp())),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| unreachable("no address", io::ErrorKind::NotFound.into())))
}

fn unreachable(server: &str, error: io::Error) -> ConnectError {
    ConnectError::Unreachable {
        server: server.to_owned(),
        error,
    }
}

/// One address of one host.
pub(crate) struct Target<'a> {
    config: &'a Config,
    host: &'a Host,
    address: Address,
    deadline: Option<Deadline>,
}

enum Address {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Path(PathBuf),
}

impl Address {
    fn by_tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            #[cfg(unix)]
            Self::Path(_) => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            #[cfg(unix)]
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl Target<'_> {
    /// Returns the host's name, which its certificate must contain; `None` for a Unix socket.
    pub(crate) fn host_name(&self) -> Option<&str> {
        match self.host {
            Host::Tcp(name) => Some(name),
            #[cfg(unix)]
            Host::Unix(_) => None,
        }
    }

    /// Connects and authenticates.
    pub(crate) fn connect<T>(&self, mode: SslMode, tls: T) -> Result<Client, ConnectError>
    where
        T: TlsConnect<Stream>,
        T::Stream: Send + 'static,
    {
        let socket = match &self.address {
            Address::Tcp(address) => Socket::by_tcp(*address, self.config, self.deadline),
            #[cfg(unix)]
            Address::Path(path) => Socket::by_path(path, self.deadline),
        };
        let socket = socket.map_err(|error| self.unreachable(error))?;
        let mut events = EventLoop::new(socket, self.deadline);
        let mut config = self.config.clone();
        config.ssl_mode(mode);
        let (requests, connection) = events.run(config.connect_raw(events.stream(), tls))?;
        events.attach(connection);
        Ok(Client { requests, events })
    }

    /// Executes the first statements, and then removes the limit for connecting.
    fn begin(
        &self,
        mut client: Client,
        begin: &impl Fn(&mut Client) -> Result<(), Error>,
    ) -> Result<Client, ConnectError> {
        if self.config.get_target_session_attrs() == TargetSessionAttrs::ReadWrite
            && client.is_read_only()?
        {
            let problem = "the server does not allow writing";
            let error = io::Error::new(io::ErrorKind::PermissionDenied, problem);
            return Err(self.unreachable(error));
        }
        begin(&mut client)?;
        client.events.until = None;
        Ok(client)
    }

    fn unreachable(&self, error: io::Error) -> ConnectError {
        let address = self.address.to_string();
        match self.host_name() {
            Some(name) if !address.contains(name) => {
                unreachable(&format!("{name} ({address})"), error)
            }
            _ => unreachable(&address, error),
        }
    }
}

impl Client {
    fn is_read_only(&mut self) -> Result<bool, Error> {
        let show = self.requests.simple_query("SHOW transaction_read_only");
        let is_on = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0) == Some("on"),
            _ => false,
        };
        Ok(self.events.run(show)?.iter().any(is_on))
    }
}
