//! A proxy between an application and the server, which loses a connection at a chosen moment.
//!
//! A thread forwards the requests of a connection, and another one the answers.

mod wire;

use std::io::{self, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use es_store::Env;
use tempfile::TempDir;

use self::wire::{END, Server, code, message, request};

/// The point at which the request that commits, or its answer, is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// The request does not reach the server.
    Unsent,
    /// The end of the request does not reach the server, which has done the work but is not told to
    /// commit.
    Unfinished,
    /// The request reaches the server, and its client is gone.
    Sent,
    /// The server has answered, and the answer is lost.
    Unheard,
    /// The request reaches the server. Neither an answer nor another request gets through, but the
    /// connection stays.
    Silent,
}

pub(super) const POINTS: [Point; 4] = [
    Point::Unsent,
    Point::Unfinished,
    Point::Sent,
    Point::Unheard,
];

/// The ends of a connection that are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Both,
    /// The server does not notice.
    Client,
}

/// The work of another writer, after the server was cut off and before its client notices.
type Meanwhile = Box<dyn FnOnce() + Send>;

struct Trap {
    marker: Vec<u8>,
    point: Point,
    meanwhile: Meanwhile,
}

/// A proxy to a server, which listens on a socket in a folder of its own.
pub(super) struct Proxy {
    folder: TempDir,
    shared: Arc<Shared>,
    env: Env,
}

#[derive(Default)]
struct Shared {
    trap: Mutex<Option<Trap>>,
    links: Mutex<Vec<Arc<Link>>>,
    refuses: AtomicBool,
    /// True if new connections are silent from the start.
    silences: AtomicBool,
    is_over: AtomicBool,
    /// The codes of the errors that the server has sent.
    errors: Mutex<Vec<String>>,
}

impl Proxy {
    /// Starts a proxy to the server that these settings name.
    pub(super) fn start(env: &Env) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join(".s.PGSQL.5432");
        let listener = UnixListener::bind(socket).expect("a socket");
        let shared = Arc::new(Shared::default());
        let proxy = Self {
            folder,
            shared: shared.clone(),
            env: env.clone(),
        };
        let env = env.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                if !shared.refuses.load(Ordering::SeqCst)
                    && let Ok(server) = Server::connect(&env)
                {
                    shared.link(client, server);
                }
            }
        });
        proxy
    }

    /// Returns the settings with which an application connects to this proxy.
    pub(super) fn env(&self) -> Env {
        let folder = self.folder.path().to_str().expect("a path");
        let env = self.env.clone().with("POSTGRES_HOST", folder);
        env.with("POSTGRES_PORT", "5432")
    }

    /// Loses the connection of the next request that contains `marker`.
    pub(super) fn trap(
        &self,
        marker: &str,
        point: Point,
        meanwhile: impl FnOnce() + Send + 'static,
    ) {
        *lock(&self.shared.trap) = Some(Trap {
            marker: marker.as_bytes().to_vec(),
            point,
            meanwhile: Box::new(meanwhile),
        });
    }

    /// Returns true if the connection of a trapped request was lost.
    pub(super) fn has_sprung(&self) -> bool {
        lock(&self.shared.trap).is_none()
    }

    /// Cuts all open connections.
    pub(super) fn cut(&self, ends: Ends) {
        for link in lock(&self.shared.links).iter() {
            link.keeps_server
                .store(ends == Ends::Client, Ordering::SeqCst);
            link.cut();
        }
    }

    /// Refuses new connections from now on, or accepts them again.
    pub(super) fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Stops forwarding on the open connections, which stay open.
    pub(super) fn silence(&self) {
        for link in lock(&self.shared.links).iter() {
            link.is_silent.store(true, Ordering::SeqCst);
        }
    }

    /// Stops forwarding on new connections too.
    pub(super) fn silence_new(&self) {
        self.shared.silences.store(true, Ordering::SeqCst);
    }

    /// Returns the codes of the errors that the server has sent.
    pub(super) fn errors(&self) -> Vec<String> {
        lock(&self.shared.errors).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.cut(Ends::Both);
        // This wakes the thread that accepts connections.
        let _woken = UnixStream::connect(self.folder.path().join(".s.PGSQL.5432"));
    }
}

impl Shared {
    fn link(self: &Arc<Self>, client: UnixStream, server: Server) {
        let link = Arc::new(Link {
            client,
            server,
            keeps_server: AtomicBool::new(false),
            is_silent: AtomicBool::new(self.silences.load(Ordering::SeqCst)),
            is_deaf: AtomicBool::new(false),
            unheard: Mutex::default(),
            cutting: Mutex::default(),
        });
        lock(&self.links).push(link.clone());
        let (requests, answers) = (Cutting(link.clone()), Cutting(link));
        let (shared, other) = (self.clone(), self.clone());
        // The connection has ended either way, and both of its ends are told.
        thread::spawn(move || drop(requests.0.forward_requests(&shared)));
        thread::spawn(move || drop(answers.0.forward_answers(&other)));
    }

    /// Removes and returns the trap, if it is set for this request.
    fn springs(&self, request: &[u8]) -> Option<Trap> {
        let has = |trap: &mut Trap| {
            request
                .windows(trap.marker.len())
                .any(|part| part == trap.marker)
        };
        lock(&self.trap).take_if(has)
    }
}

/// A connection of a client, and its connection to the server.
struct Link {
    client: UnixStream,
    server: Server,
    /// True if the server is not told that the connection has ended.
    keeps_server: AtomicBool,
    /// True if nothing gets through.
    is_silent: AtomicBool,
    /// True if no answer gets through any more.
    is_deaf: AtomicBool,
    /// The work that replaces forwarding the next answer.
    unheard: Mutex<Option<Meanwhile>>,
    /// A mutex that is held while one end is cut, so that the other is not cut too early.
    cutting: Mutex<()>,
}

/// A guard that cuts a connection when its forwarding thread ends, also by a panic. The ends of a
/// silent connection are not told.
struct Cutting(Arc<Link>);

impl Drop for Cutting {
    fn drop(&mut self) {
        if !self.0.is_silent.load(Ordering::SeqCst) {
            self.0.cut();
        }
    }
}

impl Link {
    fn forward_requests(&self, shared: &Shared) -> io::Result<()> {
        let mut from = BufReader::new(&self.client);
        let mut to = self.server.writer();
        let first = message(&mut from, true)?;
        if !self.is_silent.load(Ordering::SeqCst) {
            to.write_all(&first)?;
        }
        loop {
            let request = request(&mut from)?;
            if self.is_silent.load(Ordering::SeqCst) {
                continue;
            }
            let Some(Trap {
                point, meanwhile, ..
            }) = shared.springs(&request)
            else {
                to.write_all(&request)?;
                continue;
            };
            match point {
                Point::Unsent => self.cut_after(meanwhile),
                Point::Unfinished => {
                    to.write_all(&request[..request.len() - END])?;
                    self.cut_after(meanwhile);
                }
                Point::Sent => {
                    // The server may answer before it is cut off.
                    self.is_deaf.store(true, Ordering::SeqCst);
                    to.write_all(&request)?;
                    self.cut_after(meanwhile);
                }
                Point::Unheard => {
                    *lock(&self.unheard) = Some(meanwhile);
                    to.write_all(&request)?;
                }
                Point::Silent => {
                    self.is_silent.store(true, Ordering::SeqCst);
                    to.write_all(&request)?;
                    meanwhile();
                }
            }
        }
    }

    fn forward_answers(&self, shared: &Shared) -> io::Result<()> {
        let mut from = BufReader::new(self.server.reader());
        loop {
            let message = message(&mut from, false)?;
            let kind = message[0];
            if kind == b'E' {
                lock(&shared.errors).push(code(&message));
            }
            if self.is_silent.load(Ordering::SeqCst) || self.is_deaf.load(Ordering::SeqCst) {
                continue;
            }
            let mut unheard = lock(&self.unheard);
            match unheard.is_some() {
                // The server is ready for another request, so its answer is complete.
                true if kind == b'Z' => unheard
                    .take()
                    .into_iter()
                    .for_each(|then| self.cut_after(then)),
                true => {}
                false => (&self.client).write_all(&message)?,
            }
        }
    }

    fn cut_after(&self, meanwhile: Meanwhile) {
        let _cutting = lock(&self.cutting);
        self.server.cut();
        meanwhile();
        let _gone = self.client.shutdown(Shutdown::Both);
    }

    fn cut(&self) {
        let _cutting = lock(&self.cutting);
        if !self.keeps_server.load(Ordering::SeqCst) {
            self.server.cut();
        }
        let _gone = self.client.shutdown(Shutdown::Both);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
