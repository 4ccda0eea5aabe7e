//! TLS to the server, with as much trust as the address asks for.

use std::path::Path;

use tokio_postgres_rustls::MakeRustlsConnect;

use crate::tls;

/// Whom to believe that he is the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whoever answers: what is sent is encrypted, and that is all.
    Anyone,
    /// Who has a certificate of an authority, whatever name is in it.
    Authority,
    /// Who has a certificate of an authority for the name that was called.
    Name,
}

/// What makes connections of that trust. `roots` is a file of authorities, the
/// system's where there is none.
pub(super) fn connector(trust: Trust, roots: Option<&Path>) -> Result<MakeRustlsConnect, String> {
    let authorities = || {
        let read = tls::roots(roots).map_err(|why| match roots {
            Some(file) => format!("sslrootcert {}: {why}", file.display()),
            None => why,
        })?;
        if read.is_empty() {
            return Err("no authorities to trust; name a file of them by sslrootcert=".to_owned());
        }
        Ok(read)
    };
    let trust = match trust {
        Trust::Anyone => tls::Trust::Anyone,
        Trust::Authority => tls::Trust::Authority(authorities()?),
        Trust::Name => tls::Trust::Name(authorities()?),
    };
    let config = tls::client(trust).map_err(|error| error.to_string())?;
    Ok(MakeRustlsConnect::new(config))
}
