//! Which models, where, and how patient to be with them.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::HeaderValue;
use url::Url;

use super::address::{OPENAI, base, is_openai};
use super::price::Prices;
use crate::config::{Secret, Variables};

/// What is asked of a picture where nothing else is set.
const PROMPT: &str = "Describe this frame of a video in one to three sentences, for somebody who \
                      searches for it: who and what is seen, what happens, and any text that can \
                      be read. Say only what can be seen.";

const WHISPER: &str = "whisper-1";
const MINI: &str = "gpt-4o-mini";
const SMALL: &str = "text-embedding-3-small";

/// How models are called. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// `OPENAI_BASE_URL`, with a slash at its end.
    pub url: Url,
    /// `OPENAI_ALLOW_HTTP`: whether plain http may leave the private network.
    pub allow_http: bool,
    /// `OPENAI_API_KEY`. Servers of one's own may need none.
    pub key: Option<Secret>,
    /// `OPENAI_ORGANIZATION`: who is billed.
    pub organization: Option<HeaderValue>,
    /// `OPENAI_PROJECT`: which of its projects.
    pub project: Option<HeaderValue>,
    /// `OPENAI_TRANSCRIPTION_MODEL`.
    pub transcription: String,
    /// `OPENAI_VISION_MODEL`.
    pub vision: String,
    /// `OPENAI_EMBEDDING_MODEL`.
    pub embedding: String,
    /// `OPENAI_LANGUAGE`: what is spoken, by ISO 639; else the model finds out.
    pub language: Option<String>,
    /// `OPENAI_VISION_PROMPT`: what is asked of a picture.
    pub prompt: String,
    /// `OPENAI_VISION_DETAIL`.
    pub detail: Detail,
    /// `OPENAI_VISION_TOKENS`: the longest caption, in tokens.
    pub caption_tokens: u32,
    /// `OPENAI_EMBEDDING_DIMENSIONS`: how long vectors are to be; else as the model has
    /// it.
    pub dimensions: Option<usize>,
    /// `OPENAI_EMBEDDING_BATCH`: texts in one request.
    pub batch: usize,
    /// `OPENAI_EMBEDDING_INPUT_TOKENS`: the longest text that the model takes, in tokens.
    pub input_tokens: usize,
    /// `OPENAI_CONCURRENCY`: requests at once, of all kinds together.
    pub concurrency: usize,
    /// `OPENAI_TIMEOUT_SECONDS`: for one request and its answer.
    pub timeout: Duration,
    /// `OPENAI_PATIENCE_SECONDS`: for a call with all its tries and waits.
    pub patience: Duration,
    /// `OPENAI_MAX_RETRIES`: how often a request is repeated.
    pub retries: u32,
    /// The first pause between tries; the next ones double, to 20 s.
    pub first_pause: Duration,
    /// `OPENAI_PRICE_...`.
    pub prices: Prices,
}

/// How closely the model looks at a picture, which is also what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// As the server likes.
    #[default]
    Auto,
    /// A small copy.
    Low,
    /// In tiles.
    High,
}

/// The text is no [`Detail`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, low or high")]
pub struct InvalidDetail;

impl Detail {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

impl Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Detail {
    type Err = InvalidDetail;

    fn from_str(text: &str) -> Result<Self, InvalidDetail> {
        let all = [Self::Auto, Self::Low, Self::High];
        let found = all
            .into_iter()
            .find(|own| own.as_str().eq_ignore_ascii_case(text));
        found.ok_or(InvalidDetail)
    }
}

impl Config {
    /// The models at `url`, which ends with a slash, by their default names and without
    /// a key.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            allow_http: false,
            key: None,
            organization: None,
            project: None,
            transcription: WHISPER.to_owned(),
            vision: MINI.to_owned(),
            embedding: SMALL.to_owned(),
            language: None,
            prompt: PROMPT.to_owned(),
            detail: Detail::Auto,
            caption_tokens: 300,
            dimensions: None,
            batch: 256,
            input_tokens: 8192,
            concurrency: 4,
            timeout: Duration::from_secs(300),
            patience: Duration::from_secs(900),
            retries: 6,
            first_pause: Duration::from_millis(500),
            prices: Prices::default(),
        }
    }

    /// As the variables say; `None` where there is neither a key nor a server of one's
    /// own.
    pub fn read(variables: &mut Variables) -> Option<Self> {
        if !variables.is_set("OPENAI_API_KEY") && !variables.is_set("OPENAI_BASE_URL") {
            return None;
        }
        let key = key(variables);
        let allow_http = variables.switch("OPENAI_ALLOW_HTTP", false);
        let text = variables.text_or("OPENAI_BASE_URL", OPENAI);
        let url = base(&text, allow_http).unwrap_or_else(|unfit| {
            variables.wrong("OPENAI_BASE_URL", unfit);
            nowhere()
        });
        if key.is_none() && is_openai(&url) {
            return None;
        }
        let default = Self::new(url);
        let dimensions: usize = variables.number("OPENAI_EMBEDDING_DIMENSIONS", 0, 0..=65_536);
        let mut config = Self {
            allow_http,
            key,
            organization: header(variables, "OPENAI_ORGANIZATION"),
            project: header(variables, "OPENAI_PROJECT"),
            transcription: variables.text_or("OPENAI_TRANSCRIPTION_MODEL", WHISPER),
            vision: variables.text_or("OPENAI_VISION_MODEL", MINI),
            embedding: variables.text_or("OPENAI_EMBEDDING_MODEL", SMALL),
            language: language(variables),
            prompt: variables.text_or("OPENAI_VISION_PROMPT", PROMPT),
            detail: variables.parse("OPENAI_VISION_DETAIL", default.detail),
            caption_tokens: variables.number(
                "OPENAI_VISION_TOKENS",
                default.caption_tokens,
                16..=16_384,
            ),
            dimensions: (dimensions > 0).then_some(dimensions),
            batch: variables.number("OPENAI_EMBEDDING_BATCH", default.batch, 1..=2048),
            input_tokens: variables.number(
                "OPENAI_EMBEDDING_INPUT_TOKENS",
                default.input_tokens,
                64..=131_072,
            ),
            concurrency: variables.number("OPENAI_CONCURRENCY", default.concurrency, 1..=64),
            timeout: variables.seconds("OPENAI_TIMEOUT_SECONDS", default.timeout, 1..=3600),
            patience: variables.seconds("OPENAI_PATIENCE_SECONDS", default.patience, 1..=86_400),
            retries: variables.number("OPENAI_MAX_RETRIES", default.retries, 0..=100),
            ..default
        };
        let listed = is_openai(&config.url);
        let known = [
            listed && config.transcription == WHISPER,
            listed && config.vision == MINI,
            listed && config.embedding == SMALL,
        ];
        config.prices = Prices::read(variables, known);
        Some(config)
    }
}

fn key(variables: &mut Variables) -> Option<Secret> {
    let key = variables.secret("OPENAI_API_KEY")?;
    if HeaderValue::from_str(key.expose()).is_err() {
        variables.wrong("OPENAI_API_KEY", "no header can hold it");
    }
    Some(key)
}

fn header(variables: &mut Variables, name: &'static str) -> Option<HeaderValue> {
    let text = variables.text(name)?;
    let value = HeaderValue::from_str(&text);
    if value.is_err() {
        variables.wrong(name, "no header can hold it");
    }
    value.ok()
}

fn language(variables: &mut Variables) -> Option<String> {
    let text = variables.text("OPENAI_LANGUAGE")?;
    let is_code = matches!(text.len(), 2 | 3) && text.bytes().all(|b| b.is_ascii_lowercase());
    if !is_code {
        let expected = format!("'{text}': expected a language by ISO 639, as en or id");
        variables.wrong("OPENAI_LANGUAGE", &expected);
    }
    Some(text)
}

/// What stands for an address that is wrong: nothing is asked there.
#[allow(clippy::expect_used, reason = "it is an address, as a test says")]
fn nowhere() -> Url {
    Url::parse("https://models.invalid/").expect("an address")
}

#[cfg(test)]
mod tests {
    use super::super::price::Dollars;
    use super::*;
    use crate::config::Invalid;

    #[test]
    fn openai_s_own_need_a_key_and_others_do_not() {
        assert!(Config::read(&mut Variables::of([])).is_none());
        let mut variables = Variables::of([("OPENAI_BASE_URL", "https://api.openai.com/v1")]);
        assert!(Config::read(&mut variables).is_none());
        let mut variables = Variables::of([("OPENAI_BASE_URL", "http://ollama:11434/v1/")]);
        let config = Config::read(&mut variables).unwrap();
        assert_eq!(config.url.as_str(), "http://ollama:11434/v1/");
        assert!(config.key.is_none());
        assert_eq!(config.prices, Prices::default());
        let mut variables = Variables::of([("OPENAI_API_KEY", "sk-hunter2")]);
        let config = Config::read(&mut variables).unwrap();
        assert_eq!(config.url.as_str(), OPENAI);
        assert!(config.prices.embedding.0 > 0.0);
        let told = format!("{config:?} {:?}", variables.finish().unwrap());
        assert!(!told.contains("hunter2"), "{told}");
        assert_eq!(nowhere().host_str(), Some("models.invalid"));
    }

    #[test]
    fn variables_are_read() {
        let mut variables = Variables::of([
            ("OPENAI_API_KEY", "sk-1"),
            ("OPENAI_TRANSCRIPTION_MODEL", "gpt-4o-transcribe"),
            ("OPENAI_VISION_MODEL", "gpt-4o"),
            ("OPENAI_VISION_PROMPT", "What is it?"),
            ("OPENAI_VISION_DETAIL", "Low"),
            ("OPENAI_EMBEDDING_DIMENSIONS", "512"),
            ("OPENAI_LANGUAGE", "id"),
            ("OPENAI_ORGANIZATION", "org-1"),
            ("OPENAI_CONCURRENCY", "9"),
            ("OPENAI_TIMEOUT_SECONDS", "5"),
            ("OPENAI_MAX_RETRIES", "0"),
            ("OPENAI_PRICE_VISION_INPUT", "2.5"),
        ]);
        let config = Config::read(&mut variables).unwrap();
        variables.finish().unwrap();
        assert_eq!(config.transcription, "gpt-4o-transcribe");
        assert_eq!((config.detail, config.dimensions), (Detail::Low, Some(512)));
        assert_eq!(config.language.as_deref(), Some("id"));
        assert_eq!(config.organization.unwrap(), "org-1");
        assert_eq!((config.concurrency, config.retries), (9, 0));
        assert_eq!(config.timeout.as_secs(), 5);
        // Nobody knows what the other models cost.
        assert_eq!(config.prices.audio_minute, Dollars(0.0));
        assert_eq!(config.prices.vision_input, Dollars(2.5));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_key() {
        let mut variables = Variables::of([
            ("OPENAI_API_KEY", "sk-hunter2\n3"),
            ("OPENAI_BASE_URL", "http://8.8.8.8/v1"),
            ("OPENAI_LANGUAGE", "English"),
            ("OPENAI_VISION_DETAIL", "all"),
            ("OPENAI_CONCURRENCY", "0"),
            ("OPENAI_PRICE_EMBEDDING", "-1"),
        ]);
        Config::read(&mut variables);
        let Invalid(faults) = variables.finish().unwrap_err();
        assert_eq!(faults.len(), 6, "{faults:?}");
        assert!(!faults.join(" ").contains("hunter2"), "{faults:?}");
        assert!(faults.join(" ").contains("OPENAI_ALLOW_HTTP"), "{faults:?}");
    }
}
