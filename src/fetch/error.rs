//! Why a download failed, split by whose fault it is.

use std::error::Error as StdError;
use std::io;

use super::guard::Forbidden;

/// Why a download failed. Each names the address without its query, which may
/// hold a signature, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The host cannot be reached, is busy or broken; trying later may help.
    #[error("{url}: {reason}")]
    Away {
        /// The address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The host does not give it, and will not later.
    #[error("{url}: {reason}")]
    Refused {
        /// The address.
        url: String,
        /// What it said.
        reason: String,
    },
    /// We do not go there: a private address, another scheme, a password.
    #[error("{url}: not allowed: {reason}")]
    Forbidden {
        /// The address.
        url: String,
        /// Why, and what an operator can allow.
        reason: String,
    },
    /// It is larger than allowed.
    #[error("{url}: larger than the {most} bytes allowed")]
    TooLarge {
        /// The address.
        url: String,
        /// The limit in bytes.
        most: u64,
    },
}

/// What downloads return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(super) fn away(url: &str, reason: impl Into<String>) -> Self {
        Self::Away {
            url: url.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn refused(url: &str, reason: impl Into<String>) -> Self {
        Self::Refused {
            url: url.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn forbidden(url: &str, reason: impl Into<String>) -> Self {
        Self::Forbidden {
            url: url.to_owned(),
            reason: reason.into(),
        }
    }

    /// What the HTTP client said about `url`.
    pub(super) fn of_client(url: &str, error: &reqwest::Error) -> Self {
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        let mut deepest = String::new();
        while let Some(error) = next {
            if let Some(forbidden) = error.downcast_ref::<Forbidden>() {
                return Self::forbidden(url, forbidden.to_string());
            }
            deepest = error.to_string();
            next = error.source();
        }
        let reason = if error.is_timeout() {
            "it did not go on in time".to_owned()
        } else if error.is_connect() {
            format!("no connection: {deepest}")
        } else {
            format!("the transfer broke off: {deepest}")
        };
        Self::away(url, reason)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Away { .. } => io::ErrorKind::ConnectionAborted,
            Error::Refused { .. } => io::ErrorKind::NotFound,
            Error::Forbidden { .. } => io::ErrorKind::PermissionDenied,
            Error::TooLarge { .. } => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, error)
    }
}
