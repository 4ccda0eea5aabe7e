//! A connection to a device, for one request: HTTP/1.1 over TCP or TLS, with so small
//! a window that no more is fetched than somebody reads.
//!
//! A client with a pool would keep its sockets to itself. By default the kernel takes
//! in megabytes that nobody has read yet, a minute of footage of a small camera: the
//! device reads and sends it, and at a clip's end it is thrown away.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, HeaderValue};
use hyper::http::response::Parts;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::tls::{self, Trust};

/// What the network holds of an answer: half a second of a camera's stream of 2 Mb/s,
/// and enough for 60 MB/s where an answer takes 2 ms.
const WINDOW: u32 = 128 << 10;
/// What is read at once, and the most that an answer's head takes.
const BUFFER: usize = 64 << 10;

/// Opens connections.
#[derive(Debug)]
pub(super) struct Connector {
    /// Until a connection stands.
    connect: Duration,
    careful: Arc<ClientConfig>,
    careless: Arc<ClientConfig>,
}

/// An answer whose head is there. Dropped, it closes its connection.
#[derive(Debug)]
pub(super) struct Response {
    head: Parts,
    body: Incoming,
    _driver: Driver,
}

/// What moves the connection's bytes; ends when it is dropped.
#[derive(Debug)]
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No connection.
    Connect(io::Error),
    /// One that ended too soon.
    Exchange(hyper::Error),
}

impl Connector {
    pub(super) fn new(connect: Duration) -> Result<Self, rustls::Error> {
        Ok(Self {
            connect,
            careful: Arc::new(tls::client(Trust::Name(tls::system()))?),
            careless: Arc::new(tls::client(Trust::Anyone)?),
        })
    }

    /// Sends a request, whose address is a path, to the host and port of `base`.
    pub(super) async fn send(
        &self,
        base: &Url,
        any_certificate: bool,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response, Trouble> {
        if let Ok(host) = HeaderValue::from_str(&authority(base)) {
            request.headers_mut().insert(HOST, host);
        }
        let socket = async {
            let socket = self.open(base).await?;
            if base.scheme() != "https" {
                return Ok(Box::new(socket) as Box<dyn Socket>);
            }
            let trust = if any_certificate {
                &self.careless
            } else {
                &self.careful
            };
            let name = ServerName::try_from(bare(base).to_owned()).map_err(io::Error::other)?;
            let socket = TlsConnector::from(Arc::clone(trust))
                .connect(name, socket)
                .await?;
            Ok(Box::new(socket) as Box<dyn Socket>)
        };
        let socket = match timeout(self.connect, socket).await {
            Ok(socket) => socket.map_err(Trouble::Connect)?,
            Err(_) => return Err(Trouble::Connect(io::ErrorKind::TimedOut.into())),
        };
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER)
            .ignore_invalid_headers_in_responses(true)
            .handshake(TokioIo::new(socket))
            .await
            .map_err(Trouble::Exchange)?;
        let driver = Driver(tokio::spawn(async move {
            // Whoever reads the answer hears of its errors.
            let _ = connection.await;
        }));
        let answer = sender.send_request(request).await;
        let (head, body) = answer.map_err(Trouble::Exchange)?.into_parts();
        Ok(Response {
            head,
            body,
            _driver: driver,
        })
    }

    /// Each of a name's addresses has its share of the time.
    async fn open(&self, base: &Url) -> io::Result<TcpStream> {
        let port = base.port_or_known_default().unwrap_or(80);
        let addresses: Vec<SocketAddr> = lookup_host((bare(base), port)).await?.collect();
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
        for address in addresses {
            match timeout(self.connect / count, call(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(failure)
    }
}

async fn call(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Before it is connected: the window's scale is settled then.
    socket.set_recv_buffer_size(WINDOW)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// The host, without brackets.
fn bare(base: &Url) -> &str {
    base.host_str().unwrap_or_default().trim_matches(['[', ']'])
}

/// The host as requests name it, and the port where it is not the scheme's own.
fn authority(base: &Url) -> String {
    let host = base.host_str().unwrap_or_default();
    match base.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

impl Response {
    pub(super) fn status(&self) -> StatusCode {
        self.head.status
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// How many bytes are still to come, where the device has told.
    pub(super) fn content_length(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// The next piece; `None` at the end. It may be dropped while it waits, and called
    /// again.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Trouble> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(Trouble::Exchange)?;
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

impl Trouble {
    /// What happened, in the words of the lowest layer: "Connection refused".
    pub(super) fn words(&self) -> String {
        let mut lowest: &(dyn StdError + 'static) = match self {
            Self::Connect(error) => error,
            Self::Exchange(error) => error,
        };
        while let Some(source) = lowest.source() {
            lowest = source;
        }
        lowest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_as_they_are() {
        for (url, host, name) in [
            ("http://nvr.local/", "nvr.local", "nvr.local"),
            ("http://nvr.local:80/", "nvr.local", "nvr.local"),
            ("https://10.0.0.9:8443/", "10.0.0.9", "10.0.0.9:8443"),
            ("http://[fe80::1]:81/", "fe80::1", "[fe80::1]:81"),
        ] {
            let url = url.parse().unwrap();
            assert_eq!((bare(&url), authority(&url).as_str()), (host, name));
        }
    }
}
