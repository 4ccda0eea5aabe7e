//! A recorder in this process: ISAPI as Hikvision's devices speak it, with their
//! dialects and their faults, and a log of what was asked.
//!
//! | file | what it does |
//! |---|---|
//! | `profile.rs` | what kind of recorder, and what goes wrong |
//! | `login.rs` | Digest and Basic, from the other side |
//! | `footage.rs` | what it has recorded |
//! | `endless.rs` | hours of it, out of some seconds |
//! | `answers.rs` | the documents that it answers with |
//! | `serve.rs`, `tls.rs` | requests and downloads |
#![allow(
    dead_code,
    unused_imports,
    reason = "the example has no faults, and no test all of them"
)]

mod answers;
mod endless;
mod footage;
mod login;
mod profile;
mod serve;
mod tls;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use socket2::SockRef;
use tokio::net::TcpListener;

pub use endless::Loop;
pub use footage::{Content, Footage};
pub use login::Shown;
pub use profile::{Fault, Grammar, Length, Login, Profile};

use login::Gate;

/// Bytes that its kernel takes in before they are sent, which it doubles.
const SEND_BUFFER: usize = 32 << 10;

/// A recorder; it ends with the runtime.
#[derive(Clone)]
pub struct Nvr(Arc<State>);

pub struct State {
    pub profile: Profile,
    pub address: SocketAddr,
    pub footage: Vec<Footage>,
    gate: Mutex<Gate>,
    /// What goes wrong next, with the path where.
    faults: Mutex<Vec<(String, Fault)>>,
    seen: Mutex<Vec<Seen>>,
    downloads: AtomicUsize,
    most_downloads: AtomicUsize,
    asked_at_once: AtomicUsize,
    most_asked: AtomicUsize,
    connections: AtomicUsize,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub host: String,
    pub shown: Shown,
    pub range: bool,
    pub body: String,
    pub status: u16,
    /// When it came.
    pub at: Timestamp,
    /// Which connection it came over.
    pub connection: usize,
    /// The body's bytes that were handed to the network, and how it ended.
    pub sent: Arc<Sent>,
}

/// How a download went.
#[derive(Debug, Default)]
pub struct Sent {
    pub bytes: AtomicU64,
    /// 1: all was sent; 2: the client hung up.
    pub end: AtomicUsize,
}

impl Sent {
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    pub fn has_ended(&self) -> bool {
        self.end.load(Ordering::SeqCst) > 0
    }

    pub fn was_hung_up(&self) -> bool {
        self.end.load(Ordering::SeqCst) == 2
    }
}

impl Nvr {
    pub async fn start(profile: Profile, footage: Vec<Footage>) -> Self {
        Self::at(profile, footage, 0)
            .await
            .expect("a port on loopback")
    }

    /// On a port of choice.
    pub async fn at(profile: Profile, footage: Vec<Footage>, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        // As little as a small device has: what is counted as sent has left it. The
        // sockets that it accepts have the same.
        SockRef::from(&listener).set_send_buffer_size(SEND_BUFFER)?;
        let nvr = Self(Arc::new(State {
            profile,
            address: listener.local_addr()?,
            footage,
            gate: Mutex::default(),
            faults: Mutex::default(),
            seen: Mutex::default(),
            downloads: AtomicUsize::new(0),
            most_downloads: AtomicUsize::new(0),
            asked_at_once: AtomicUsize::new(0),
            most_asked: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        }));
        tokio::spawn(serve::listen(listener, Arc::clone(&nvr.0)));
        Ok(nvr)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    pub fn url(&self) -> String {
        let scheme = if self.0.profile.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.0.address)
    }

    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// The address of a recording, as searches give it.
    pub fn uri(&self, number: usize) -> String {
        self.0.uri(number)
    }

    /// The next requests whose path ends so meet these faults, one each.
    pub fn fail(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (path.to_owned(), fault));
        lock(&self.0.faults).extend(faults);
    }

    /// The faults that nobody met.
    pub fn faults_left(&self) -> usize {
        lock(&self.0.faults).len()
    }

    /// The requests since the last call.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *lock(&self.0.seen))
    }

    /// Passwords that were wrong, since the last right one.
    pub fn wrong(&self) -> u32 {
        lock(&self.0.gate).wrong
    }

    /// The most downloads that it sent at a time.
    pub fn most_downloads(&self) -> usize {
        self.0.most_downloads.load(Ordering::SeqCst)
    }

    /// The most questions that it had before it at a time.
    pub fn most_asked(&self) -> usize {
        self.0.most_asked.load(Ordering::SeqCst)
    }

    pub fn downloads_now(&self) -> usize {
        self.0.downloads.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
