//! HikCentral's OpenAPI in this process: it checks every signature, keeps people, their
//! faces, fields and groups, answers with the codes of its guide, and does what real ones
//! do wrong. It is cheap: thousands of requests a second.
//!
//! | file | what it does |
//! |---|---|
//! | `profile.rs` | what kind of server, and what goes wrong |
//! | `serve.rs`, `tls.rs` | requests as they come: faults, signatures, limits |
//! | `gate.rs` | AK/SK, from the other side |
//! | `site.rs` | who and what is there |
//! | `people.rs`, `rights.rs` | what can be asked of it |
//! | `refusal.rs` | codes and their words |
#![allow(
    dead_code,
    unused_imports,
    reason = "the example has no faults, and no test all of them"
)]

mod gate;
mod people;
mod profile;
mod refusal;
mod rights;
mod serve;
mod site;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hyper::HeaderMap;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

pub use profile::{Data, Fault, Missing, Profile, Quota};
pub use site::Person;
pub use tls::{Authority, Certificate};

use gate::Gate;
use serve::Rule;
use site::Site;

/// The paths that it knows.
pub mod path {
    pub const VERSION: &str = "/artemis/api/common/v1/version";
    pub const ORGANISATIONS: &str = "/artemis/api/resource/v1/org/orgList";
    pub const FIND: &str = "/artemis/api/resource/v1/person/personCode/personInfo";
    pub const ADD: &str = "/artemis/api/resource/v1/person/single/add";
    pub const FACE: &str = "/artemis/api/resource/v1/person/face/update";
    pub const FIELD: &str = "/artemis/api/resource/v1/person/personId/customFieldsUpdate";
    pub const GROUP: &str = "/artemis/api/acs/v1/privilege/group/single/addPersons";
    pub const APPLY: &str = "/artemis/api/visitor/v1/auth/reapplication";
    pub const RESULT: &str = "/artemis/api/acs/v1/auth/applicationResult";
}

/// A server; it ends when it is dropped.
pub struct HikCentralServer {
    state: Arc<State>,
    running: Option<Runtime>,
}

struct State {
    profile: Profile,
    address: SocketAddr,
    tls: Option<Certificate>,
    gate: Mutex<Gate>,
    site: Mutex<Site>,
    rules: Mutex<Vec<Rule>>,
    seen: Mutex<Vec<Seen>>,
    counts: Mutex<BTreeMap<String, usize>>,
    window: Mutex<(Instant, usize)>,
    requests: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    connections: AtomicUsize,
    forged: AtomicUsize,
}

/// A request, and how it was answered.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub body: String,
    pub headers: HeaderMap,
    /// 0 where nothing was answered.
    pub status: u16,
    /// Which connection it came over.
    pub connection: usize,
    pub at: Instant,
}

impl HikCentralServer {
    /// On any port of loopback, with threads of its own.
    pub fn start(profile: Profile) -> Self {
        Self::at(profile, 0).expect("a port on loopback")
    }

    /// With this certificate.
    pub fn showing(profile: Profile, certificate: Certificate) -> Self {
        Self::with(profile, 0, Some(certificate)).expect("a port on loopback")
    }

    /// On a port of choice.
    pub fn at(profile: Profile, port: u16) -> std::io::Result<Self> {
        Self::with(profile, port, None)
    }

    fn with(profile: Profile, port: u16, shown: Option<Certificate>) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port))?;
        listener.set_nonblocking(true)?;
        let state = Arc::new(State {
            address: listener.local_addr()?,
            tls: shown.or_else(|| profile.tls.then(Certificate::its_own)),
            gate: Mutex::default(),
            site: Mutex::new(Site::new(&profile)),
            profile,
            rules: Mutex::default(),
            seen: Mutex::default(),
            counts: Mutex::default(),
            window: Mutex::new((Instant::now(), 0)),
            requests: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            forged: AtomicUsize::new(0),
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

    /// What `HIKCENTRAL_URL` is set to.
    pub fn url(&self) -> String {
        let scheme = if self.state.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.state.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    pub fn profile(&self) -> &Profile {
        &self.state.profile
    }

    /// What `HIKCENTRAL_CA_FILE` is set to.
    pub fn certificate(&self) -> PathBuf {
        let own = self.state.tls.as_ref().expect("a server with TLS");
        own.file()
    }

    /// The next requests whose path ends so meet these faults, one each.
    pub fn fail(&self, path: &str, faults: impl IntoIterator<Item = Fault>) {
        self.fail_holding(path, "", faults);
    }

    /// The same, of those that hold this text too.
    pub fn fail_holding(&self, path: &str, text: &str, faults: impl IntoIterator<Item = Fault>) {
        let rules = faults
            .into_iter()
            .map(|fault| Rule::once(path, text, fault));
        lock(&self.state.rules).extend(rules);
    }

    /// All requests whose path ends so and that hold this text meet this fault, until it
    /// is mended.
    pub fn fail_always(&self, path: &str, text: &str, fault: Fault) {
        lock(&self.state.rules).push(Rule::always(path, text, fault));
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        lock(&self.state.rules).clear();
    }

    /// The faults that nobody met.
    pub fn faults_left(&self) -> usize {
        lock(&self.state.rules).len()
    }

    /// The requests since the last call, as they ended.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *lock(&self.state.seen))
    }

    /// Requests that have come, answered or not.
    pub fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// How many of them were for this path.
    pub fn requests_of(&self, path: &str) -> usize {
        lock(&self.state.counts).get(path).copied().unwrap_or(0)
    }

    /// How many for each path.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        lock(&self.state.counts).clone()
    }

    /// The most requests that it had before it at a time.
    pub fn most_at_once(&self) -> usize {
        self.state.most_at_once.load(Ordering::SeqCst)
    }

    /// Connections that were made, TLS included.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Requests whose signature, time or nonce was wrong.
    pub fn forged(&self) -> usize {
        self.state.forged.load(Ordering::SeqCst)
    }

    /// Everybody, by code.
    pub fn people(&self) -> Vec<Person> {
        let mut people: Vec<Person> = lock(&self.state.site).people().cloned().collect();
        people.sort_by(|a, b| a.code.cmp(&b.code));
        people
    }

    /// How many people there are.
    pub fn count(&self) -> usize {
        lock(&self.state.site).count()
    }

    /// Who has this code.
    pub fn person(&self, code: &str) -> Option<Person> {
        lock(&self.state.site).by_code(code).cloned()
    }

    /// Devices refuse this person when rights are applied.
    pub fn refuse_on_devices(&self, id: &str) {
        lock(&self.state.site).refused.insert(id.to_owned());
    }
}

impl Drop for HikCentralServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_background();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
