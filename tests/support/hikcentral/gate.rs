//! AK/SK, from the other side: who signed a request, when, and whether it came before.
//! It was written from the guide and knows nothing of the client's.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::http::request::Parts;
use md5::{Digest, Md5};
use ring::hmac;

use super::profile::Profile;
use super::refusal::Refusal;

/// Nonces that came.
#[derive(Default)]
pub struct Gate {
    nonces: HashSet<u64>,
}

impl Gate {
    /// Whether a request is let through.
    pub fn judge(&mut self, profile: &Profile, head: &Parts, body: &[u8]) -> Result<(), Refusal> {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let key = header("x-ca-key");
        let key = key.ok_or_else(|| Refusal::new("0x02401000", "No AppKey is configured."))?;
        if key != profile.key {
            return Err(Refusal::new(
                "0x02401001",
                super::refusal::words("0x02401001"),
            ));
        }
        let signature = header("x-ca-signature");
        let signature =
            signature.ok_or_else(|| Refusal::new("0x02401002", "No signature is configured."))?;
        let text = text(head);
        let own = hmac::Key::new(hmac::HMAC_SHA256, profile.secret.as_bytes());
        let given = STANDARD.decode(signature).unwrap_or_default();
        let wrong = |why: &str| {
            // What gateways really do.
            let mut words = format!("Invalid signature! {why} StringToSign: {text:?}");
            if profile.leaks {
                let _ = write!(words, " ak={key} sk={}", profile.secret);
            }
            Refusal::new("0x02401003", words)
        };
        if hmac::verify(&own, text.as_bytes(), &given).is_err() {
            return Err(wrong(""));
        }
        if header("content-md5").is_some_and(|told| told != STANDARD.encode(Md5::digest(body))) {
            return Err(wrong("Content-MD5."));
        }
        if let Some(stamp) = header("x-ca-timestamp") {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let stamp = stamp.parse::<u64>().unwrap_or(0);
            let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
            let apart = u128::from(now.abs_diff(stamp));
            if apart > profile.window.as_millis() {
                return Err(wrong("Timestamp expired."));
            }
        }
        if let Some(nonce) = header("x-ca-nonce") {
            let mut hasher = DefaultHasher::new();
            nonce.hash(&mut hasher);
            if !self.nonces.insert(hasher.finish()) {
                return Err(wrong("Nonce used."));
            }
        }
        Ok(())
    }
}

/// What should have been signed.
pub fn text(head: &Parts) -> String {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut text = format!("{}\n", head.method);
    for name in ["accept", "content-md5", "content-type", "date"] {
        if let Some(value) = header(name) {
            text += value;
            text.push('\n');
        }
    }
    let listed = header("x-ca-signature-headers").unwrap_or_default();
    let mut listed: Vec<String> = listed
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    listed.sort();
    for name in listed {
        let _ = writeln!(text, "{name}:{}", header(&name).unwrap_or_default().trim());
    }
    text += head.uri.path();
    if let Some(query) = head.uri.query() {
        let mut pairs: Vec<&str> = query.split('&').collect();
        pairs.sort_unstable();
        text.push('?');
        text += &pairs.join("&");
    }
    text
}
