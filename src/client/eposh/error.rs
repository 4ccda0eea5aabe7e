//! Why a page cannot be had, split by what helps.

use std::fmt;
use std::time::Duration;

use jiff::civil::Date;

use super::Config;
use crate::client::said::deepest;

/// Why a page cannot be had: one line that names the address, the day, the page, what
/// happened and the remedy, and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Failure>);

/// What calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    kind: Kind,
    /// Host and path.
    endpoint: String,
    asked: Option<(Date, u32)>,
    status: Option<u16>,
    reason: String,
    tries: u32,
    after: Option<Duration>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No connection, it broke off, or a proxy says that nobody is behind it.
    Away,
    /// No answer in time.
    Late,
    /// It fails: 500, 408 and the like.
    Failing,
    /// 429: too many requests.
    RateLimited,
    /// 401, 403: the token is wrong, or may not do this.
    Refused,
    /// 404: nothing is at that address.
    NotFound,
    /// It leads elsewhere, where no token is sent, or does not take what is asked.
    Misled,
    /// The answer is no page of people.
    Malformed,
}

impl Kind {
    /// For metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::NotFound => "not_found",
            Self::Misled => "misled",
            Self::Malformed => "malformed",
        }
    }

    /// Whether the same request may do better later, with nothing changed.
    pub fn passes(self) -> bool {
        matches!(
            self,
            Self::Away | Self::Late | Self::Failing | Self::RateLimited
        )
    }

    /// What an operator does about it.
    fn remedy(self) -> &'static str {
        match self {
            Self::Away => "see to EPOSH_API_URL and the server",
            Self::Late => "see to the server and EPOSH_TIMEOUT_SECONDS",
            Self::Failing => "try again later",
            Self::RateLimited => "try again later, or raise EPOSH_PATIENCE_SECONDS",
            Self::Refused => "see to EPOSH_API_TOKEN and what it may read",
            Self::NotFound | Self::Misled | Self::Malformed => "see to EPOSH_API_URL",
        }
    }
}

impl Error {
    pub(super) fn new(kind: Kind, config: &Config, asked: (Date, u32), reason: String) -> Self {
        Self(Box::new(Failure {
            kind,
            endpoint: config.endpoint(),
            asked: Some(asked),
            status: None,
            reason,
            tries: 0,
            after: None,
        }))
    }

    /// No client can be made.
    pub(super) fn of_builder(config: &Config, error: &reqwest::Error) -> Self {
        Self(Box::new(Failure {
            kind: Kind::Misled,
            endpoint: config.endpoint(),
            asked: None,
            status: None,
            reason: format!("no HTTP client: {}", deepest(error)),
            tries: 0,
            after: None,
        }))
    }

    pub(super) fn answered(mut self, status: u16, after: Option<Duration>) -> Self {
        self.0.status = Some(status);
        self.0.after = after;
        self
    }

    pub(super) fn tried(mut self, tries: u32) -> Self {
        self.0.tries = tries;
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The answer's status, where it is an error.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// When it wants to be asked again, where it said.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.after
    }

    /// Whether the same call may do better later, with nothing changed.
    pub fn passes(&self) -> bool {
        self.0.kind.passes()
    }

    /// The day and the page that were asked for; a client that cannot be made has none.
    pub fn asked(&self) -> Option<(Date, u32)> {
        self.0.asked
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &self.0;
        write!(f, "Eposh ({})", failure.endpoint)?;
        if let Some((date, page)) = failure.asked {
            write!(f, ", {date}, page {page}")?;
        }
        f.write_str(": ")?;
        if let Some(status) = failure.status {
            write!(f, "it answered {status}: ")?;
        }
        f.write_str(&failure.reason)?;
        if failure.tries > 1 {
            write!(f, "; tried {} times", failure.tries)?;
        }
        write!(f, "; {}", failure.kind.remedy())
    }
}

impl std::error::Error for Error {}
