//! The least HTTP/1.1 server (RFC 9110, RFC 9112) that a media element is content with: one page,
//! its tasks, videos with byte ranges, and one report. Loopback only, a connection a request.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Event, page};

/// A peer that says nothing for this long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest report taken.
const REPORT: u64 = 16 << 20;

/// What the server hands out.
struct Shelf {
    tasks: String,
    videos: Vec<PathBuf>,
    reports: Sender<Event>,
}

/// A running server; it stops when dropped.
pub struct Server {
    address: SocketAddr,
    closing: Arc<AtomicBool>,
    doorman: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port of the loopback interface.
    pub fn start(tasks: String, videos: Vec<PathBuf>, reports: Sender<Event>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let closing = Arc::new(AtomicBool::new(false));
        let shelf = Arc::new(Shelf {
            tasks,
            videos,
            reports,
        });
        let doorman = thread::spawn({
            let closing = Arc::clone(&closing);
            move || {
                for stream in listener.incoming() {
                    if closing.load(Ordering::Relaxed) {
                        return;
                    }
                    let shelf = Arc::clone(&shelf);
                    // A browser that drops a connection, as each seek does, is no failure.
                    thread::spawn(move || stream.and_then(|stream| serve(&stream, &shelf)));
                }
            }
        });
        Self {
            address,
            closing,
            doorman: Some(doorman),
        }
    }

    /// The page's address.
    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        // The doorman blocks until somebody knocks.
        let knocked = TcpStream::connect(self.address).is_ok();
        if let (true, Some(doorman)) = (knocked, self.doorman.take()) {
            doorman.join().ok();
        }
    }
}

/// Answers one request.
fn serve(stream: &TcpStream, shelf: &Shelf) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (range, length) = headers(&mut reader)?;
    let video = path
        .strip_prefix("/video/")
        .and_then(|index| index.parse::<usize>().ok());
    match (
        method,
        path,
        video.and_then(|index| shelf.videos.get(index)),
    ) {
        ("GET", "/", _) => text(stream, "200 OK", "text/html", page::HTML),
        ("GET", "/tasks", _) => text(stream, "200 OK", "application/json", &shelf.tasks),
        ("GET", _, Some(video)) => send(stream, video, range.as_deref()),
        ("POST", "/report", _) => {
            let mut body = Vec::new();
            reader.take(length.min(REPORT)).read_to_end(&mut body)?;
            // The test may have given up waiting.
            shelf.reports.send(Event::Report(body)).ok();
            text(stream, "204 No Content", "text/plain", "")
        }
        _ => text(stream, "404 Not Found", "text/plain", "not here\n"),
    }
}

/// Reads the headers: the `Range` and the `Content-Length`.
fn headers(reader: &mut impl BufRead) -> io::Result<(Option<String>, u64)> {
    let (mut range, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            return Ok((range, length));
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "range" => range = value.trim().strip_prefix("bytes=").map(String::from),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
}

fn text(mut stream: &TcpStream, status: &str, kind: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Sends a file or the part of it that was asked for.
fn send(mut stream: &TcpStream, path: &PathBuf, range: Option<&str>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let whole = file.metadata()?.len();
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("mkv" | "webm") => "video/webm",
        _ => "video/mp4",
    };
    let part = range.map_or(Some(0..whole), |range| bytes(range, whole));
    let Some(Range { start, end }) = part else {
        return text(stream, "416 Range Not Satisfiable", "text/plain", "");
    };
    let status = if range.is_some() {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Accept-Ranges: bytes\r\nCache-Control: no-store\r\nConnection: close\r\n",
        end - start
    )?;
    if range.is_some() {
        write!(
            stream,
            "Content-Range: bytes {start}-{}/{whole}\r\n",
            end - 1
        )?;
    }
    stream.write_all(b"\r\n")?;
    file.seek(SeekFrom::Start(start))?;
    io::copy(&mut file.take(end - start), &mut stream).map(|_| ())
}

/// The bytes of a single range (RFC 9110, 14.1.2): `a-b`, `a-` or `-n`.
fn bytes(range: &str, whole: u64) -> Option<Range<u64>> {
    let (first, last) = range.split_once('-')?;
    let part = match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(first), Some(last)) => first..whole.min(last + 1),
        (Some(first), None) => first..whole,
        (None, Some(count)) => whole.saturating_sub(count)..whole,
        (None, None) => return None,
    };
    (part.start < part.end).then_some(part)
}

#[test]
fn ranges_are_read_as_the_standard_says() {
    assert_eq!(bytes("0-", 10), Some(0..10));
    assert_eq!(bytes("2-5", 10), Some(2..6));
    assert_eq!(bytes("8-99", 10), Some(8..10));
    assert_eq!(bytes("-3", 10), Some(7..10));
    assert_eq!(bytes("10-", 10), None);
    assert_eq!(bytes("x", 10), None);
}
