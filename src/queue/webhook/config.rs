//! `WEBHOOK_SECRET` and how old a request may be.

use std::time::Duration;

use super::secret::{InvalidSecret, WebhookSecret};
use crate::config::Variables;

/// Who may push jobs.
#[derive(Debug, Clone)]
pub struct Config {
    /// `WEBHOOK_SECRET`: several while one takes the place of another.
    pub secrets: Vec<WebhookSecret>,
    /// `WEBHOOK_TOLERANCE_SECONDS`: how old a request may be, and how far ahead.
    pub tolerance: Duration,
}

impl Config {
    /// Reads it; `None` where nobody may push jobs.
    pub fn read(variables: &mut Variables) -> Option<Self> {
        let tolerance = variables.seconds(
            "WEBHOOK_TOLERANCE_SECONDS",
            Duration::from_secs(300),
            1..=3600,
        );
        let secret = variables.secret("WEBHOOK_SECRET")?;
        let secrets: Result<Vec<WebhookSecret>, InvalidSecret> = secret
            .expose()
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .map(str::parse)
            .collect();
        match secrets {
            Ok(secrets) if !secrets.is_empty() => Some(Self { secrets, tolerance }),
            _ => {
                variables.wrong("WEBHOOK_SECRET", &InvalidSecret.to_string());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_several_and_never_told() {
        let read = |secret: &str| {
            let mut variables = Variables::of([("WEBHOOK_SECRET", secret)]);
            let config = Config::read(&mut variables);
            (
                config.map(|config| config.secrets.len()),
                variables.finish(),
            )
        };
        assert_eq!(Config::read(&mut Variables::default()).map(|_| ()), None);
        let long = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(read(long).0, Some(1));
        assert_eq!(
            read(&format!("{long}, a plain one of any length")).0,
            Some(2)
        );
        for wrong in [
            "hunter2",
            "whsec_hunter2hunter2!",
            ",",
            "whsec_aHVudGVyMg==",
        ] {
            let (config, settings) = read(wrong);
            assert_eq!(config, None, "{wrong}");
            let error = settings.unwrap_err().to_string();
            assert!(error.contains("WEBHOOK_SECRET"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
