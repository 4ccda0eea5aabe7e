//! `DATABASE_URL`: where the database is, and how far its server is trusted.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Trust};
use crate::queue::{Error, Result};

/// To one of the server's addresses.
const CONNECT: Duration = Duration::from_secs(2);

/// After which a peer that is gone without a word is given up by the system, at
/// the latest; calls give it up sooner.
const GONE: Duration = Duration::from_secs(8);

/// Where the database is.
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
    /// Which queue of which server, without user and password.
    name: String,
    server: String,
}

impl Address {
    /// Reads `url`, and the certificates that it names.
    pub(crate) fn parse(url: &str, queue: &str) -> Result<Self> {
        Self::of(url, &format!("queue {queue}"))
    }

    /// The same for something else than a queue; messages call it so.
    pub(crate) fn of(url: &str, what: &str) -> Result<Self> {
        let refused = |reason: String| Error::Refused {
            queue: format!("{what} on postgres"),
            reason,
            source: None,
        };
        let asked = Asked::read(url).map_err(refused)?;
        let mut config: Config = asked
            .url
            .parse()
            // The library's error may quote the address, password and all.
            .map_err(|_| refused(EXPECTED.to_owned()))?;
        config
            .ssl_mode(asked.mode)
            .tcp_user_timeout(GONE)
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(15))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        if config
            .get_connect_timeout()
            .is_none_or(|set| *set > CONNECT)
        {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("flatbed");
        }
        // Of several servers, the one that writes.
        if config.get_hosts().len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let server = server(&config);
        Ok(Self {
            tls: tls::connector(asked.trust, asked.roots.as_deref()).map_err(refused)?,
            name: format!("{what} on postgres {server}"),
            server,
            config,
        })
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn away(&self, reason: &str) -> Error {
        Error::Away {
            queue: self.name.clone(),
            reason: reason.to_owned(),
            source: None,
        }
    }
}

const EXPECTED: &str = "the address is not understood; DATABASE_URL must be as \
     postgres://user:password@host:5432/database, with ?sslmode=require for TLS, and what \
     is special in user and password percent-encoded";

/// An address, less what the library does not know.
struct Asked {
    url: String,
    mode: SslMode,
    trust: Trust,
    roots: Option<PathBuf>,
}

impl Asked {
    fn read(url: &str) -> Result<Self, String> {
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(EXPECTED.to_owned());
        }
        let (place, options) = url.split_once('?').unwrap_or((url, ""));
        let mut kept = String::from(place);
        let (mut mode, mut roots) = (None, None);
        let mut join = '?';
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(decoded(value)),
                _ => {
                    // Writing to a String does not fail.
                    let _ = write!(kept, "{join}{option}");
                    join = '&';
                }
            }
        }
        let roots = roots.filter(|roots| roots != "system").map(PathBuf::from);
        // As libpq has it: `require` alone encrypts and trusts whoever answers.
        let (mode, trust) = match (mode.unwrap_or("prefer"), &roots) {
            ("disable", _) => (SslMode::Disable, Trust::Anyone),
            ("allow" | "prefer", _) => (SslMode::Prefer, Trust::Anyone),
            ("require", None) => (SslMode::Require, Trust::Anyone),
            ("require" | "verify-ca", _) => (SslMode::Require, Trust::Authority),
            ("verify-full", _) => (SslMode::Require, Trust::Name),
            (other, _) => {
                return Err(format!(
                    "sslmode={other}: expected disable, prefer, require, verify-ca or verify-full"
                ));
            }
        };
        Ok(Self {
            url: kept,
            mode,
            trust,
            roots,
        })
    }
}

fn decoded(value: &str) -> String {
    let pair = format!("value={value}");
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// `host:port/database`, several hosts with commas.
fn server(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(number, host)| {
        let port = ports.get(number).or(ports.first()).unwrap_or(&5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => folder.display().to_string(),
        }
    });
    let hosts: Vec<String> = hosts.collect();
    let database = config.get_dbname().or(config.get_user());
    format!("{}/{}", hosts.join(","), database.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let of = |url| Address::parse(url, "q").unwrap();
        let address =
            of("postgresql://me:hunter2@db.example:6000/videos?sslmode=require&options=-c%20a%3Db");
        assert_eq!(address.server(), "db.example:6000/videos");
        assert_eq!(address.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(address.config.get_options(), Some("-c a=b"));
        assert_eq!(
            of("postgres://me@h1,h2:7000/d").server(),
            "h1:5432,h2:7000/d"
        );
        let asked =
            Asked::read("postgres://h/d?sslrootcert=%2Fa%20b&x=1&sslmode=verify-full").unwrap();
        assert_eq!(asked.url, "postgres://h/d?x=1");
        assert_eq!(asked.roots, Some("/a b".into()));
        assert_eq!(asked.trust, Trust::Name);
        let asked = Asked::read("postgres://h/d?sslmode=require&sslrootcert=/a").unwrap();
        assert_eq!(asked.trust, Trust::Authority);
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for url in [
            "mysql://me:hunter2@h/d",
            "postgres//me:hunter2@h",
            "postgres://me:hunter2@h:port/d",
            "postgres://me:hunter2@h/d?sslmode=maybe",
            "postgres://me:hunter2@h/d?sslrootcert=/nowhere&sslmode=verify-full",
            "host=h user=me password=hunter2",
        ] {
            let error = Address::parse(url, "q").err().unwrap();
            let line = format!("{error} {error:?}");
            assert!(matches!(error, Error::Refused { .. }), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
        }
    }
}
