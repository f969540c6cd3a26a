//! A socket that is never waited for where it is read or written.
//!
//! It remembers what is known about it: reading or writing that would have to wait is not tried
//! again before [`wait`](Socket::wait) has found that it can go on. So a request takes four calls
//! of the system: a look whether anything has come before, send, poll, receive.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket as Raw, TcpKeepalive, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Config;

use super::limit::Deadline;

/// The number of bytes that are read at a time.
const READ: usize = 32 * 1024;

/// A connected socket, shared by the connection that reads and writes it and the loop that waits
/// for it. One thread at a time uses both, so the flags order nothing.
pub(super) struct Socket {
    raw: Raw,
    can_read: AtomicBool,
    can_write: AtomicBool,
    /// Why nothing is read or written any more.
    broken: OnceLock<Broken>,
}

#[derive(Debug, Clone, Copy)]
enum Broken {
    Exceeded(Deadline),
    Unwatched(Errno),
}

impl Socket {
    /// Connects by TCP.
    pub(super) fn by_tcp(
        address: SocketAddr,
        config: &Config,
        deadline: Option<Deadline>,
    ) -> io::Result<Self> {
        let raw = Raw::new(Domain::for_address(address), Type::STREAM, None)?;
        let to = SockAddr::from(address);
        let connected = match deadline {
            None => raw.connect(&to),
            Some(deadline) => raw.connect_timeout(&to, deadline.remaining()),
        };
        connected.map_err(|error| in_time(error, deadline))?;
        raw.set_tcp_nodelay(true)?;
        #[cfg(target_os = "linux")]
        raw.set_tcp_user_timeout(config.get_tcp_user_timeout().copied())?;
        if config.get_keepalives() {
            let mut keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
            if let Some(interval) = config.get_keepalives_interval() {
                keepalive = keepalive.with_interval(interval);
            }
            raw.set_tcp_keepalive(&keepalive)?;
        }
        Self::new(raw)
    }

    /// Connects by a Unix socket. If the server is too busy to accept, that waits as long as
    /// writing may.
    #[cfg(unix)]
    pub(super) fn by_path(path: &std::path::Path, deadline: Option<Deadline>) -> io::Result<Self> {
        let raw = Raw::new(Domain::UNIX, Type::STREAM, None)?;
        raw.set_write_timeout(deadline.map(|deadline| deadline.remaining()))?;
        raw.connect(&SockAddr::unix(path)?)
            .map_err(|error| in_time(error, deadline))?;
        Self::new(raw)
    }

    fn new(raw: Raw) -> io::Result<Self> {
        raw.set_nonblocking(true)?;
        Ok(Self {
            raw,
            can_read: AtomicBool::new(false),
            can_write: AtomicBool::new(true),
            broken: OnceLock::new(),
        })
    }

    /// Waits until it can be read, or written if that had to wait; false if the time is over first.
    /// If it cannot be waited for, the next attempt to read or write fails.
    pub(super) fn wait(&self, until: Option<Instant>) -> bool {
        let events = match self.can_write.load(Ordering::Relaxed) {
            true => PollFlags::IN,
            false => PollFlags::IN | PollFlags::OUT,
        };
        let mut polled = [PollFd::new(&self.raw, events)];
        loop {
            let remaining = until.map(|at| at.saturating_duration_since(Instant::now()));
            let timeout = remaining.and_then(|time| Timespec::try_from(time).ok());
            match poll(&mut polled, timeout.as_ref()) {
                Ok(0) => return false,
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(error) => {
                    let _first = self.broken.set(Broken::Unwatched(error));
                    return true;
                }
            }
        }
        // A failure is found out by reading or writing.
        let happened = polled[0].revents();
        let failed = happened.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
        if failed || happened.contains(PollFlags::IN) {
            self.can_read.store(true, Ordering::Relaxed);
        }
        if failed || happened.contains(PollFlags::OUT) {
            self.can_write.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Has the next attempt to read made, whatever is known. The server's last words are found so
    /// when it has closed the connection; writing alone would only fail.
    pub(super) fn read_again(&self) {
        self.can_read.store(true, Ordering::Relaxed);
    }

    /// From now on reading and writing fail, because the deadline has passed.
    pub(super) fn exceed(&self, deadline: Deadline) {
        let _first = self.broken.set(Broken::Exceeded(deadline));
    }

    /// Ends the connection, so that the server learns that nobody waits for an answer.
    pub(super) fn close(&self) {
        let _closed = self.raw.shutdown(Shutdown::Both);
    }

    /// Does what a socket can do at once, unless it is known to have to wait.
    fn attempt(
        &self,
        may: &AtomicBool,
        work: impl FnOnce(&Raw) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        match self.broken.get() {
            Some(Broken::Exceeded(deadline)) => return Poll::Ready(Err(deadline.exceeded())),
            Some(Broken::Unwatched(error)) => return Poll::Ready(Err((*error).into())),
            None => {}
        }
        if !may.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        match work(&self.raw) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                may.store(false, Ordering::Relaxed);
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }
}

/// The error of connecting, which names the limit if it took too long.
fn in_time(error: io::Error, deadline: Option<Deadline>) -> io::Error {
    match (error.kind(), deadline) {
        (io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock, Some(deadline)) => {
            deadline.exceeded()
        }
        _ => error,
    }
}

/// The socket as the driver reads and writes it. It wakes nobody: the [loop](super::event_loop)
/// polls again whenever the socket can go on.
pub(crate) struct Stream {
    socket: Arc<Socket>,
    /// Where bytes are read to before they go where the driver wants them, which is not
    /// initialized.
    read: Box<[u8]>,
}

impl Stream {
    pub(super) fn new(socket: &Arc<Socket>) -> Self {
        Self {
            socket: socket.clone(),
            read: vec![0; READ].into(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, read } = &mut *self;
        let size = read.len().min(buffer.remaining());
        let done = socket.attempt(&socket.can_read, |mut raw| raw.read(&mut read[..size]));
        done.map_ok(|count| {
            // There is no more for now. At the end of all, reading may go on, and find the end
            // again.
            if 0 < count && count < size {
                socket.can_read.store(false, Ordering::Relaxed);
            }
            buffer.put_slice(&read[..count]);
        })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = &self.socket;
        socket.attempt(&socket.can_write, |mut raw| raw.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // It may be closed already.
        let _closed = self.socket.raw.shutdown(Shutdown::Write);
        Poll::Ready(Ok(()))
    }
}
