//! Log lines on standard error, as text or JSON.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Variables;

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

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LOG_FORMAT`: `text` or `json`.
    pub format: Format,
    /// `RUST_LOG`, as `info,flatbed::runner=debug`, else `LOG_LEVEL`, as `debug`.
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

impl Config {
    /// `LOG_FORMAT`, and `RUST_LOG` or `LOG_LEVEL`.
    pub fn read(variables: &mut Variables) -> Self {
        let default = Self::default();
        let filter = if variables.is_set("RUST_LOG") {
            variables.parse("RUST_LOG", default.filter)
        } else {
            // No `Targets`: that takes a misspelt level for the name of a target.
            Targets::new().with_default(variables.parse("LOG_LEVEL", LevelFilter::INFO))
        };
        Self {
            format: variables.parse("LOG_FORMAT", default.format),
            filter,
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
    fn the_environment_says_what_and_how() {
        let read = |pairs: &[(&str, &str)]| {
            let mut variables = Variables::of(pairs.iter().copied());
            let config = Config::read(&mut variables);
            variables
                .finish()
                .map(|_| (config.format, config.filter.to_string()))
        };
        assert_eq!(read(&[]).unwrap(), (Format::Text, "info".to_owned()));
        let json = [("LOG_FORMAT", "JSON"), ("LOG_LEVEL", "WARN")];
        assert_eq!(read(&json).unwrap(), (Format::Json, "warn".to_owned()));
        let both = [("LOG_LEVEL", "warn"), ("RUST_LOG", "flatbed::runner=trace")];
        assert_eq!(read(&both).unwrap().1, "flatbed::runner=trace");
        assert!(read(&[("LOG_LEVEL", "loud")]).is_err());
        assert!(read(&[("LOG_FORMAT", "xml")]).is_err());
    }
}
