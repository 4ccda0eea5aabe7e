//! The signature that analyses are pushed with: `X-Webhook-Timestamp`, and
//! `X-Webhook-Signature: sha256=` with the hex of HMAC-SHA256 over `timestamp.body`.
//!
//! No header names the message, so the signature does: a request that is replayed within
//! the window is the job that is known already, and a later one is too old.

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::secret::WebhookSecret;
use super::{Config, Refusal, check_time};
use crate::job::JobId;

const TIMESTAMP: &str = "x-webhook-timestamp";
const SIGNATURE: &str = "x-webhook-signature";

/// Ids of such jobs are named by their signatures in this space, a random one.
const SPACE: Uuid = Uuid::from_u128(0x5c9d_1f6e_3b0a_4c86_9a57_0e2d_7b41_c8f3);

/// Who may come in, and when.
#[derive(Clone)]
pub struct PlainDoor {
    secrets: Vec<WebhookSecret>,
    tolerance: Duration,
}

/// A request that is in time and says that it is signed; its body will tell.
#[derive(Debug, Clone)]
pub struct PlainClaimed<'a> {
    timestamp: &'a str,
    tag: Vec<u8>,
}

impl PlainDoor {
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
        timestamp: Option<&'a str>,
        signature: Option<&str>,
        now: SystemTime,
    ) -> Result<PlainClaimed<'a>, Refusal> {
        let timestamp = timestamp.ok_or(Refusal::Unsigned(TIMESTAMP))?;
        let signature = signature.ok_or(Refusal::Unsigned(SIGNATURE))?;
        let tag = signature.strip_prefix("sha256=").and_then(bytes);
        let tag = tag.ok_or(Refusal::Malformed {
            header: SIGNATURE,
            expected: "sha256= and 64 hexadecimal digits",
        })?;
        check_time(TIMESTAMP, timestamp, self.tolerance, now)?;
        Ok(PlainClaimed { timestamp, tag })
    }

    /// Whether one of the secrets signed it with this body: then the job's id.
    pub fn verify(&self, claimed: &PlainClaimed<'_>, body: &[u8]) -> Result<JobId, Refusal> {
        let signed = [claimed.timestamp.as_bytes(), b".", body].concat();
        let mut secrets = self.secrets.iter();
        if secrets.any(|secret| secret.made_tag(&claimed.tag, &signed)) {
            let id = Uuid::new_v5(&SPACE, &claimed.tag);
            Ok(JobId::of_foreign(&id.to_string()))
        } else {
            Err(Refusal::Forged(SIGNATURE))
        }
    }
}

/// The 32 bytes of a hash in hex.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::config::Variables;

    /// `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'sixteen bytes or more'`
    const BODY: &[u8] = br#"{"a":1}"#;
    const SENT: &str = "1700000000";

    fn door() -> PlainDoor {
        let mut variables = Variables::of([("WEBHOOK_SECRET", "sixteen bytes or more")]);
        PlainDoor::new(&Config::read(&mut variables).unwrap())
    }

    fn signature() -> String {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"sixteen bytes or more");
        let tag = ring::hmac::sign(&key, &[SENT.as_bytes(), b".", BODY].concat());
        let mut signature = "sha256=".to_owned();
        for byte in tag.as_ref() {
            let _ = write!(signature, "{byte:02x}");
        }
        signature
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn only_the_secret_opens_and_only_in_time() {
        let (door, signature) = (door(), signature());
        let admit = |signature: &str, now| door.admit(Some(SENT), Some(signature), at(now));
        let claimed = admit(&signature, 1_700_000_299).unwrap();
        let id = door.verify(&claimed, BODY).unwrap();
        assert_eq!(
            door.verify(&claimed, BODY).unwrap(),
            id,
            "a replay is the same job"
        );
        let shouted = admit(
            &signature.to_uppercase().replace("SHA256", "sha256"),
            1_700_000_000,
        );
        assert_eq!(door.verify(&shouted.unwrap(), BODY).unwrap(), id);
        let forged = door.verify(&claimed, br#"{"a":2}"#);
        assert_eq!(forged, Err(Refusal::Forged(SIGNATURE)));
        assert!(matches!(
            admit(&signature, 1_700_000_301),
            Err(Refusal::Late { .. })
        ));
        assert!(matches!(
            admit(&signature, 1_699_999_699),
            Err(Refusal::Early { .. })
        ));
        for wrong in [
            "",
            "sha256=",
            "sha1=00",
            &format!("sha256={}", "é".repeat(32)),
        ] {
            let refused = admit(wrong, 1_700_000_000);
            assert!(matches!(refused, Err(Refusal::Malformed { .. })), "{wrong}");
        }
        assert_eq!(
            door.admit(None, Some(&signature), at(0)).unwrap_err(),
            Refusal::Unsigned(TIMESTAMP)
        );
    }
}
