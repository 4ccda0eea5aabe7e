//! Recorders and cameras by Hikvision: what they have recorded, and the recordings
//! themselves, over ISAPI.
//!
//! | file | what it does |
//! |---|---|
//! | `settings.rs` | what has to be known of a device |
//! | `config.rs` | how patient to be, for all devices |
//! | `memory.rs` | what is remembered of a device between calls |
//! | `login.rs`, `digest.rs` | Digest and Basic |
//! | `exchange.rs` | one request and its answer |
//! | `connection.rs` | how it travels |
//! | `patience.rs` | asks a busy device again |
//! | `xml.rs` | elements by local name, within bounds |
//! | `verdict.rs` | what a refusal means |
//! | `search.rs` | one page of a search, in each dialect |
//! | `recordings.rs` | all pages, in UTC |
//! | `clock.rs`, `wall.rs`, `detect.rs` | what a device's times mean |
//! | `download.rs`, `reader.rs` | a recording on its way |
//! | `examine.rs` | what an operator wants to know first |
//! | `error.rs` | why a call failed, and the remedy |
//!
//! # What it keeps to
//!
//! Each sentence has a test in `tests/hikvision`, against a recorder that is
//! simulated with the faults of real ones.
//!
//! 1. **The password goes to the configured host and port**, as a digest wherever
//!    the device can. Redirects are not followed; the host in a recording's address
//!    is never asked.
//! 2. **A wrong password is sent once**, whoever asks and however many: a few more
//!    would lock this host out. It is tried again when the settings change or the
//!    device's lock has passed.
//! 3. **One question and one download at a time**, in the order in which they were
//!    asked for. A busy device is waited for.
//! 4. **Nothing is guessed:** where it cannot be told whether times are UTC or
//!    local, that is an error.
//! 5. **A download that is dropped stops**, and one that breaks off is no end.

mod clock;
mod config;
mod connection;
mod detect;
mod digest;
mod download;
mod error;
mod examine;
mod exchange;
mod login;
mod memory;
mod patience;
mod reader;
mod recordings;
mod search;
mod settings;
mod verdict;
mod wall;
mod xml;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

pub use clock::Span;
pub use config::Config;
pub use download::{Download, Received};
pub use error::{Error, Result};
pub use examine::{Channel, Examination};
pub use login::Scheme;
pub use reader::Reader;
pub use recordings::Recording;
pub use settings::{InvalidTimeMode, InvalidTransport, Settings, TimeMode, Transport};

use connection::Connector;
use memory::{Shared, Who};

/// A stream that a device records: the camera's number times 100, and 1 for its
/// main stream, 2 for its second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Track(pub u32);

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All devices, and what is known of each. Clones are the same; a process needs
/// one.
#[derive(Debug, Clone)]
pub struct Hikvision {
    config: Arc<Config>,
    connector: Arc<Connector>,
    known: Arc<Mutex<HashMap<Url, Arc<Shared>>>>,
}

impl Hikvision {
    /// With nothing known yet.
    pub fn new(config: Config) -> Result<Self> {
        let connector = Connector::new(config.connect).map_err(|error| Error::Settings {
            device: "TLS".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            connector: Arc::new(connector),
            config: Arc::new(config),
            known: Arc::default(),
        })
    }

    /// A device. What was learned of it under other settings is kept, as far as it
    /// does not hang on them.
    pub fn device(&self, settings: Settings) -> Result<Device> {
        let base = settings.base()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = known
            .entry(base.clone())
            .or_insert_with(|| Arc::new(Shared::new(&self.config)));
        Ok(Device {
            name: settings.name(),
            base,
            who: Who::new(&settings),
            connector: Arc::clone(&self.connector),
            config: Arc::clone(&self.config),
            shared: Arc::clone(shared),
            settings: Arc::new(settings),
        })
    }
}

/// A recorder or a camera. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Device {
    /// Host and port, for messages.
    name: String,
    base: Url,
    settings: Arc<Settings>,
    who: Who,
    connector: Arc<Connector>,
    config: Arc<Config>,
    shared: Arc<Shared>,
}

impl Device {
    /// Host and port, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}
