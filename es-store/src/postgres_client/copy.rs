//! The readers and writers of COPY.

use std::io::{self, BufRead, Cursor, Read, Write};
use std::pin::Pin;

use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::{CopyInSink, CopyOutStream, Error};

use super::event_loop::EventLoop;

type Sink = CopyInSink<Cursor<Vec<u8>>>;

/// The number of bytes that are sent at a time.
const SIZE: usize = 64 * 1024;

/// The writer of a `COPY .. FROM STDIN`. The rows are copied when it is [finished](Self::finish).
/// If it is dropped before that, the statement fails.
pub struct CopyInWriter<'a> {
    events: &'a mut EventLoop,
    sink: Pin<Box<Sink>>,
    buffer: Vec<u8>,
}

impl<'a> CopyInWriter<'a> {
    pub(super) fn new(events: &'a mut EventLoop, sink: Sink) -> Self {
        Self {
            events,
            sink: Box::pin(sink),
            buffer: Vec::new(),
        }
    }

    /// Ends the statement and returns the number of rows that were copied.
    ///
    /// # Errors
    /// Fails when the server refuses a row, or the connection is lost.
    pub fn finish(mut self) -> Result<u64, Error> {
        self.send()?;
        self.events.run(self.sink.as_mut().finish())
    }

    fn send(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let rows = Cursor::new(std::mem::take(&mut self.buffer));
        self.events.run(self.sink.send(rows))
    }
}

impl Write for CopyInWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= SIZE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send().map_err(io::Error::other)
    }
}

/// The reader of a `COPY .. TO STDOUT`.
pub struct CopyOutReader<'a> {
    events: &'a mut EventLoop,
    stream: Pin<Box<CopyOutStream>>,
    rows: Cursor<Vec<u8>>,
}

impl<'a> CopyOutReader<'a> {
    pub(super) fn new(events: &'a mut EventLoop, stream: CopyOutStream) -> Self {
        Self {
            events,
            stream: Box::pin(stream),
            rows: Cursor::default(),
        }
    }
}

impl Read for CopyOutReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for CopyOutReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.rows.fill_buf()?.is_empty() {
            let next = self.events.run(self.stream.try_next());
            match next.map_err(io::Error::other)? {
                Some(rows) => self.rows = Cursor::new(rows.to_vec()),
                None => break,
            }
        }
        self.rows.fill_buf()
    }

    fn consume(&mut self, read: usize) {
        self.rows.consume(read);
    }
}
