//! The loop that a thread turns while it waits for an answer.
//!
//! Concurrency: a client is borrowed mutably by whoever makes a request, so one thread at a time is
//! in here. It polls the connection, which writes requests and hands out answers, and the request,
//! which waits for its answers; they talk by channels within the process. Whatever one does for the
//! other wakes the flag, and both are polled again; if nothing has, only the socket can bring
//! something new, and is waited for. Another thread can wake the flag too, by dropping a prepared
//! statement, but nothing that this thread waits for depends on it: the server is told at the next
//! turn. An answer is never lost: what arrives between polling and waiting makes the socket
//! readable, and waiting ends at once.

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

pub(super) struct EventLoop {
    socket: Arc<Socket>,
    /// There is none before the server has let us in, and none after it was lost.
    connection: Option<Box<dyn Messages>>,
    notifications: VecDeque<Notification>,
    flag: Arc<Flag>,
    waker: Waker,
    /// The time that a request may take.
    pub(super) limit: Option<Limit>,
    /// The end of what has a limit as a whole: while connecting, of all that belongs to it.
    pub(super) until: Option<Deadline>,
}

/// The outcome of a wait for a notification.
pub(super) enum Received {
    Notification(Notification),
    Nothing,
    Closed,
}

impl EventLoop {
    pub(super) fn new(socket: Socket, until: Option<Deadline>) -> Self {
        let flag = Arc::new(Flag::default());
        Self {
            socket: Arc::new(socket),
            connection: None,
            notifications: VecDeque::new(),
            waker: flag.clone().into(),
            flag,
            limit: None,
            until,
        }
    }

    /// The socket, for the driver.
    pub(super) fn stream(&self) -> Stream {
        Stream::new(&self.socket)
    }

    /// The connection that the driver has made of the socket.
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
        let deadline = self
            .until
            .or_else(|| self.limit.and_then(|limit| limit.deadline()));
        self.socket.read_again();
        let (mut request, waker) = (pin!(request), self.waker.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            let ended = self.turn(&mut context);
            match (request.as_mut().poll(&mut context), ended) {
                (Poll::Ready(Err(error)), Some(ended)) => return Err(telling(error, ended)),
                (Poll::Ready(done), _) => return done,
                (Poll::Pending, Some(ended)) => return Err(ended),
                (Poll::Pending, None) if self.flag.is_up() => {}
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
            if !self.flag.is_up() && !self.socket.wait(until) {
                return Ok(Received::Nothing);
            }
        }
    }

    /// Polls the connection for as long as it has something to say; returns its error if it is
    /// lost.
    fn turn(&mut self, context: &mut Context<'_>) -> Option<Error> {
        self.flag.take_down();
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

    /// Ends the connection. All that waits for an answer learns that there will be none.
    pub(super) fn close(&mut self) {
        self.connection = None;
        self.socket.close();
    }

    /// Waits for the socket. If that takes too long, the next turn finds that it cannot be read any
    /// more.
    fn wait(&self, deadline: Option<Deadline>) {
        let is_over = !self.socket.wait(deadline.map(|deadline| deadline.at));
        if let Some(deadline) = deadline.filter(|_| is_over) {
            self.socket.exceed(deadline);
        }
    }
}

impl Drop for EventLoop {
    /// Tells the server that nobody will ask any more, as far as that can be told at once.
    fn drop(&mut self) {
        let _ended = self.turn(&mut Context::from_waker(Waker::noop()));
    }
}

/// Of two errors for one request, the one in which the server says why.
fn telling(of_request: Error, of_connection: Error) -> Error {
    match of_connection.as_db_error() {
        None if of_request.as_db_error().is_some() => of_request,
        _ => of_connection,
    }
}

/// A connection, encrypted or not.
trait Messages: Send {
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<AsyncMessage, Error>>>;
}

impl<S, T> Messages for Connection<S, T>
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

/// Goes up when the request or the connection can go on.
#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    fn is_up(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    fn take_down(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
