//! Log lines on standard error, as text or JSON.

use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: an object a line.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("expected text or json".to_owned()),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LOG_FORMAT`: `text` or `json`.
    pub format: Format,
    /// `RUST_LOG`, else `LOG_LEVEL`: a level, or `target=level` with commas in
    /// between.
    pub filter: Targets,
}

impl Default for Config {
    /// Text, from `info` on.
    fn default() -> Self {
        Self {
            format: Format::Text,
            filter: Targets::new().with_default(tracing::Level::INFO),
        }
    }
}

/// Begins to log. Does nothing if something logs already.
pub fn start(config: &Config) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(config.filter.clone());
    let _ = match config.format {
        Format::Text => registry.with(lines).try_init(),
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        assert_eq!("JSON".parse(), Ok(Format::Json));
        assert_eq!("text".parse(), Ok(Format::Text));
        assert!("xml".parse::<Format>().is_err());
    }
}
