//! The event loop that a thread runs while it waits for an answer.
//!
//! Concurrency: a request borrows the client mutably, so one thread at a time runs the loop. It
//! polls the connection, which writes requests and distributes answers, and the request, which
//! waits for its answers; the two communicate by channels within the process. When one makes
//! progress for the other, it sets the flag, and both are polled again. If the flag is not set,
//! only the socket can bring progress, and the thread waits for it. Another thread can also set the
//! flag, by dropping a prepared statement. This thread waits for nothing that depends on it: the
//! server is told in the next turn. No answer is lost: bytes that arrive between polling and
//! waiting make the socket readable, and the wait ends at once.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Connection, Error, Notification};

use super::limit::{Deadline, Limit};
use super::socket::{Socket, Stream};
use crate::sync::Flag;

pub(super) struct EventLoop {
    socket: Arc<Socket>,
    /// The driver's connection; `None` before authentication and after the connection was lost.
    connection: Option<Box<dyn MessageSource>>,
    notifications: VecDeque<Notification>,
    flag: Arc<Progress>,
    waker: Waker,
    /// The limit of one request.
    pub(super) limit: Option<Limit>,
    /// The common deadline of all requests while connecting; `None` afterwards.
    pub(super) until: Option<Deadline>,
    /// The flag that is raised while a request waits for its answer.
    pub(super) in_request: Flag,
}

/// The outcome of a wait for a notification.
pub(super) enum Received {
    Notification(Notification),
    Nothing,
    Closed,
}

impl EventLoop {
    pub(super) fn new(socket: Socket, until: Option<Deadline>) -> Self {
        let flag = Arc::new(Progress::default());
        Self {
            socket: Arc::new(socket),
            connection: None,
            notifications: VecDeque::new(),
            waker: flag.clone().into(),
            flag,
            limit: None,
            until,
            in_request: Flag::default(),
        }
    }

    /// Returns the socket for the driver.
    pub(super) fn stream(&self) -> Stream {
        Stream::new(&self.socket)
    }

    /// Attaches the connection that the driver has opened on the socket.
    pub(super) fn attach<T>(&mut self, connection: Connection<Stream, T>)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.connection = Some(Box::new(connection));
    }

    /// Waits for the answer to a request.
    pub(super) fn run<T>(
        &mut self,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let _raised = self.in_request.raise();
        let deadline = self
            .until
            .or_else(|| self.limit.and_then(|limit| limit.deadline()));
        self.socket.read_again();
        let (mut request, waker) = (pin!(request), self.waker.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            let ended = self.turn(&mut context);
            match (request.as_mut().poll(&mut context), ended) {
                (Poll::Ready(Err(error)), Some(ended)) => return Err(server_error(error, ended)),
                (Poll::Ready(done), _) => return done,
                (Poll::Pending, Some(ended)) => return Err(ended),
                (Poll::Pending, None) if self.flag.is_set() => {}
                (Poll::Pending, None) => self.wait(deadline),
            }
        }
    }

    /// Waits for a notification.
    pub(super) fn next_notification(&mut self, time: Duration) -> Result<Received, Error> {
        self.socket.read_again();
        let (until, waker) = (Instant::now().checked_add(time), self.waker.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            let ended = self.turn(&mut context);
            if let Some(notification) = self.notifications.pop_front() {
                return Ok(Received::Notification(notification));
            }
            if let Some(error) = ended {
                return Err(error);
            }
            if self.connection.is_none() {
                return Ok(Received::Closed);
            }
            if !self.flag.is_set() && !self.socket.wait(until) {
                return Ok(Received::Nothing);
            }
        }
    }

    /// Polls the connection until it is pending. Returns its error if it is lost.
    fn turn(&mut self, context: &mut Context<'_>) -> Option<Error> {
        self.flag.clear();
        loop {
            match self.connection.as_mut()?.poll_message(context) {
                Poll::Pending => return None,
                Poll::Ready(Some(Ok(AsyncMessage::Notification(notification)))) => {
                    self.notifications.push_back(notification);
                }
                Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => {
                    tracing::debug!(
                        "the server says: {}: {}",
                        notice.severity(),
                        notice.message()
                    );
                }
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(ended) => {
                    self.close();
                    return ended.and_then(Result::err);
                }
            }
        }
    }

    /// Closes the connection. All pending requests fail.
    pub(super) fn close(&mut self) {
        self.connection = None;
        self.socket.close();
    }

    /// Waits for the socket. After the deadline, the next read fails.
    fn wait(&self, deadline: Option<Deadline>) {
        let is_over = !self.socket.wait(deadline.map(|deadline| deadline.at));
        if let Some(deadline) = deadline.filter(|_| is_over) {
            self.socket.exceed(deadline);
        }
    }
}

impl Drop for EventLoop {
    /// Sends Terminate, if that does not block.
    fn drop(&mut self) {
        let _ended = self.turn(&mut Context::from_waker(Waker::noop()));
    }
}

/// Returns the error of the server, if one of the two errors of a request is.
fn server_error(of_request: Error, of_connection: Error) -> Error {
    match of_connection.as_db_error() {
        None if of_request.as_db_error().is_some() => of_request,
        _ => of_connection,
    }
}

/// A source of messages: a connection with or without TLS.
trait MessageSource: Send {
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<AsyncMessage, Error>>>;
}

impl<S, T> MessageSource for Connection<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<AsyncMessage, Error>>> {
        Connection::poll_message(self, context)
    }
}

/// A flag that is set when the request or the connection can make progress.
#[derive(Default)]
struct Progress(AtomicBool);

impl Progress {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Wake for Progress {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
