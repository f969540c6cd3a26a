//! A socket whose reads and writes never block.
//!
//! It remembers its readiness: a read or write that would block is not tried again before
//! [`wait`](Socket::wait) has found the socket ready. So a request takes four system calls: a read
//! in case bytes are there, send, poll, receive.

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

/// The maximum number of bytes of one read.
const READ: usize = 32 * 1024;

/// A connected socket, shared by the connection, which reads and writes it, and the event loop,
/// which waits for it. Both are used by one thread at a time, so relaxed ordering suffices for the
/// flags.
pub(super) struct Socket {
    raw: Raw,
    can_read: AtomicBool,
    can_write: AtomicBool,
    /// The reason why all further reads and writes fail.
    broken: OnceLock<Broken>,
}

#[derive(Debug, Clone, Copy)]
enum Broken {
    Exceeded(Deadline),
    PollFailed(Errno),
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

    /// Connects by a Unix socket. While the server's queue is full, this waits for as long as the
    /// timeout for writing.
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

    /// Waits until the socket is readable, or writable if a write would have blocked. Returns false
    /// if `until` is over first. After a failed poll, the next read or write fails.
    pub(super) fn wait(&self, until: Option<Instant>) -> bool {
        let events = if self.can_write.load(Ordering::Relaxed) {
            PollFlags::IN
        } else {
            PollFlags::IN | PollFlags::OUT
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
                    let _first = self.broken.set(Broken::PollFailed(error));
                    return true;
                }
            }
        }
        // The next read or write returns the error itself.
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

    /// Marks the socket as readable, so that the next read is tried. This finds the server's last
    /// message after it closed the connection, where a write would only fail.
    pub(super) fn read_again(&self) {
        self.can_read.store(true, Ordering::Relaxed);
    }

    /// Makes all further reads and writes fail with the error of an exceeded deadline.
    pub(super) fn exceed(&self, deadline: Deadline) {
        let _first = self.broken.set(Broken::Exceeded(deadline));
    }

    /// Closes the connection, so that the server learns that its client is gone.
    pub(super) fn close(&self) {
        let _closed = self.raw.shutdown(Shutdown::Both);
    }

    /// Reads or writes without blocking. It is not tried while the socket is known not to be ready.
    fn attempt(
        &self,
        is_ready: &AtomicBool,
        work: impl FnOnce(&Raw) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        match self.broken.get() {
            Some(Broken::Exceeded(deadline)) => return Poll::Ready(Err(deadline.exceeded())),
            Some(Broken::PollFailed(error)) => return Poll::Ready(Err((*error).into())),
            None => {}
        }
        if !is_ready.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        match work(&self.raw) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                is_ready.store(false, Ordering::Relaxed);
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }
}

/// Returns the error of connecting, which names the limit after a timeout.
fn in_time(error: io::Error, deadline: Option<Deadline>) -> io::Error {
    match (error.kind(), deadline) {
        (io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock, Some(deadline)) => {
            deadline.exceeded()
        }
        _ => error,
    }
}

/// The socket as the driver reads and writes it. It wakes no task: the [event
/// loop](super::event_loop) polls again whenever the socket is ready.
pub(crate) struct Stream {
    socket: Arc<Socket>,
    /// The buffer for reads. The driver's own buffer is not initialized, so bytes are copied there.
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
            // The socket has no more bytes for now. After the end of the stream reads continue, and
            // find the end again.
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
        // The socket may be closed already.
        let _closed = self.socket.raw.shutdown(Shutdown::Write);
        Poll::Ready(Ok(()))
    }
}
