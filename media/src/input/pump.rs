//! A thread that reads a blocking stream into a bounded channel, so that the
//! engine's side can stop waiting for it.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crossbeam_channel::{Receiver, bounded, select_biased};

use crate::context::Cancel;

/// Bytes in one message of the channel.
const CHUNK: usize = 64 * 1024;
/// Messages in flight. Few: what a download is ahead when nothing more is wanted was
/// fetched in vain, and a second of a camera's footage has 256 KiB.
const AHEAD: usize = 2;

/// The engine's end of the channel.
pub(crate) struct Pump {
    chunks: Receiver<io::Result<Vec<u8>>>,
    cancel: Cancel,
    current: Vec<u8>,
    read: usize,
    ended: bool,
}

impl Pump {
    /// Begins to read `stream`. The thread ends with the stream, or at its
    /// first chunk after this value was dropped.
    pub(crate) fn start(mut stream: Box<dyn Read + Send>, cancel: Cancel) -> Self {
        let (sender, chunks) = bounded(AHEAD);
        thread::spawn(move || {
            loop {
                // A stream that panics is a stream that failed.
                let chunk = catch_unwind(AssertUnwindSafe(|| read_chunk(&mut stream)))
                    .unwrap_or_else(|_| Err(io::Error::other("the stream's reader panicked")));
                let last = match &chunk {
                    Ok(bytes) => bytes.is_empty(),
                    Err(_) => true,
                };
                if sender.send(chunk).is_err() || last {
                    return;
                }
            }
        });
        Self {
            chunks,
            cancel,
            current: Vec::new(),
            read: 0,
            ended: false,
        }
    }
}

fn read_chunk(stream: &mut Box<dyn Read + Send>) -> io::Result<Vec<u8>> {
    let mut chunk = vec![0; CHUNK];
    let read = loop {
        match stream.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result?,
        }
    };
    chunk.truncate(read);
    Ok(chunk)
}

impl Read for Pump {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.current.len() && !self.ended {
            self.read = 0;
            self.current = select_biased! {
                recv(self.cancel.woken()) -> _ => {
                    return Err(io::Error::other("cancelled"));
                }
                recv(self.chunks) -> chunk => match chunk {
                    Ok(chunk) => chunk?,
                    Err(_) => Vec::new(),
                }
            };
            self.ended = self.current.is_empty();
        }
        let rest = &self.current[self.read.min(self.current.len())..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks until its sender is dropped.
    struct Blocked(Receiver<()>);

    impl Read for Blocked {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(0)
        }
    }

    #[test]
    fn cancel_ends_a_blocked_read() {
        let (hold, held) = bounded(0);
        let cancel = Cancel::new();
        let mut pump = Pump::start(Box::new(Blocked(held)), cancel.clone());
        let canceller = thread::spawn(move || cancel.cancel());
        assert!(pump.read(&mut [0; 8]).is_err());
        canceller.join().expect("the canceller");
        drop(hold);
    }

    #[test]
    fn every_byte_comes_through() {
        let data: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[1]).collect();
        let mut pump = Pump::start(Box::new(io::Cursor::new(data.clone())), Cancel::new());
        let mut out = Vec::new();
        pump.read_to_end(&mut out).expect("read");
        assert_eq!(out, data);
    }
}
