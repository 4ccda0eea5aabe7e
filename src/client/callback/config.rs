//! Where the backend is, and how it knows us.

use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use url::Url;

use crate::config::{Secret, Variables};

/// How the backend is talked to.
#[derive(Debug, Clone)]
pub struct Config {
    /// `BACKEND_URL`, with a slash at its end.
    pub url: Url,
    /// `CALLBACK_TOKEN` in `CALLBACK_HEADER`, where there is one.
    pub credentials: Option<Credentials>,
    /// `CALLBACK_TIMEOUT_SECONDS`: for one request and its answer.
    pub timeout: Duration,
    /// `CALLBACK_PATIENCE_SECONDS`: how long a call is repeated.
    pub patience: Duration,
}

/// What the backend knows us by.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The header.
    pub header: HeaderName,
    /// Its value, which is marked as sensitive.
    pub value: HeaderValue,
    /// The token in it, so that no error repeats it.
    pub token: Secret,
}

impl Config {
    /// The backend at `url`, without credentials.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            credentials: None,
            timeout: Duration::from_secs(10),
            patience: Duration::from_secs(120),
        }
    }

    /// As the variables say; `None` without `BACKEND_URL`.
    pub fn read(variables: &mut Variables) -> Option<Self> {
        let text = variables.text("BACKEND_URL")?;
        let url = address(&text).unwrap_or_else(|| {
            let expected = "expected an address without user, query and fragment, as \
                            http://backend:3000";
            variables.wrong("BACKEND_URL", expected);
            nowhere()
        });
        let default = Self::new(url);
        Some(Self {
            credentials: Credentials::read(variables),
            timeout: variables.seconds("CALLBACK_TIMEOUT_SECONDS", default.timeout, 1..=600),
            patience: variables.seconds("CALLBACK_PATIENCE_SECONDS", default.patience, 0..=3600),
            ..default
        })
    }
}

impl Credentials {
    /// `header` is a header's name, and a word that stands before the token where there
    /// is to be one: `Authorization: Bearer`, `X-Worker-Token`.
    fn read(variables: &mut Variables) -> Option<Self> {
        let header = variables.text_or("CALLBACK_HEADER", "Authorization: Bearer");
        let token = variables.secret("CALLBACK_TOKEN")?;
        let (name, scheme) = header.split_once(':').unwrap_or((&header, ""));
        let value = format!("{} {}", scheme.trim(), token.expose());
        let name = name.trim().parse();
        let value = HeaderValue::from_str(value.trim());
        if name.is_err() {
            let expected = "expected a header's name and what stands before the token, as \
                            'Authorization: Bearer' or 'X-Worker-Token'";
            variables.wrong("CALLBACK_HEADER", expected);
        }
        if value.is_err() {
            variables.wrong("CALLBACK_TOKEN", "no header can hold it");
        }
        let mut value = value.ok()?;
        value.set_sensitive(true);
        Some(Self {
            header: name.ok()?,
            value,
            token,
        })
    }
}

/// With a slash at the end, so that paths are below it.
fn address(text: &str) -> Option<Url> {
    let url = Url::parse(&format!("{}/", text.trim_end_matches('/'))).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (plain && url.has_host() && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// What stands for an address that is wrong: nothing is asked there.
#[allow(clippy::expect_used, reason = "it is an address, as a test says")]
fn nowhere() -> Url {
    Url::parse("http://backend.invalid/").expect("an address")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    #[test]
    fn the_token_goes_into_the_header_that_is_named() {
        assert!(Config::read(&mut Variables::of([])).is_none());
        for (header, name, value) in [
            (None, "authorization", "Bearer hunter2"),
            (Some("X-Worker-Token"), "x-worker-token", "hunter2"),
            (
                Some("Authorization: Token"),
                "authorization",
                "Token hunter2",
            ),
        ] {
            let mut pairs = vec![
                ("BACKEND_URL", "http://backend:3000/v1/"),
                ("CALLBACK_TOKEN", "hunter2"),
            ];
            pairs.extend(header.map(|header| ("CALLBACK_HEADER", header)));
            let mut variables = Variables::of(pairs);
            let config = Config::read(&mut variables).unwrap();
            assert_eq!(config.url.as_str(), "http://backend:3000/v1/");
            let credentials = config.credentials.as_ref().unwrap();
            assert_eq!(credentials.header.as_str(), name);
            assert_eq!(credentials.value.to_str().unwrap(), value);
            let told = format!("{config:?} {:?}", variables.finish().unwrap());
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert_eq!(nowhere().host_str(), Some("backend.invalid"));
    }

    #[test]
    fn what_is_wrong_is_told_without_secrets() {
        for url in [
            "backend:3000",
            "http://user:hunter2@backend/",
            "ftp://backend",
        ] {
            let mut variables = Variables::of([
                ("BACKEND_URL", url),
                ("CALLBACK_TOKEN", "hunter2\n3"),
                ("CALLBACK_HEADER", "a b"),
            ]);
            Config::read(&mut variables);
            let Invalid(faults) = variables.finish().unwrap_err();
            assert_eq!(faults.len(), 3, "{faults:?}");
            assert!(!faults.join(" ").contains("hunter2"), "{faults:?}");
        }
    }
}
