//! A server that answers as it is told, and a resolver of the test.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use flatbed::fetch::{Config, Fetcher, Resolver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Answers each connection's one request with what `answer` writes.
pub struct Peer {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// A server that sends the bytes that `answer` makes of a request's path, and
    /// then closes the connection.
    pub async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::at(Ipv4Addr::LOCALHOST, 0, answer).await.unwrap()
    }

    pub async fn at(
        host: Ipv4Addr,
        port: u16,
        answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let answer = Arc::new(answer);
        Self::with(host, port, move |mut socket, path| {
            let answer = Arc::clone(&answer);
            async move {
                let _ = socket.write_all(&answer(&path)).await;
                let _ = socket.shutdown().await;
            }
        })
        .await
    }

    /// A server that does with each connection what it likes.
    pub async fn with<F: Future<Output = ()> + Send>(
        host: Ipv4Addr,
        port: u16,
        serve: impl Fn(TcpStream, String) -> F + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((host, port)).await?;
        let peer = Self {
            address: listener.local_addr()?,
            requests: Arc::default(),
        };
        let requests = Arc::clone(&peer.requests);
        let serve = Arc::new(serve);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (serve, requests) = (Arc::clone(&serve), Arc::clone(&requests));
                tokio::spawn(async move {
                    let head = head(&mut socket).await;
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    requests.lock().unwrap().push(head);
                    serve(socket, path).await;
                });
            }
        });
        Ok(peer)
    }

    /// The heads of all requests.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A 200 with this body.
pub fn found(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ncontent-type: image/jpeg\r\n\
         connection: close\r\n\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

/// Any other status, and these header lines.
pub fn status(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
        .into_bytes()
}

pub fn redirect(to: &str) -> Vec<u8> {
    status("302 Found", &format!("location: {to}\r\n"))
}

/// Knows some names, each with an answer for each time that it is asked; the last
/// one holds on.
#[derive(Debug, Default)]
pub struct Names {
    known: HashMap<&'static str, Vec<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    pub fn know(mut self, name: &'static str, answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        self.known.insert(name, answers.iter().map(parse).collect());
        self
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolver for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut asked = self.asked.lock().unwrap();
        let times = asked.iter().filter(|other| *other == name).count();
        asked.push(name.to_owned());
        let answers = self.known.get(name);
        let answer = answers.and_then(|answers| answers.get(times).or(answers.last()));
        answer.cloned().ok_or(io::ErrorKind::NotFound.into())
    }
}

/// A fetcher that may go to `allow`, with short times.
pub fn fetcher(allow: &[&str], names: Names) -> (Fetcher, Arc<Names>) {
    let config = Config {
        allow: allow.iter().map(|host| host.parse().unwrap()).collect(),
        first_byte: Duration::from_millis(500),
        idle: Duration::from_millis(500),
        total: Duration::from_secs(20),
        ..Config::default()
    };
    let names = Arc::new(names);
    let resolver: Arc<dyn Resolver> = Arc::clone(&names) as _;
    (Fetcher::with_resolver(config, resolver).unwrap(), names)
}
