//! Models that hear, see and compare, over OpenAI's API and what is compatible with it:
//! vLLM, Ollama, `LocalAI`, whisper.cpp and others.
//!
//! | file | what it does |
//! |---|---|
//! | `config.rs`, `address.rs`, `price.rs` | which models, where, and what they cost |
//! | `transcribe.rs`, `sound.rs` | sound becomes text with times |
//! | `caption.rs` | a picture becomes text |
//! | `embed.rs`, `batch.rs`, `vector.rs` | texts become vectors |
//! | `exchange.rs` | one question and its answer, and again where that helps |
//! | `pace.rs` | how fast to ask, as the server says |
//! | `verdict.rs`, `error.rs` | why a call failed, and the remedy |
//!
//! # What it keeps to
//!
//! Each sentence has a test in `tests/models`, against a stand-in for the API that
//! OpenAI's own client checks.
//!
//! 1. **The key goes to the configured host** and nowhere else: no redirect is followed,
//!    plain http stays in the private network, and no error or log line has it, even if
//!    the server repeats it.
//! 2. **A call is tried again** where that may help (408, 409, 429, 5xx, no connection),
//!    after pauses that double and are at least as long as the server asks for. What
//!    only money or an operator can mend is told at once.
//! 3. **All calls together** have so many requests open and no more, and they slow down
//!    before the server's limits.
//! 4. **What is too long** is refused before it is sent, or shortened and told.
//! 5. **A call has an end**: one request has a time-out, all its tries together another.
//!    A call that is dropped ends its request.

mod address;
mod batch;
mod caption;
mod config;
mod embed;
mod error;
mod exchange;
mod pace;
mod price;
mod sound;
mod transcribe;
mod vector;
mod verdict;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use serde::Deserialize;
use tokio::sync::Semaphore;

pub use caption::{Caption, Outcome};
pub use config::{Config, Detail, InvalidDetail};
pub use embed::{Embeddings, Shortened};
pub use error::{Error, Kind, Result};
pub use price::{Dollars, InvalidPrice, Prices, Tokens};
pub use sound::{Data, MOST_BYTES, Sound};
pub use transcribe::{Segment, Transcript};

use crate::client::said::deepest;
use crate::telemetry::ModelMetrics;

use address::{PrivateOnly, is_in_the_clear};
use exchange::Content;
use pace::Lane;

/// Until a connection stands, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// The models. Clones share their connections and their turns; a process needs one.
#[derive(Debug, Clone)]
pub struct Models {
    client: Client,
    config: Arc<Config>,
    /// Who we are.
    headers: HeaderMap,
    metrics: ModelMetrics,
    shared: Arc<Shared>,
}

/// What clones have in common.
#[derive(Debug)]
struct Shared {
    places: Semaphore,
    lanes: [Mutex<Lane>; 4],
    learned: Learned,
}

/// What was found out of the server.
#[derive(Debug, Default)]
struct Learned {
    /// The transcription model gives no times.
    untimed: AtomicBool,
    /// The limit of a caption is called by its other name.
    other_limit: AtomicBool,
    /// Vectors come as numbers alone.
    no_base64: AtomicBool,
    /// How long vectors are.
    dimensions: OnceLock<usize>,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Transcribe,
    Caption,
    Embed,
    List,
}

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Transcribe => "transcribe",
            Self::Caption => "caption",
            Self::Embed => "embed",
            Self::List => "list",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Transcribe => "audio/transcriptions",
            Self::Caption => "chat/completions",
            Self::Embed => "embeddings",
            Self::List => "models",
        }
    }

    /// The most bytes of an answer: hours of talk, 2048 vectors of 3072 numbers in
    /// base64.
    fn most_bytes(self) -> usize {
        match self {
            Self::Transcribe => 8 << 20,
            Self::Caption => 1 << 20,
            Self::Embed => 36 << 20,
            Self::List => 4 << 20,
        }
    }
}

impl Models {
    /// A client; nothing is asked yet.
    pub fn new(config: Config, metrics: ModelMetrics) -> Result<Self> {
        // The first provider that is installed stays; all are ring here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT.min(config.timeout))
            .user_agent(concat!("flatbed/", env!("CARGO_PKG_VERSION")));
        if is_in_the_clear(&config.url, config.allow_http) {
            client = client.dns_resolver(Arc::new(PrivateOnly::default()));
        }
        let client = client.build().map_err(|error| {
            let reason = format!("the HTTP client cannot be made: {}", deepest(&error));
            Error::new(Kind::Unfit, config.url.as_str(), "", reason)
        })?;
        for call in [Call::Transcribe, Call::Caption, Call::Embed] {
            metrics.model(call.name(), model(&config, call));
        }
        Ok(Self {
            client,
            headers: headers(&config)?,
            shared: Arc::new(Shared {
                places: Semaphore::new(config.concurrency.max(1)),
                lanes: Default::default(),
                learned: Learned::default(),
            }),
            config: Arc::new(config),
            metrics,
        })
    }

    /// The address, for people.
    pub fn address(&self) -> &str {
        self.config.url.as_str()
    }

    /// Whether the server answers and takes the key; gives those of the configured models
    /// that it does not have, by its own list.
    pub async fn check(&self) -> Result<Vec<String>> {
        let body = self.ask(Call::List, &Content::Nothing).await?;
        let List { data } = serde_json::from_slice(&body)
            .map_err(|error| self.foreign(Call::List, &error.to_string()))?;
        let calls = [Call::Transcribe, Call::Caption, Call::Embed];
        let names = calls.into_iter().map(|call| model(&self.config, call));
        // Ollama calls them by their tag too.
        let has = |name: &str| {
            let tagged = format!("{name}:latest");
            data.iter().any(|own| own.id == name || own.id == tagged)
        };
        Ok(names.filter(|name| !has(name)).map(str::to_owned).collect())
    }

    fn model(&self, call: Call) -> &str {
        model(&self.config, call)
    }

    /// Counts tokens, and remembers what a call of this kind takes.
    fn count(&self, call: Call, tokens: Tokens) {
        self.lane(call).took(tokens.input + tokens.output);
        self.metrics
            .tokens(call.name(), tokens.input, tokens.output);
    }

    fn spend(&self, call: Call, dollars: Dollars) {
        self.metrics.spent(call.name(), dollars.0);
    }

    fn lane(&self, call: Call) -> MutexGuard<'_, Lane> {
        let [transcribe, caption, embed, list] = &self.shared.lanes;
        let lane = match call {
            Call::Transcribe => transcribe,
            Call::Caption => caption,
            Call::Embed => embed,
            Call::List => list,
        };
        lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is there, as `GET /models` says.
#[derive(Deserialize)]
struct List {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

/// The model's name.
fn model(config: &Config, call: Call) -> &str {
    match call {
        Call::Transcribe => &config.transcription,
        Call::Caption => &config.vision,
        Call::Embed => &config.embedding,
        Call::List => "",
    }
}

/// What tells the server who asks.
fn headers(config: &Config) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = &config.key {
        let value = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
        let mut value = value.map_err(|_| {
            let reason = "no header can hold the key".to_owned();
            Error::new(Kind::Key, config.url.as_str(), "", reason)
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let own = [
        ("openai-organization", &config.organization),
        ("openai-project", &config.project),
    ];
    for (name, value) in own {
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    Ok(headers)
}
