//! One secret, and whether it made a signature.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// What a secret of the standard's begins with; base64 follows.
const PREFIX: &str = "whsec_";

/// The fewest bytes of a secret: fewer can be guessed.
const FEWEST: usize = 16;

/// A secret that a sender shares with this worker. It is never shown.
#[derive(Clone)]
pub struct WebhookSecret(hmac::Key);

/// The text is no secret; it is not quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected whsec_ and base64, as `echo whsec_$(openssl rand -base64 32)` makes it, or other \
     text; of {FEWEST} bytes or more; several with commas between"
)]
pub struct InvalidSecret;

impl FromStr for WebhookSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let bytes = match text.strip_prefix(PREFIX) {
            Some(coded) => STANDARD.decode(coded).map_err(|_| InvalidSecret)?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < FEWEST {
            return Err(InvalidSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

impl WebhookSecret {
    /// Whether `signature`, in base64, is this secret's for `signed`. Takes as long
    /// whatever part of it is right.
    pub(super) fn made(&self, signature: &str, signed: &[u8]) -> bool {
        let tag = STANDARD.decode(signature);
        tag.is_ok_and(|tag| self.made_tag(&tag, signed))
    }

    /// The same for the tag itself.
    pub(super) fn made_tag(&self, tag: &[u8], signed: &[u8]) -> bool {
        hmac::verify(&self.0, signed, tag).is_ok()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}
