//! Looks at where a request would go: at the URL before it is sent, and at the
//! addresses of its host when they are known, which are then the ones connected to.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host as UrlHost, Url};

use super::address::{Host, is_public};
use super::{Error, Result};

/// Looks names up.
#[async_trait]
pub trait Resolver: Send + Sync + fmt::Debug {
    /// The addresses of the host called `name`.
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// The host is not one that we go to.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Forbidden {
    #[error("{0} leads to a private address; FETCH_ALLOW_HOSTS can allow it")]
    Private(String),
    #[error("{0} is not among FETCH_ONLY_HOSTS")]
    Unlisted(String),
}

/// The rules, and who looks names up.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// May be private.
    allow: Arc<[Host]>,
    /// Where there are any, all others are forbidden.
    only: Arc<[Host]>,
    resolver: Arc<dyn Resolver>,
}

impl Guard {
    pub(super) fn new(allow: &[Host], only: &[Host], resolver: Arc<dyn Resolver>) -> Self {
        Self {
            allow: allow.into(),
            only: only.into(),
            resolver,
        }
    }

    /// Whether the URL may be asked for, as far as the URL tells. That of a name
    /// is looked at again by [`Resolve`].
    pub(super) fn check(&self, url: &Url, shown: &str) -> Result<()> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::forbidden(shown, "only http and https are fetched"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::forbidden(
                shown,
                "an address with a user or password in it is not fetched",
            ));
        }
        // The URL standard has made addresses of 0x7f.1, 2130706433 and the like.
        let checked = match url.host() {
            Some(UrlHost::Ipv4(address)) => self.check_address(address.into()),
            Some(UrlHost::Ipv6(address)) => self.check_address(address.into()),
            Some(UrlHost::Domain(name)) => self.check_name(name),
            None => return Err(Error::forbidden(shown, "it has no host")),
        };
        checked.map_err(|forbidden| Error::forbidden(shown, forbidden.to_string()))
    }

    /// Whether this address may be connected to, whatever its name.
    pub(super) fn check_address(&self, address: IpAddr) -> std::result::Result<(), Forbidden> {
        let shown = || address.to_string();
        if !self.only.is_empty() && !self.only.iter().any(|host| host.holds(address)) {
            return Err(Forbidden::Unlisted(shown()));
        }
        if is_public(address) || self.allow.iter().any(|host| host.holds(address)) {
            Ok(())
        } else {
            Err(Forbidden::Private(shown()))
        }
    }

    fn check_name(&self, name: &str) -> std::result::Result<(), Forbidden> {
        // A name may be listed by its addresses' block: the resolver looks.
        let blocks = self.only.iter().any(|host| matches!(host, Host::Block(..)));
        let listed = self.only.iter().any(|host| host.names(name));
        if self.only.is_empty() || listed || blocks {
            Ok(())
        } else {
            Err(Forbidden::Unlisted(name.to_owned()))
        }
    }

    /// Those of a name's addresses that may be connected to.
    fn admit(
        &self,
        name: &str,
        found: Vec<IpAddr>,
    ) -> std::result::Result<Vec<SocketAddr>, Forbidden> {
        let listed = self.only.is_empty() || self.only.iter().any(|host| host.names(name));
        let allowed = self.allow.iter().any(|host| host.names(name));
        let mut forbidden = None;
        let mut admitted = Vec::with_capacity(found.len());
        for address in found {
            let in_list = listed || self.only.iter().any(|host| host.holds(address));
            let in_reach =
                allowed || is_public(address) || self.allow.iter().any(|host| host.holds(address));
            match (in_list, in_reach) {
                (true, true) => admitted.push(SocketAddr::new(address, 0)),
                (false, _) => forbidden = Some(Forbidden::Unlisted(name.to_owned())),
                (true, false) => forbidden = Some(Forbidden::Private(name.to_owned())),
            }
        }
        match forbidden {
            Some(forbidden) if admitted.is_empty() => Err(forbidden),
            _ => Ok(admitted),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = guard.resolver.addresses(name).await?;
            let admitted = guard.admit(name, found)?;
            if admitted.is_empty() {
                let nothing = format!("{name} has no address");
                return Err(io::Error::new(io::ErrorKind::NotFound, nothing).into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}
