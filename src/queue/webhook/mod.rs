//! Jobs that are pushed: who knows the secret may add one by a signed request.
//!
//! | file | what it does |
//! |---|---|
//! | `config.rs` | secrets and how old a request may be |
//! | `secret.rs` | one secret, and whether it made a signature |
//! | `plain.rs` | the simpler signature that analyses are pushed with |
//!
//! It is another door to a queue that keeps records, and no queue of its own: what
//! comes in by it is added to the [`Ledger`] before it is answered, and delivered by
//! that ledger's [`Source`](super::Source). The web is `http/webhook.rs`.
//!
//! Requests are signed as [Standard Webhooks](https://www.standardwebhooks.com) says:
//! `webhook-id` names the message and is the same when it is sent again,
//! `webhook-timestamp` is the second in which it was sent, and `webhook-signature` is
//! one or more `v1,` and base64 of HMAC-SHA256 over
//! `{webhook-id}.{webhook-timestamp}.{body}`. A request that is replayed within the
//! window has a known id, and adds nothing; a later one is too old.

mod config;
mod plain;
mod secret;

use std::time::{Duration, SystemTime};

pub use config::Config;
pub use plain::{PlainClaimed, PlainDoor};
pub use secret::{InvalidSecret, WebhookSecret};

#[cfg(doc)]
use super::Ledger;
use crate::job::JobId;

/// The headers of the time and of the signature.
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// The most bytes of a message's id.
const LONGEST_ID: usize = 255;

/// The most signatures of a message: a sender that changes its secret has two.
const MOST_SIGNATURES: usize = 8;

/// Who may come in, and when.
#[derive(Clone)]
pub struct Door {
    secrets: Vec<WebhookSecret>,
    tolerance: Duration,
}

/// The three headers of a request, where it has them and they are text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// `webhook-id`
    pub id: Option<&'a str>,
    /// `webhook-timestamp`
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`
    pub signature: Option<&'a str>,
}

/// A request that is in time and says that it is signed; its body will tell.
#[derive(Debug, Clone, Copy)]
pub struct Claimed<'a> {
    id: &'a str,
    timestamp: &'a str,
    signatures: &'a str,
}

/// Why a request is not taken. None of them says how near a forgery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header is missing.
    #[error("this needs a signed request: the header {0} is missing")]
    Unsigned(&'static str),
    /// A header is not what it must be.
    #[error("{header}: expected {expected}")]
    Malformed {
        /// Which.
        header: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// It was sent too long ago, or is a replay.
    #[error(
        "{header}: the request is {age} s old, and {most} s are allowed \
         (WEBHOOK_TOLERANCE_SECONDS); sign it anew"
    )]
    Late {
        /// Which header says so.
        header: &'static str,
        /// Its age, in seconds.
        age: u64,
        /// What is allowed, in seconds.
        most: u64,
    },
    /// It comes from the future.
    #[error(
        "{header}: the request is {ahead} s ahead of this host's clock, and {most} s are \
         allowed (WEBHOOK_TOLERANCE_SECONDS); see to both clocks"
    )]
    Early {
        /// Which header says so.
        header: &'static str,
        /// How far, in seconds.
        ahead: u64,
        /// What is allowed, in seconds.
        most: u64,
    },
    /// No secret made any of its signatures.
    #[error("{0}: no known secret signed this request as it came")]
    Forged(&'static str),
}

impl Door {
    /// A door that opens to these secrets.
    pub fn new(config: &Config) -> Self {
        Self {
            secrets: config.secrets.clone(),
            tolerance: config.tolerance,
        }
    }

    /// Looks at the headers, so that what is late or unsigned need not be read.
    pub fn admit<'a>(
        &self,
        headers: &Headers<'a>,
        now: SystemTime,
    ) -> Result<Claimed<'a>, Refusal> {
        let id = headers.id.ok_or(Refusal::Unsigned("webhook-id"))?;
        let timestamp = headers.timestamp.ok_or(Refusal::Unsigned(TIMESTAMP))?;
        let signatures = headers.signature.ok_or(Refusal::Unsigned(SIGNATURE))?;
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(Refusal::Malformed {
                header: "webhook-id",
                expected: "1 to 255 characters",
            });
        }
        check_time(TIMESTAMP, timestamp, self.tolerance, now)?;
        Ok(Claimed {
            id,
            timestamp,
            signatures,
        })
    }

    /// Whether one of the secrets signed it with this body: then the job's id.
    pub fn verify(&self, claimed: &Claimed<'_>, body: &[u8]) -> Result<JobId, Refusal> {
        let Claimed {
            id,
            timestamp,
            signatures,
        } = claimed;
        let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
        let known = signatures
            .split_ascii_whitespace()
            .take(MOST_SIGNATURES)
            // Other versions are for others.
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .any(|signature| {
                let mut secrets = self.secrets.iter();
                secrets.any(|secret| secret.made(signature, &signed))
            });
        if known {
            Ok(JobId::of_foreign(id))
        } else {
            Err(Refusal::Forged(SIGNATURE))
        }
    }
}

/// Whether a request is in time by the header that says when it was sent.
fn check_time(
    header: &'static str,
    timestamp: &str,
    tolerance: Duration,
    now: SystemTime,
) -> Result<(), Refusal> {
    let malformed = Refusal::Malformed {
        header,
        expected: "whole seconds since 1970",
    };
    let is_number = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let sent: u64 = timestamp.parse().map_err(|_| malformed)?;
    if !is_number {
        return Err(malformed);
    }
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let most = tolerance.as_secs();
    let (age, ahead) = (now.saturating_sub(sent), sent.saturating_sub(now));
    if age > most {
        return Err(Refusal::Late { header, age, most });
    }
    if ahead > most {
        return Err(Refusal::Early {
            header,
            ahead,
            most,
        });
    }
    Ok(())
}
