//! Why a call failed, split by what helps.

use std::fmt;
use std::time::Duration;

use super::code::Code;

/// Why a call failed: one line that names the call, what HikCentral said and the remedy.
/// It has no secret in it and nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Failure>);

/// What calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    kind: Kind,
    /// What was tried: "add a person".
    what: &'static str,
    status: Option<u16>,
    code: Option<Code>,
    reason: String,
    after: Option<Duration>,
    tries: u32,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No connection: nothing was sent.
    Away,
    /// No answer in time, to a call that may be repeated.
    Late,
    /// HikCentral fails (5xx, a code that says so), or the connection broke off.
    Failing,
    /// Code 6: too much to do just now.
    Busy,
    /// Code `0x02401009`: more calls than it allows.
    Quota,
    /// It is not known whether the person was added. Look him up by his code before
    /// anything else.
    Unknown,
    /// Code 2: it does not take what is said.
    BadParameter,
    /// Code 128: no such person, group or field.
    NotFound,
    /// Code 131: it is there already.
    Exists,
    /// Code 132: there is no room, or no licence, for more.
    Full,
    /// The key, the signature or what the partner may do: somebody must mend it.
    Unauthorised,
    /// Code 8 and its like: this version cannot do it, or the OpenAPI is not installed.
    Unsupported,
    /// Its certificate is not trusted.
    Certificate,
    /// What answers is no OpenAPI, or leads elsewhere.
    Foreign,
    /// What was to be sent makes no sense; nothing was sent.
    Unfit,
}

impl Kind {
    /// For metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Busy => "busy",
            Self::Quota => "quota",
            Self::Unknown => "unknown",
            Self::BadParameter => "bad_parameter",
            Self::NotFound => "not_found",
            Self::Exists => "exists",
            Self::Full => "full",
            Self::Unauthorised => "unauthorised",
            Self::Unsupported => "unsupported",
            Self::Certificate => "certificate",
            Self::Foreign => "foreign",
            Self::Unfit => "unfit",
        }
    }

    fn passes(self) -> bool {
        matches!(
            self,
            Self::Away | Self::Late | Self::Failing | Self::Busy | Self::Quota | Self::Unknown
        )
    }

    /// What an operator or a caller does about it.
    fn remedy(self) -> &'static str {
        match self {
            Self::Away => "see to HIKCENTRAL_URL, the network and the server",
            Self::Late => "see to the server or HIKCENTRAL_TIMEOUT_SECONDS",
            Self::Failing => "try again later, and see to the server's services",
            Self::Busy => "try again later, or lower HIKCENTRAL_CONCURRENCY",
            Self::Quota => "lower HIKCENTRAL_REQUESTS_PER_SECOND, or raise the partner's quota",
            Self::Unknown => "look the person up by the code before adding again",
            Self::BadParameter => "see to what is sent",
            Self::NotFound => {
                "see to the number of the group, the field (HIKCENTRAL_KIB_FIELD_ID) or the person"
            }
            Self::Exists => "update what is there",
            Self::Full => "remove what is not needed, or extend the licence",
            Self::Unauthorised => {
                "see to HIKCENTRAL_APP_KEY, HIKCENTRAL_APP_SECRET, the clocks, and what the \
                 partner may do"
            }
            Self::Unsupported => "see to the server's version and that its OpenAPI is installed",
            Self::Certificate => {
                "put the server's certificate, or its authority's, into HIKCENTRAL_CA_FILE"
            }
            Self::Foreign => "see to HIKCENTRAL_URL",
            Self::Unfit => "see to the settings and to what is sent",
        }
    }
}

impl Error {
    pub(super) fn new(kind: Kind, what: &'static str, reason: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            kind,
            what,
            status: None,
            code: None,
            reason: reason.into(),
            after: None,
            tries: 0,
        }))
    }

    pub(super) fn answered(mut self, status: u16, code: Option<Code>) -> Self {
        self.0.status = Some(status);
        self.0.code = code;
        self
    }

    pub(super) fn asks_for(mut self, after: Option<Duration>) -> Self {
        self.0.after = after;
        self
    }

    pub(super) fn tried(mut self, tries: u32) -> Self {
        self.0.tries = tries;
        self
    }

    /// The same, of a call that may have done its work.
    pub(super) fn in_doubt(mut self) -> Self {
        self.0.kind = Kind::Unknown;
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The answer's code, as HikCentral writes it: `131`, `0x02401009`.
    pub fn code(&self) -> Option<String> {
        self.0.code.map(|code| code.to_string())
    }

    /// The answer's HTTP status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// How long it is no use to try again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.after
    }

    /// Whether the same call may do better later, with nothing changed.
    pub fn passes(&self) -> bool {
        self.0.kind.passes()
    }

    /// Whether the same would come of any other person: no job is to be charged for it.
    pub fn is_about_all_jobs(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Away
                | Kind::Busy
                | Kind::Quota
                | Kind::Full
                | Kind::Unauthorised
                | Kind::Unsupported
                | Kind::Certificate
                | Kind::Foreign
        )
    }

    /// Whether the same call about the same person will never do better.
    pub fn is_final(&self) -> bool {
        !self.passes() && !self.is_about_all_jobs()
    }

    /// Whether the person may have been added all the same.
    pub fn is_unknown(&self) -> bool {
        self.0.kind == Kind::Unknown
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &self.0;
        write!(f, "HikCentral, {}: ", failure.what)?;
        if failure.kind == Kind::Unknown {
            f.write_str("it may have been done or not: ")?;
        }
        if let Some(code) = failure.code {
            write!(f, "code {code}: ")?;
        } else if let Some(status) = failure.status {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_everything_in_one_line() {
        let error = Error::new(Kind::Quota, "add a person", "more calls than it allows")
            .answered(401, Some(Code(0x0240_1009)))
            .asks_for(Some(Duration::from_secs(2)))
            .tried(3);
        assert_eq!(
            error.to_string(),
            "HikCentral, add a person: code 0x02401009: more calls than it allows; tried 3 times; \
             lower HIKCENTRAL_REQUESTS_PER_SECOND, or raise the partner's quota"
        );
        assert!(error.passes() && error.is_about_all_jobs() && !error.is_final());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        assert_eq!(error.code().as_deref(), Some("0x02401009"));
        let error = Error::new(Kind::Late, "add a person", "no answer in time").in_doubt();
        assert!(error.is_unknown() && error.passes());
        let error = Error::new(Kind::Exists, "add a person", "it is there");
        assert!(error.is_final());
    }
}
