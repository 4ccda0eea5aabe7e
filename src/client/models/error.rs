//! Why a call failed, split by what helps.

use std::fmt;
use std::time::Duration;

use super::verdict::Word;

/// Why a call failed: one line that names the endpoint, the model, what the server said
/// and the remedy, and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Failure>);

/// What calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is known of a failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    kind: Kind,
    /// Host and path.
    endpoint: String,
    model: String,
    status: Option<u16>,
    reason: String,
    request_id: Option<String>,
    tries: u32,
    after: Option<Duration>,
    /// Whether it is worth another try.
    again: bool,
    word: Word,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No connection, or it broke off.
    Away,
    /// The server did not answer in time, or the call's patience is at its end.
    Late,
    /// The server fails: 5xx, 408, 409.
    Failing,
    /// 429: too many requests or tokens a minute.
    RateLimited,
    /// 429 `insufficient_quota`: nothing is left to pay with.
    Quota,
    /// 401: the key is wrong or missing.
    Key,
    /// 403: the key is right and may not do this; also countries that are not served.
    Forbidden,
    /// 404: no such model, or no such endpoint.
    NoModel,
    /// More bytes than the server takes.
    TooLarge,
    /// More tokens than the model takes.
    TooLong,
    /// The server does not take the request.
    Refused,
    /// Content that the provider's rules forbid.
    Filtered,
    /// The answer is none of this API.
    Foreign,
    /// What was to be sent cannot be read, or is none of what models take.
    Unfit,
}

impl Kind {
    /// For the metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::RateLimited => "rate_limited",
            Self::Quota => "quota",
            Self::Key => "key",
            Self::Forbidden => "forbidden",
            Self::NoModel => "no_model",
            Self::TooLarge => "too_large",
            Self::TooLong => "too_long",
            Self::Refused => "refused",
            Self::Filtered => "filtered",
            Self::Foreign => "foreign",
            Self::Unfit => "unfit",
        }
    }

    fn passes(self) -> bool {
        matches!(
            self,
            Self::Away | Self::Late | Self::Failing | Self::RateLimited
        )
    }

    /// What an operator or a caller does about it.
    fn remedy(self) -> &'static str {
        match self {
            Self::Away | Self::Foreign => "see to OPENAI_BASE_URL and the server",
            Self::Late => "see to the server, OPENAI_TIMEOUT_SECONDS or OPENAI_PATIENCE_SECONDS",
            Self::Failing => "try again later",
            Self::RateLimited => "lower OPENAI_CONCURRENCY, or ask the provider for a higher limit",
            Self::Quota => "top up the account or raise its budget",
            Self::Key => "see to OPENAI_API_KEY",
            Self::Forbidden => "see to what OPENAI_API_KEY may do, and to OPENAI_PROJECT",
            Self::NoModel => "see to the model's name (OPENAI_..._MODEL) and OPENAI_BASE_URL",
            Self::TooLarge => "send less at a time",
            Self::TooLong => "send shorter texts (OPENAI_EMBEDDING_INPUT_TOKENS)",
            Self::Refused => "see to the model and its settings",
            Self::Filtered => "leave this out",
            Self::Unfit => "see to what is sent",
        }
    }
}

impl Error {
    pub(super) fn new(kind: Kind, endpoint: &str, model: &str, reason: String) -> Self {
        Self(Box::new(Failure {
            kind,
            endpoint: endpoint.to_owned(),
            model: model.to_owned(),
            status: None,
            reason,
            request_id: None,
            tries: 0,
            after: None,
            again: kind.passes(),
            word: Word::default(),
        }))
    }

    pub(super) fn answered(mut self, status: u16, request_id: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.request_id = request_id;
        self
    }

    pub(super) fn said(mut self, word: Word) -> Self {
        self.0.word = word;
        self
    }

    pub(super) fn asks_for(mut self, after: Option<Duration>, again: Option<bool>) -> Self {
        self.0.after = after;
        self.0.again = again.unwrap_or(self.0.again);
        self
    }

    /// What the body said.
    pub(super) fn word(&self) -> &Word {
        &self.0.word
    }

    /// Whether it is worth another try at once.
    pub(super) fn is_tried_again(&self) -> bool {
        self.0.again
    }

    pub(super) fn tried(mut self, tries: u32) -> Self {
        self.0.tries = tries;
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The answer's status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// What the provider's support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// When the server wants to be asked again, where it said.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.after
    }

    /// Whether the same call may do better later, with nothing changed.
    pub fn passes(&self) -> bool {
        self.0.kind.passes()
    }

    /// Whether the same would come of anything that is sent.
    pub fn is_about_all_jobs(&self) -> bool {
        matches!(
            self.0.kind,
            Kind::Away
                | Kind::RateLimited
                | Kind::Quota
                | Kind::Key
                | Kind::Forbidden
                | Kind::NoModel
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = &self.0;
        write!(f, "{}", failure.endpoint)?;
        if !failure.model.is_empty() {
            write!(f, " ({})", failure.model)?;
        }
        f.write_str(": ")?;
        if let Some(status) = failure.status {
            write!(f, "it answered {status}: ")?;
        }
        f.write_str(&failure.reason)?;
        if let Some(id) = &failure.request_id {
            write!(f, "; request {id}")?;
        }
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
        let endpoint = "api.openai.com/v1/embeddings";
        let reason = "Rate limit reached (rate_limit_exceeded)".to_owned();
        let error = Error::new(
            Kind::RateLimited,
            endpoint,
            "text-embedding-3-small",
            reason,
        )
        .answered(429, Some("req_1".to_owned()))
        .asks_for(Some(Duration::from_secs(2)), None)
        .tried(7);
        assert_eq!(
            error.to_string(),
            "api.openai.com/v1/embeddings (text-embedding-3-small): it answered 429: Rate limit \
             reached (rate_limit_exceeded); request req_1; tried 7 times; lower \
             OPENAI_CONCURRENCY, or ask the provider for a higher limit"
        );
        assert!(error.passes() && error.is_about_all_jobs());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(2)));
        let error = Error::new(Kind::Quota, endpoint, "", "no".to_owned());
        assert!(!error.passes() && error.is_about_all_jobs());
    }
}
