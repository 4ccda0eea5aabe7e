//! Where HikCentral is, how it knows us, and how fast it may be asked.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use reqwest::header::HeaderValue;
use rustls::pki_types::CertificateDer;
use url::Url;

use super::person::CustomField;
use crate::config::{Secret, Variables};
use crate::tls;

/// How HikCentral is called. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// `HIKCENTRAL_URL`: scheme, host and port.
    pub url: Url,
    /// `HIKCENTRAL_APP_KEY`: the partner's key, which is sent.
    pub app_key: Secret,
    /// `HIKCENTRAL_APP_SECRET`: what requests are signed with, which is not.
    pub app_secret: Secret,
    /// `HIKCENTRAL_CA_FILE`, `HIKCENTRAL_INSECURE_TLS`.
    pub trust: Trust,
    /// `HIKCENTRAL_ORG_INDEX_CODE`: the department that people are added to.
    pub organisation: Option<String>,
    /// `HIKCENTRAL_KIB_FIELD_ID` and `HIKCENTRAL_KIB_FIELD_NAME`: where the KIB number
    /// goes.
    pub kib_field: Option<CustomField>,
    /// `HIKCENTRAL_REQUESTS_PER_SECOND`: no more of all callers together; `None` as
    /// many as go.
    pub rate: Option<Rate>,
    /// `HIKCENTRAL_CONCURRENCY`: requests at once, of all callers together.
    pub concurrency: usize,
    /// `HIKCENTRAL_TIMEOUT_SECONDS`: for one request and its answer.
    pub timeout: Duration,
    /// `HIKCENTRAL_PATIENCE_SECONDS`: for a call with all its tries and pauses; the wait
    /// for its turn is not counted.
    pub patience: Duration,
    /// `HIKCENTRAL_MAX_RETRIES`: how often a request is repeated.
    pub retries: u32,
    /// The first pause between tries; the next ones double, to 10 s.
    pub first_pause: Duration,
    /// The first pause of all callers after a quota; the next ones double, to a minute.
    pub quota_pause: Duration,
    /// `HIKCENTRAL_APPLY_SECONDS`: how long is waited until devices have what was
    /// applied.
    pub apply: Duration,
    /// The first pause between two looks at that; the next ones double, to 10 s.
    pub apply_pause: Duration,
}

/// Whose certificates are taken.
#[derive(Clone, PartialEq, Eq)]
pub enum Trust {
    /// Those that an authority of the system has signed for this name.
    System,
    /// These, byte for byte, whatever name and dates are in them, and what they have
    /// signed for this name.
    Pinned(Vec<CertificateDer<'static>>),
    /// Any: whoever stands between can read along.
    Anyone,
}

/// How fast requests may follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// From one request to the next.
    pub every: Duration,
    /// So many may come at once after a rest.
    pub burst: u32,
}

impl Rate {
    /// So many a second. After a rest, 20 ms of them may come at once.
    pub fn per_second(requests: u32) -> Self {
        Self {
            every: Duration::from_secs(1) / requests.max(1),
            burst: (requests / 50).max(1),
        }
    }
}

impl Config {
    /// HikCentral at `url`, with defaults for all else.
    pub fn new(url: Url, app_key: Secret, app_secret: Secret) -> Self {
        Self {
            url,
            app_key,
            app_secret,
            trust: Trust::System,
            organisation: None,
            kib_field: None,
            rate: None,
            concurrency: 8,
            timeout: Duration::from_secs(30),
            patience: Duration::from_secs(60),
            retries: 5,
            first_pause: Duration::from_millis(250),
            quota_pause: Duration::from_secs(1),
            apply: Duration::from_secs(60),
            apply_pause: Duration::from_millis(500),
        }
    }

    /// As the variables say; `None` without `HIKCENTRAL_URL`. What is wrong or missing
    /// is noted in `variables`.
    ///
    /// Department and field may be missing: `doctor` lists the departments to choose
    /// from. Whoever adds people has to ask for them.
    pub fn read(variables: &mut Variables) -> Option<Self> {
        if !variables.is_set("HIKCENTRAL_URL") {
            for name in ["HIKCENTRAL_APP_KEY", "HIKCENTRAL_APP_SECRET"] {
                if variables.is_set(name) {
                    let why = format!("not set, but {name} is");
                    variables.wrong("HIKCENTRAL_URL", &why);
                }
            }
            return None;
        }
        let text = variables.text("HIKCENTRAL_URL").unwrap_or_default();
        let url = address(&text).unwrap_or_else(|| {
            let expected = "expected scheme, host and port, as https://hikcentral:443";
            variables.wrong("HIKCENTRAL_URL", expected);
            nowhere()
        });
        let app_key = required(variables, "HIKCENTRAL_APP_KEY");
        if HeaderValue::from_str(app_key.expose()).is_err() {
            variables.wrong("HIKCENTRAL_APP_KEY", "no header can hold it");
        }
        let app_secret = required(variables, "HIKCENTRAL_APP_SECRET");
        let default = Self::new(url, app_key, app_secret);
        let rate = variables.number("HIKCENTRAL_REQUESTS_PER_SECOND", 0, 0..=10_000);
        Some(Self {
            trust: Trust::read(variables),
            organisation: variables.text("HIKCENTRAL_ORG_INDEX_CODE"),
            kib_field: kib_field(variables),
            rate: (rate > 0).then(|| Rate::per_second(rate)),
            concurrency: variables.number("HIKCENTRAL_CONCURRENCY", default.concurrency, 1..=256),
            timeout: variables.seconds("HIKCENTRAL_TIMEOUT_SECONDS", default.timeout, 1..=600),
            patience: variables.seconds("HIKCENTRAL_PATIENCE_SECONDS", default.patience, 1..=3600),
            retries: variables.number("HIKCENTRAL_MAX_RETRIES", default.retries, 0..=100),
            apply: variables.seconds("HIKCENTRAL_APPLY_SECONDS", default.apply, 0..=3600),
            ..default
        })
    }
}

impl Config {
    /// What an operator is to be told at the start: who can read along.
    pub fn caution(&self) -> Option<&'static str> {
        if self.url.scheme() == "http" {
            return Some("plain http: whoever stands between reads names and photos");
        }
        (self.trust == Trust::Anyone).then_some(
            "HIKCENTRAL_INSECURE_TLS: any certificate is taken, and whoever stands between \
             reads names and photos; HIKCENTRAL_CA_FILE is better",
        )
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Pinned(certificates) => write!(f, "Pinned({})", certificates.len()),
            Self::Anyone => f.write_str("Anyone"),
        }
    }
}

impl Trust {
    fn read(variables: &mut Variables) -> Self {
        let file = variables.text("HIKCENTRAL_CA_FILE");
        let anyone = variables.switch("HIKCENTRAL_INSECURE_TLS", false);
        if anyone && file.is_some() {
            let why = "set beside HIKCENTRAL_CA_FILE; one of the two";
            variables.wrong("HIKCENTRAL_INSECURE_TLS", why);
        }
        match file {
            Some(file) => match tls::certificates(Path::new(&file)) {
                Ok(certificates) => Self::Pinned(certificates),
                Err(why) => {
                    variables.wrong("HIKCENTRAL_CA_FILE", &format!("{file}: {why}"));
                    Self::System
                }
            },
            None if anyone => Self::Anyone,
            None => Self::System,
        }
    }
}

fn required(variables: &mut Variables, name: &'static str) -> Secret {
    variables.secret(name).unwrap_or_else(|| {
        variables.wrong(name, "not set, but HIKCENTRAL_URL is");
        Secret::new("")
    })
}

fn kib_field(variables: &mut Variables) -> Option<CustomField> {
    let id = variables.text("HIKCENTRAL_KIB_FIELD_ID")?;
    Some(CustomField {
        id,
        name: variables.text_or("HIKCENTRAL_KIB_FIELD_NAME", "KIB"),
        kind: 0,
    })
}

/// Without a path, but for the one that all requests have.
fn address(text: &str) -> Option<Url> {
    let text = text.trim_end_matches('/');
    let url = Url::parse(text.strip_suffix("/artemis").unwrap_or(text)).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path() == "/";
    (plain && url.has_host() && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// What stands for an address that is wrong: nothing is asked there.
#[allow(clippy::expect_used, reason = "it is an address, as a test says")]
fn nowhere() -> Url {
    Url::parse("https://hikcentral.invalid/").expect("an address")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    #[test]
    fn variables_are_read() {
        assert!(Config::read(&mut Variables::of([])).is_none());
        let mut variables = Variables::of([
            ("HIKCENTRAL_URL", "https://hcp.local:8443/artemis/"),
            ("HIKCENTRAL_APP_KEY", "29666671"),
            ("HIKCENTRAL_APP_SECRET", "hunter2"),
            ("HIKCENTRAL_ORG_INDEX_CODE", "1"),
            ("HIKCENTRAL_KIB_FIELD_ID", "7"),
            ("HIKCENTRAL_INSECURE_TLS", "true"),
            ("HIKCENTRAL_REQUESTS_PER_SECOND", "100"),
            ("HIKCENTRAL_CONCURRENCY", "3"),
            ("HIKCENTRAL_TIMEOUT_SECONDS", "5"),
        ]);
        let config = Config::read(&mut variables).unwrap();
        assert_eq!(config.url.as_str(), "https://hcp.local:8443/");
        assert_eq!(config.trust, Trust::Anyone);
        assert_eq!(config.organisation.as_deref(), Some("1"));
        let field = config.kib_field.clone().unwrap();
        assert_eq!((field.id.as_str(), field.name.as_str()), ("7", "KIB"));
        let rate = config.rate.unwrap();
        assert_eq!((rate.every, rate.burst), (Duration::from_millis(10), 2));
        assert_eq!((config.concurrency, config.timeout.as_secs()), (3, 5));
        let told = format!("{config:?} {:?}", variables.finish().unwrap());
        assert!(
            !told.contains("hunter2") && !told.contains("29666671"),
            "{told}"
        );
        assert_eq!(nowhere().host_str(), Some("hikcentral.invalid"));
    }

    #[test]
    fn what_is_wrong_is_told_at_once_and_no_secret() {
        let mut variables = Variables::of([
            ("HIKCENTRAL_URL", "https://user:hunter2@hcp/"),
            ("HIKCENTRAL_APP_KEY", "hunter2\n3"),
            ("HIKCENTRAL_CA_FILE", "/nowhere/ca.pem"),
            ("HIKCENTRAL_INSECURE_TLS", "true"),
            ("HIKCENTRAL_CONCURRENCY", "0"),
        ]);
        Config::read(&mut variables);
        let Invalid(faults) = variables.finish().unwrap_err();
        assert_eq!(faults.len(), 6, "{faults:?}");
        assert!(!faults.join(" ").contains("hunter2"), "{faults:?}");
        assert!(
            faults.join(" ").contains("HIKCENTRAL_APP_SECRET"),
            "{faults:?}"
        );

        let mut variables = Variables::of([("HIKCENTRAL_APP_SECRET", "hunter2")]);
        assert!(Config::read(&mut variables).is_none());
        let Invalid(faults) = variables.finish().unwrap_err();
        assert!(
            faults.join(" ").contains("HIKCENTRAL_URL: not set"),
            "{faults:?}"
        );
    }

    #[test]
    fn addresses_have_no_path_of_their_own() {
        for text in ["http://10.0.0.9:9016", "https://hcp", "https://hcp/artemis"] {
            assert!(address(text).is_some(), "{text}");
        }
        for text in [
            "hcp:443",
            "ftp://hcp",
            "https://hcp/other",
            "https://hcp?a=b",
            "",
        ] {
            assert!(address(text).is_none(), "{text}");
        }
    }
}
