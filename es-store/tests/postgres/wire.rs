//! The part of the server's protocol that finds the end of a request.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use es_store::Env;

/// A connection to the server.
pub(super) enum Server {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Server {
    pub(super) fn connect(env: &Env) -> io::Result<Self> {
        let setting = |key| env.get(key).unwrap_or_default();
        let (host, port) = (setting("POSTGRES_HOST"), setting("POSTGRES_PORT"));
        let port = if port.is_empty() { "5432" } else { port };
        match host.starts_with('/') {
            true => {
                let socket = Path::new(host).join(format!(".s.PGSQL.{port}"));
                UnixStream::connect(socket).map(Self::Unix)
            }
            false => TcpStream::connect(format!("{host}:{port}")).map(Self::Tcp),
        }
    }

    pub(super) fn reader(&self) -> Box<dyn Read + '_> {
        match self {
            Self::Unix(stream) => Box::new(stream),
            Self::Tcp(stream) => Box::new(stream),
        }
    }

    pub(super) fn writer(&self) -> Box<dyn Write + '_> {
        match self {
            Self::Unix(stream) => Box::new(stream),
            Self::Tcp(stream) => Box::new(stream),
        }
    }

    pub(super) fn cut(&self) {
        let _gone = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

/// The length of the message that ends a request. Without all of it a query is incomplete too.
pub(super) const END: usize = 5;

/// Reads all messages up to the one that makes the server begin.
pub(super) fn request(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let message = message(from, false)?;
        request.extend(&message);
        // Query, Sync, a password, Terminate.
        if matches!(message[0], b'Q' | b'S' | b'p' | b'X') {
            return Ok(request);
        }
    }
}

/// Reads a message: its kind, which the first message of a client lacks, its length, and its body.
pub(super) fn message(from: &mut impl Read, is_first: bool) -> io::Result<Vec<u8>> {
    let kind = usize::from(!is_first);
    let mut message = vec![0; kind + 4];
    from.read_exact(&mut message)?;
    let length: [u8; 4] = message[kind..].try_into().expect("four bytes");
    message.resize(kind + u32::from_be_bytes(length) as usize, 0);
    from.read_exact(&mut message[kind + 4..])?;
    Ok(message)
}

/// Returns the code of an error, which is its field `C`. Each field begins with a letter and ends
/// with a zero byte.
pub(super) fn code(error: &[u8]) -> String {
    let mut fields = error[END..].split(|byte| *byte == 0);
    let code = fields.find_map(|field| field.strip_prefix(b"C"));
    String::from_utf8_lossy(code.unwrap_or_default()).into_owned()
}
