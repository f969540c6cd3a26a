//! The client against a server that a test controls.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_util::future::join;
use tempfile::TempDir;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};

use super::*;

const LONG: Duration = Duration::from_secs(60);

/// A server that authenticates its one client and then runs a test's script.
struct Server {
    folder: TempDir,
    thread: JoinHandle<()>,
}

impl Server {
    fn start(script: impl FnOnce(ServerSide) + Send + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).expect("a socket");
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            stream.set_read_timeout(Some(LONG)).expect("a limit");
            let mut server_side = ServerSide(stream);
            let length = server_side.length();
            server_side.take(length);
            // Authentication succeeds without a password, and the server is ready.
            server_side.send(b'R', &[0, 0, 0, 0]);
            server_side.send(b'Z', b"I");
            script(server_side);
        });
        Self { folder, thread }
    }

    fn connect(&self, limit: Option<Limit>) -> Client {
        let mut config = Config::new();
        config.host_path(self.folder.path()).user("rex");
        let open = |target: &Target<'_>| target.connect(SslMode::Disable, NoTls);
        let mut client =
            connect(&config, None, &LastAnswered::default(), open, |_| Ok(())).expect("a client");
        client.set_limit(limit);
        client
    }

    fn end(self) {
        self.thread.join().expect("the server played its part");
    }
}

struct ServerSide(UnixStream);

impl ServerSide {
    fn send(&mut self, kind: u8, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).expect("small");
        let mut message = vec![kind];
        message.extend(length.to_be_bytes());
        message.extend(body);
        self.0.write_all(&message).expect("the client is there");
    }

    fn fail(&mut self, severity: &str, code: &str) {
        let fields = format!("S{severity}\0V{severity}\0C{code}\0Mit is told to\0\0");
        self.send(b'E', fields.as_bytes());
    }

    fn done(&mut self) {
        self.send(b'C', b"SELECT 0\0");
        self.send(b'Z', b"I");
    }

    fn length(&mut self) -> usize {
        let length = self.take(4).try_into().expect("four bytes");
        u32::from_be_bytes(length) as usize - 4
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).expect("the client goes on");
        bytes
    }

    /// Receives a message. Returns the text of a simple query, or the kind of any other message.
    fn receive(&mut self) -> String {
        let kind = self.take(1)[0];
        let length = self.length();
        let body = self.take(length);
        match kind {
            b'Q' => String::from_utf8_lossy(&body)
                .trim_end_matches('\0')
                .to_owned(),
            kind => char::from(kind).to_string(),
        }
    }
}

fn limit(milliseconds: u64) -> Option<Limit> {
    Some(Limit {
        time: Duration::from_millis(milliseconds),
        key: "KEY",
    })
}

#[test]
fn several_statements_are_on_their_way_before_the_first_is_answered() {
    let server = Server::start(|mut server_side| {
        assert_eq!(
            [server_side.receive(), server_side.receive()],
            ["first", "second"]
        );
        server_side.done();
        server_side.done();
        assert_eq!(server_side.receive(), "X");
    });
    let mut client = server.connect(None);
    let both = client.run(async |requests| {
        let (first, second) = join(
            requests.batch_execute("first"),
            requests.batch_execute("second"),
        )
        .await;
        first.and(second)
    });
    both.expect("both are answered");
    drop(client);
    server.end();
}

#[test]
fn a_request_that_is_not_answered_in_time_closes_the_connection() {
    let server = Server::start(|mut server_side| {
        assert_eq!(server_side.receive(), "sleep");
        let mut rest = Vec::new();
        server_side.0.read_to_end(&mut rest).expect("the end");
        assert!(rest.is_empty());
    });
    let mut client = server.connect(limit(50));
    let since = Instant::now();
    let error = client.batch_execute("sleep").expect_err("no answer");
    assert!(since.elapsed() >= Duration::from_millis(50));
    assert!(crate::postgres::is_lost(&error));
    let said = es_core::error_chain(&error).to_string();
    assert!(said.ends_with("no answer within 0.1 s (KEY)"), "{said}");
    assert!(client.is_closed());
    // The server notices it before the client is dropped.
    server.end();
    let again = client.batch_execute("again").expect_err("it is closed");
    assert!(again.is_closed());
}

#[test]
fn an_answer_that_comes_piece_by_piece_is_waited_for() {
    let server = Server::start(|mut server_side| {
        for _ in 0..2 {
            assert_eq!(server_side.receive(), "slow");
            let mut answer = Vec::from(*b"C\0\0\0\x0dSELECT 0\0");
            answer.extend(*b"Z\0\0\0\x05I");
            for byte in answer {
                server_side.0.write_all(&[byte]).expect("the client waits");
                thread::yield_now();
            }
        }
    });
    let mut client = server.connect(limit(60_000));
    client.batch_execute("slow").expect("an answer");
    client.batch_execute("slow").expect("an answer");
    server.end();
}

#[test]
fn what_the_server_says_when_it_ends_a_connection_is_the_error() {
    for (severity, code, is_lost) in [
        ("FATAL", "57P01", true),
        ("FATAL", "XX000", true),
        ("ERROR", "23505", false),
    ] {
        let server = Server::start(move |mut server_side| {
            assert_eq!(server_side.receive(), "work");
            server_side.fail(severity, code);
        });
        let mut client = server.connect(None);
        let error = client.batch_execute("work").expect_err("it fails");
        assert_eq!(error.code().map(|code| code.code()), Some(code));
        assert_eq!(
            crate::postgres::is_lost(&error),
            is_lost,
            "{severity} {code}"
        );
        server.end();
        client.batch_execute("more").expect_err("it is lost");
        assert!(client.is_closed());
    }
}

#[test]
fn a_transaction_whose_rollback_fails_closes_the_connection() {
    let server = Server::start(|mut server_side| {
        assert_eq!(server_side.receive(), "BEGIN");
        server_side.done();
        assert_eq!(server_side.receive(), "ROLLBACK");
        server_side.fail("ERROR", "XX000");
        server_side.send(b'Z', b"T");
        let mut rest = Vec::new();
        server_side.0.read_to_end(&mut rest).expect("the end");
    });
    let mut client = server.connect(None);
    drop(client.transaction().expect("a transaction"));
    assert!(client.is_closed());
    server.end();
}

#[test]
fn a_client_is_used_and_dropped_within_a_task() {
    let server = Server::start(|mut server_side| {
        assert_eq!(server_side.receive(), "work");
        server_side.done();
        assert_eq!(server_side.receive(), "X");
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        let mut client = server.connect(limit(60_000));
        client.batch_execute("work").expect("an answer");
    });
    server.end();
}

/// The server reads nothing, so Terminate cannot be sent and must not be waited for.
#[test]
fn dropping_a_client_does_not_wait_for_a_server_that_does_not_listen() {
    let (go, goes) = std::sync::mpsc::channel::<()>();
    let server = Server::start(move |_server_side| {
        goes.recv().expect("the client was dropped");
    });
    let mut client = server.connect(limit(50));
    let large = "x".repeat(8 * 1024 * 1024);
    client.batch_execute(&large).expect_err("it is not taken");
    drop(client);
    go.send(()).expect("the server waits");
    server.end();
}
