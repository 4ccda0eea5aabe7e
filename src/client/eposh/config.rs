//! Where Eposh is, and how it knows us.

use std::time::Duration;

use reqwest::header::HeaderValue;
use url::Url;

use crate::config::{Secret, Variables};

/// How Eposh is talked to. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Config {
    /// `EPOSH_API_URL`. A query that it has is kept.
    pub url: Url,
    /// `EPOSH_API_TOKEN`.
    pub token: Secret,
    /// `EPOSH_TIMEOUT_SECONDS`: for one request and its answer.
    pub timeout: Duration,
    /// `EPOSH_PATIENCE_SECONDS`: for a page with all its tries and pauses.
    pub patience: Duration,
    /// The first pause between tries; the next ones double, to 20 s.
    pub first_pause: Duration,
}

impl std::fmt::Debug for Config {
    /// The address may have a key in its query.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.endpoint())
            .field("token", &self.token)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Eposh at this address.
    pub fn new(url: Url, token: Secret) -> Self {
        Self {
            url,
            token,
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(120),
            first_pause: Duration::from_millis(500),
        }
    }

    /// As the variables say; `None` without `EPOSH_API_URL`. One without the other of
    /// address and token is wrong.
    pub fn read(variables: &mut Variables) -> Option<Self> {
        let token = token(variables);
        if !variables.is_set("EPOSH_API_URL") {
            if token.is_some() {
                let missing = "EPOSH_API_TOKEN is set, and there is no address to use it at";
                variables.wrong("EPOSH_API_URL", missing);
            }
            return None;
        }
        if token.is_none() {
            let missing = "it is not set, and EPOSH_API_URL is: nothing is answered without it";
            variables.wrong("EPOSH_API_TOKEN", missing);
        }
        let default = Self::new(url(variables)?, token?);
        Some(Self {
            timeout: variables.seconds("EPOSH_TIMEOUT_SECONDS", default.timeout, 1..=600),
            patience: variables.seconds("EPOSH_PATIENCE_SECONDS", default.patience, 0..=3600),
            ..default
        })
    }

    /// Host and path: what may be shown of the address.
    pub(super) fn endpoint(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port().map(|port| format!(":{port}"));
        format!("{host}{}{}", port.unwrap_or_default(), self.url.path())
    }
}

fn token(variables: &mut Variables) -> Option<Secret> {
    let token = variables.secret("EPOSH_API_TOKEN")?;
    if HeaderValue::from_str(token.expose()).is_err() {
        variables.wrong("EPOSH_API_TOKEN", "no header can hold it");
    }
    Some(token)
}

/// The address is a secret as its query may hold one, and so is what is wrong with it.
fn url(variables: &mut Variables) -> Option<Url> {
    let text = variables.secret("EPOSH_API_URL")?;
    let Some(url) = address(text.expose()) else {
        let expected = "expected an address without user and fragment, and without date and \
                        page in its query, as https://eposh.example.com/api/inductions";
        variables.wrong("EPOSH_API_URL", expected);
        return None;
    };
    Some(url)
}

fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let mut query = url.query_pairs();
    let asks = query.any(|(name, _)| name == "date" || name == "page");
    let is_http = url.has_host() && matches!(url.scheme(), "http" | "https");
    (plain && is_http && !asks).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    #[test]
    fn it_is_off_without_an_address_and_wrong_by_halves() {
        let mut variables = Variables::of([]);
        assert!(Config::read(&mut variables).is_none());
        assert_eq!(variables.finish(), Ok(vec![]));
        for (set, wrong) in [
            (("EPOSH_API_URL", "https://eposh/api"), "EPOSH_API_TOKEN: "),
            (("EPOSH_API_TOKEN", "hunter2"), "EPOSH_API_URL: "),
        ] {
            let mut variables = Variables::of([set]);
            assert!(Config::read(&mut variables).is_none());
            let Invalid(faults) = variables.finish().unwrap_err();
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].starts_with(wrong), "{faults:?}");
        }
    }

    #[test]
    fn variables_are_read_and_secrets_not_shown() {
        let mut variables = Variables::of([
            ("EPOSH_API_URL", "https://eposh:8443/api/people?key=hunter3"),
            ("EPOSH_API_TOKEN", "hunter2"),
            ("EPOSH_TIMEOUT_SECONDS", "5"),
            ("EPOSH_PATIENCE_SECONDS", "0"),
        ]);
        let config = Config::read(&mut variables).unwrap();
        assert_eq!(config.url.query(), Some("key=hunter3"));
        assert_eq!(config.token.expose(), "hunter2");
        assert_eq!(config.timeout, Duration::from_secs(5));
        assert_eq!(config.patience, Duration::ZERO);
        assert_eq!(config.endpoint(), "eposh:8443/api/people");
        let told = format!("{config:?} {:?}", variables.finish().unwrap());
        assert!(told.contains("eposh:8443"), "{told}");
        assert!(!told.contains("hunter"), "{told}");
    }

    #[test]
    fn what_is_wrong_is_told_without_secrets() {
        for url in [
            "eposh:3000",
            "https://user:hunter2@eposh/",
            "ftp://eposh/hunter2",
            "https://eposh/?date=hunter2",
            "https://eposh/?hunter2&page=1",
            "https://eposh/#hunter2",
        ] {
            let mut variables =
                Variables::of([("EPOSH_API_URL", url), ("EPOSH_API_TOKEN", "hunter2\n3")]);
            Config::read(&mut variables);
            let Invalid(faults) = variables.finish().unwrap_err();
            assert_eq!(faults.len(), 2, "{url}: {faults:?}");
            assert!(!faults.join(" ").contains("hunter2"), "{faults:?}");
        }
    }
}
