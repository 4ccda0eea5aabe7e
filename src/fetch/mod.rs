//! Downloads from addresses that somebody else names: a photo's URL in a job, a
//! video's in a request. They must not become a way into the network behind.
//!
//! | file | what it does |
//! |---|---|
//! | `address.rs` | which addresses are public, which hosts may be private |
//! | `guard.rs` | looks at URLs, and at addresses before they are connected to |
//! | `body.rs` | what comes, bounded in size and time |
//! | `error.rs` | why a download failed |
//!
//! - `http` and `https` alone, without a user or password in the address.
//! - Public addresses alone, but for the hosts that the operator allows. What is
//!   checked is what the name's look-up gave, and that is what is connected to:
//!   a name that gets another address meanwhile gains nothing.
//! - The same for each redirect, of which there are few; headers that the caller
//!   gave stay with the first origin, and none leads from `https` to `http`.
//! - No more bytes than allowed, and no longer than allowed: to connect, until the
//!   first byte, between two bytes, in all.
//! - No proxy: it would look names up itself, behind the guard's back.
//!
//! What the bytes are is for the caller to find out from the bytes.

mod address;
mod body;
mod error;
mod guard;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use address::{Host, InvalidHost, is_public};
pub use body::{Download, Reader};
pub use error::{Error, Result};
pub use guard::{Resolver, SystemResolver};

use crate::config::Variables;
use guard::Guard;

/// What downloads may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Hosts that may have private addresses.
    pub allow: Vec<Host>,
    /// Where it is not empty: the hosts that may be asked at all.
    pub only: Vec<Host>,
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the request to the answer's first byte, at each redirect.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// For all of it, redirects too.
    pub total: Duration,
    /// How many redirects are followed.
    pub redirects: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            only: Vec::new(),
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(3600),
            redirects: 5,
        }
    }
}

impl Config {
    /// As `FETCH_ALLOW_HOSTS` and `FETCH_ONLY_HOSTS` (hosts with commas between)
    /// and `FETCH_TIMEOUT_SECONDS` (for all of a download) say.
    pub fn parse(variables: &mut Variables) -> Self {
        let default = Self::default();
        Self {
            allow: hosts(variables, "FETCH_ALLOW_HOSTS"),
            only: hosts(variables, "FETCH_ONLY_HOSTS"),
            total: variables.seconds("FETCH_TIMEOUT_SECONDS", default.total, 1..=7 * 24 * 3600),
            ..default
        }
    }
}

fn hosts(variables: &mut Variables, variable: &'static str) -> Vec<Host> {
    let text = variables.text(variable).unwrap_or_default();
    let mut hosts = Vec::new();
    for host in text
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty())
    {
        match host.parse() {
            Ok(host) => hosts.push(host),
            Err(error) => variables.wrong(variable, &format!("'{host}': {error}")),
        }
    }
    hosts
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The address, as somebody gave it.
    pub url: String,
    /// Sent to the first origin only, as an authorization.
    pub headers: HeaderMap,
    /// The most bytes.
    pub most: u64,
}

impl Request {
    /// No more than `most` bytes from `url`.
    pub fn new(url: impl Into<String>, most: u64) -> Self {
        Self {
            url: url.into(),
            headers: HeaderMap::new(),
            most,
        }
    }
}

/// Downloads. Clones share connections.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: Client,
    guard: Guard,
    config: Arc<Config>,
}

impl Fetcher {
    /// With the system's resolver.
    pub fn new(config: Config) -> Result<Self> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// With a resolver of choice.
    pub fn with_resolver(config: Config, resolver: Arc<dyn Resolver>) -> Result<Self> {
        // The first provider that is installed stays; all are ring here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Guard::new(&config.allow, &config.only, resolver);
        let client = Client::builder()
            .dns_resolver(guard.clone())
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(config.connect)
            .read_timeout(config.idle)
            .referer(false)
            .user_agent(concat!("flatbed/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::of_client("HTTP client", &error))?;
        Ok(Self {
            client,
            guard,
            config: Arc::new(config),
        })
    }

    /// Whether it may be gone to, as far as its text tells.
    pub fn check(&self, url: &str) -> Result<()> {
        self.parse(url).map(drop)
    }

    fn parse(&self, text: &str) -> Result<Url> {
        let shown = shown(text);
        let url = Url::parse(text)
            .map_err(|error| Error::forbidden(&shown, format!("no address: {error}")))?;
        self.guard.check(&url, &shown_url(&url))?;
        Ok(url)
    }

    /// Begins a download; it is read from what this returns.
    pub async fn get(&self, request: &Request) -> Result<Download> {
        let mut url = self.parse(&request.url)?;
        let first = url.clone();
        let deadline = Instant::now() + self.config.total;
        for _ in 0..=self.config.redirects {
            let shown = shown_url(&url);
            self.guard.check(&url, &shown)?;
            let headers = if url.origin() == first.origin() {
                request.headers.clone()
            } else {
                HeaderMap::new()
            };
            let response = self.send(&url, headers, &shown, deadline).await?;
            match next(&url, &response, &shown)? {
                Some(next) => url = next,
                None => return accept(response, shown, request.most, deadline),
            }
        }
        let redirects = self.config.redirects;
        let reason = format!("it redirects more than {redirects} times");
        Err(Error::refused(&shown(&request.url), reason))
    }

    async fn send(
        &self,
        url: &Url,
        headers: HeaderMap,
        shown: &str,
        deadline: Instant,
    ) -> Result<Response> {
        let answer = self
            .client
            .get(url.clone())
            .headers(headers)
            .header(ACCEPT_ENCODING, "identity")
            .send();
        let by = deadline.min(Instant::now() + self.config.first_byte);
        match timeout_at(by, answer).await {
            Ok(answer) => answer.map_err(|error| Error::of_client(shown, &error)),
            Err(_) => Err(Error::away(shown, "it did not answer in time")),
        }
    }
}

/// Where the answer leads on to, if it does.
fn next(url: &Url, response: &Response, shown: &str) -> Result<Option<Url>> {
    let redirects = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !redirects {
        return Ok(None);
    }
    let next = response
        .headers()
        .get(LOCATION)
        .and_then(|location| std::str::from_utf8(location.as_bytes()).ok())
        .and_then(|location| url.join(location).ok())
        .ok_or_else(|| Error::refused(shown, "it redirects to nowhere"))?;
    if url.scheme() == "https" && next.scheme() == "http" {
        let reason = "it redirects from https to http";
        return Err(Error::forbidden(shown, reason));
    }
    Ok(Some(next))
}

/// The answer as a download, if that is what it is.
fn accept(response: Response, shown: String, most: u64, deadline: Instant) -> Result<Download> {
    let status = response.status();
    if status != StatusCode::OK {
        let reason = format!("it answered {status}");
        let passes = status.is_server_error()
            || matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
            );
        return Err(if passes {
            Error::away(&shown, reason)
        } else {
            Error::refused(&shown, reason)
        });
    }
    let text = |name| {
        let value = response.headers().get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    if let Some(coding) = text(CONTENT_ENCODING).filter(|coding| coding != "identity") {
        let reason = format!("it sends {coding:.40}, which was not asked for");
        return Err(Error::refused(&shown, reason));
    }
    let length = response.content_length();
    if length.is_some_and(|length| length > most) {
        return Err(Error::TooLarge { url: shown, most });
    }
    let media_type = text(CONTENT_TYPE);
    Ok(Download::new(
        shown, length, media_type, response, most, deadline,
    ))
}

/// What of an address goes into messages and logs: neither its query, which may
/// be a signature, nor a password.
fn shown(text: &str) -> String {
    if let Ok(url) = Url::parse(text) {
        return shown_url(&url);
    }
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    let text = text.rsplit('@').next().unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // These fail for addresses that have no room for either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_show_no_secrets() {
        assert_eq!(
            shown("https://user:pass@host/a?signature=1#f"),
            "https://host/a"
        );
        assert_eq!(shown("no url ?x=1"), "no url ");
        assert_eq!(shown("//user:pass@host"), "host");
    }

    #[test]
    fn hosts_come_from_variables() {
        let mut variables = Variables::of([("FETCH_ALLOW_HOSTS", "nas.local, 10.1.0.0/16 ,")]);
        let config = Config::parse(&mut variables);
        assert_eq!(config.allow.len(), 2);
        variables.finish().unwrap();
        let mut variables = Variables::of([
            ("FETCH_ALLOW_HOSTS", "http://a"),
            ("FETCH_ONLY_HOSTS", "*"),
            ("FETCH_TIMEOUT_SECONDS", "0"),
        ]);
        Config::parse(&mut variables);
        assert_eq!(variables.finish().unwrap_err().0.len(), 3);
    }
}
