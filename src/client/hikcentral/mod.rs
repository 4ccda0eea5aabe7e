//! People and their rights at the gates: HikCentral Professional, over its OpenAPI
//! (the gateway is called Artemis).
//!
//! | file | what it does |
//! |---|---|
//! | `config.rs` | where it is, how it knows us, how fast it may be asked |
//! | `person.rs` | people as it knows them |
//! | `people.rs` | looks them up, adds them, gives them faces and fields |
//! | `rights.rs` | privilege groups, and that devices learn of them |
//! | `site.rs` | its version and its departments |
//! | `exchange.rs` | one request and its answer, and again where that is safe |
//! | `sign.rs` | AK/SK signatures |
//! | `pace.rs` | how fast to ask |
//! | `code.rs`, `error.rs` | why a call failed, and the remedy |
//! | `hidden.rs`, `text.rs` | what it says, made fit for errors; texts that may be numbers |
//!
//! # What it keeps to
//!
//! Each sentence has a test in `tests/hikcentral`, against a server that is simulated
//! with the faults of real ones, and that a signer of others' checks too.
//!
//! 1. **The secret is never sent and never told**, though gateways repeat it in their
//!    answers; nor is a person's name, code or field. No redirect is followed.
//! 2. **The code decides**, not the status: errors come with 200, 401 and 500.
//! 3. **A person is added once.** A call whose answer is lost is not repeated; whether it
//!    was done is then unknown, and the caller is told so.
//! 4. **All callers together** have so many requests open and so many a second, and one
//!    that meets a quota stops them all for a while.
//! 5. **A certificate of the server's own** is pinned, and no other one taken then.

mod code;
mod config;
mod error;
mod exchange;
mod hidden;
mod pace;
mod people;
mod person;
mod rights;
mod sign;
mod site;
mod text;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::Semaphore;

pub use config::{Config, Rate, Trust};
pub use error::{Error, Kind, Result};
pub use person::{CustomField, InvalidPersonCode, NewPerson, Organisation, PersonCode, PersonId};
pub use rights::Application;

use crate::client::said::deepest;
use crate::tls;
use hidden::Hidden;
use pace::Pace;
use sign::Signer;

/// Until a connection stands, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection is kept that nobody uses: less than servers keep it, so that
/// no request meets one that is being closed.
const IDLE: Duration = Duration::from_secs(10);

/// A HikCentral. Clones share their connections and their turns; a process needs one.
#[derive(Clone)]
pub struct HikCentral(Arc<Shared>);

/// What clones have in common.
struct Shared {
    config: Config,
    client: Client,
    signer: Signer,
    hidden: Hidden,
    places: Semaphore,
    pace: Mutex<Pace>,
}

impl HikCentral {
    /// A client; nothing is asked yet. Says in the log where the configuration lets
    /// others read along.
    pub fn new(config: Config) -> Result<Self> {
        let unfit = |reason: String| Error::new(Kind::Unfit, "get ready", reason);
        // The first provider that is installed stays; all are ring here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let trust = match &config.trust {
            Trust::System => tls::Trust::Name(tls::system()),
            Trust::Pinned(certificates) => tls::Trust::Pinned(certificates.clone()),
            Trust::Anyone => tls::Trust::Anyone,
        };
        let tls = tls::client(trust).map_err(|error| unfit(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT.min(config.timeout))
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(config.concurrency)
            .tcp_nodelay(true)
            .user_agent(concat!("flatbed/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| unfit(deepest(&error)))?;
        if let Some(caution) = config.caution() {
            tracing::warn!(url = %config.url, "HikCentral: {caution}");
        }
        let signer = Signer::new(&config.app_key, &config.app_secret);
        let signer = signer.map_err(|_| unfit("no header can hold the key".to_owned()))?;
        Ok(Self(Arc::new(Shared {
            client,
            signer,
            hidden: Hidden::new(&[&config.app_secret, &config.app_key]),
            places: Semaphore::new(config.concurrency.max(1)),
            pace: Mutex::new(Pace::new(config.rate, config.quota_pause)),
            config,
        })))
    }

    /// How it is called.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for HikCentral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HikCentral").field(&self.0.config).finish()
    }
}
