//! Where the models are, and that a key does not go there in the clear.
//!
//! Plain http is for servers in one's own network. Whether an address is in it is told
//! by the address and not by the name: a name is looked up when a connection is made,
//! and public addresses are then left out (`OPENAI_ALLOW_HTTP` lifts that).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::fetch::{Resolver, SystemResolver, is_public};

/// Where OpenAI's own models are.
pub(super) const OPENAI: &str = "https://api.openai.com/v1/";

/// What is wrong with an address, and what is expected.
pub(super) type Unfit = &'static str;

/// The address with a slash at its end, so that paths are below it.
pub(super) fn base(text: &str, allow_http: bool) -> Result<Url, Unfit> {
    const EXPECTED: Unfit =
        "expected an address without user, query and fragment, as https://api.openai.com/v1";
    let url = Url::parse(&format!("{}/", text.trim_end_matches('/'))).map_err(|_| EXPECTED)?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain || !url.has_host() || !matches!(url.scheme(), "http" | "https") {
        return Err(EXPECTED);
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    if is_in_the_clear(&url, allow_http) && literal.is_some_and(is_public) {
        return Err(
            "http to a public address, where anybody on the way reads along: use https, or set \
             OPENAI_ALLOW_HTTP=true",
        );
    }
    Ok(url)
}

/// Whether it is OpenAI's, where nothing goes without a key.
pub(super) fn is_openai(url: &Url) -> bool {
    url.host_str()
        .is_some_and(|host| host == "api.openai.com" || host.ends_with(".api.openai.com"))
}

/// Whether only private addresses may be connected to.
pub(super) fn is_in_the_clear(url: &Url, allow_http: bool) -> bool {
    url.scheme() == "http" && !allow_http
}

/// Looks names up, and leaves out public addresses.
#[derive(Debug, Clone)]
pub(super) struct PrivateOnly(Arc<dyn Resolver>);

impl Default for PrivateOnly {
    fn default() -> Self {
        Self(Arc::new(SystemResolver))
    }
}

impl PrivateOnly {
    async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let found = self.0.addresses(name).await?;
        let known = !found.is_empty();
        let private = found.into_iter().filter(|address| !is_public(*address));
        let private: Vec<_> = private.map(|address| SocketAddr::new(address, 0)).collect();
        match (private.is_empty(), known) {
            (false, _) => Ok(private),
            (true, false) => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("{name} has no address"),
            )),
            (true, true) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "{name} is a public address, to which nothing is sent by http: use https, or \
                     set OPENAI_ALLOW_HTTP=true"
                ),
            )),
        }
    }
}

impl Resolve for PrivateOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let own = self.clone();
        Box::pin(async move {
            let found = own.addresses(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    #[derive(Debug)]
    struct Fixed(&'static [&'static str]);

    #[async_trait]
    impl Resolver for Fixed {
        async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.iter().map(|text| text.parse().unwrap()).collect())
        }
    }

    #[test]
    fn a_slash_more_or_less_is_the_same() {
        for text in ["https://api.openai.com/v1", "https://api.openai.com/v1//"] {
            assert_eq!(base(text, false).unwrap().as_str(), OPENAI);
        }
        assert!(is_openai(
            &base("https://eu.api.openai.com/v1", false).unwrap()
        ));
        assert!(!is_openai(
            &base("https://notapi.openai.com.evil.net", false).unwrap()
        ));
    }

    #[test]
    fn what_is_no_address_or_in_the_clear_is_refused() {
        for text in [
            "api.openai.com/v1",
            "https://user:hunter2@host/v1",
            "https://host/v1?key=1",
            "ftp://host",
            "https://",
            "http://8.8.8.8/v1",
            "http://[2606:4700::1111]/v1",
        ] {
            assert!(base(text, false).is_err(), "{text}");
        }
        assert!(base("http://8.8.8.8/v1", true).is_ok());
        for text in [
            "http://127.0.0.1:8000/v1",
            "http://[::1]:8000",
            "http://192.168.1.5/v1",
            "http://ollama:11434/v1",
        ] {
            assert!(base(text, false).is_ok(), "{text}");
        }
    }

    #[tokio::test]
    async fn names_lead_to_private_addresses_alone() {
        let found = |addresses| async move {
            PrivateOnly(Arc::new(Fixed(addresses)))
                .addresses("models")
                .await
                .map(|found| found.len())
                .map_err(|error| error.kind())
        };
        assert_eq!(found(&["10.0.0.7", "8.8.8.8", "::1"]).await, Ok(2));
        assert_eq!(
            found(&["8.8.8.8"]).await,
            Err(io::ErrorKind::PermissionDenied)
        );
        assert_eq!(found(&[]).await, Err(io::ErrorKind::NotFound));
    }
}
