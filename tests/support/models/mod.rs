//! OpenAI's API in this process: transcription, chat with pictures, embeddings and the
//! list of models, with its limits and errors, the ways of servers that are like it,
//! and a log of what was asked. Its answers follow from what it is given: tones are
//! heard by their pitch and time, equal words come near one another.
//!
//! | file | what it does |
//! |---|---|
//! | `profile.rs` | what kind of server, and what goes wrong |
//! | `serve.rs` | requests as they come: faults, keys, limits, errors of each shape |
//! | `body.rs` | what is in a request: JSON, or a form with a file |
//! | `limit.rs` | requests and tokens a minute, and the headers that tell of them |
//! | `hear.rs`, `tones.rs` | transcriptions |
//! | `see.rs` | chat with pictures |
//! | `compare.rs` | embeddings |
//! | `refusal.rs` | errors, in OpenAI's words |
#![allow(dead_code, unused_imports, reason = "no test has all of its ways")]

mod body;
mod compare;
mod hear;
mod limit;
mod profile;
mod refusal;
mod see;
mod serve;
mod tones;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

pub use profile::{Base64, Fault, Limits, Profile, Shape};
pub use see::caption_of;
pub use tones::{Tone, wav};

use limit::Meter;

/// A server; it ends when it is dropped.
pub struct ModelServer {
    state: Arc<State>,
    running: Option<Runtime>,
}

struct State {
    profile: Profile,
    address: SocketAddr,
    faults: Mutex<VecDeque<(String, Fault)>>,
    seen: Mutex<Vec<Seen>>,
    meters: Mutex<BTreeMap<String, Meter>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    hung_up: AtomicUsize,
    requests: AtomicUsize,
}

/// A request, and how it was answered.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    /// A JSON body.
    pub json: Value,
    /// A form's fields, without the file.
    pub fields: BTreeMap<String, String>,
    pub file: Option<Uploaded>,
    pub status: u16,
    pub at: Instant,
}

/// A file of a form.
#[derive(Debug, Clone)]
pub struct Uploaded {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl ModelServer {
    /// On any port of loopback, with threads of its own.
    pub fn start(profile: Profile) -> Self {
        Self::at(profile, 0).expect("a port on loopback")
    }

    /// On a port of choice.
    pub fn at(profile: Profile, port: u16) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let state = Arc::new(State {
            profile,
            address: listener.local_addr()?,
            faults: Mutex::default(),
            seen: Mutex::default(),
            meters: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            hung_up: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
        });
        let running = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let serving = Arc::clone(&state);
        running.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            serve::listen(listener, serving).await;
        });
        Ok(Self {
            state,
            running: Some(running),
        })
    }

    /// What `OPENAI_BASE_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.state.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// The next requests whose path ends so meet these faults, one each.
    pub fn fail(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (path.to_owned(), fault));
        lock(&self.state.faults).extend(faults);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        lock(&self.state.faults).clear();
    }

    /// The faults that nobody met.
    pub fn faults_left(&self) -> usize {
        lock(&self.state.faults).len()
    }

    /// The requests since the last call, as they ended.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *lock(&self.state.seen))
    }

    /// Requests that have come, answered or not.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// The most requests that it had before it at a time.
    pub fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }

    /// Those that it has before it now.
    pub fn at_once(&self) -> usize {
        self.state.at_once.load(Ordering::SeqCst)
    }

    /// Requests whose clients did not wait for the answer.
    pub fn hung_up(&self) -> usize {
        self.state.hung_up.load(Ordering::SeqCst)
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_background();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
