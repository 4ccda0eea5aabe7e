//! Links to objects: signed paths of the folder store, made and verified here.

use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::key::escape;
use super::{Key, media_type};

/// Where an object can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// A URL, or, for the folder store, a path with a query on this server that
    /// begins with [`LOCAL`].
    pub url: String,
    /// When it ceases to work; `None` for a public address.
    pub expires: Option<SystemTime>,
}

/// How the paths of the folder store's links begin; the key follows, escaped.
pub const LOCAL: &str = "/files/";

/// The query of a folder store's link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Signed {
    /// When it ceases to work, in seconds since 1970.
    pub expires: u64,
    /// The name under which a browser saves it.
    pub name: Option<String>,
    /// Over the method, the key and the two above.
    pub signature: String,
}

/// Why a folder store's link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    /// It was tampered with, or signed by another store.
    #[error("this link was not signed here")]
    Forged,
    /// It was good once.
    #[error("this link has expired; ask for a new one")]
    Expired,
}

/// What signs the links of a folder store.
pub(super) struct SigningKey(hmac::Key);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

const BYTES: usize = 32;

impl SigningKey {
    fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The bytes of a new one.
    pub(super) fn random() -> io::Result<[u8; BYTES]> {
        let mut bytes = [0; BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| io::Error::other("the system gives no random bytes"))?;
        Ok(bytes)
    }

    /// The one in this file, if there is a whole one.
    pub(super) fn read(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(path) {
            Ok(bytes) if bytes.len() == BYTES => Ok(Some(Self::new(&bytes))),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} is no signing key; remove it", path.display()),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A link that holds until `now` and `holds`, in whole seconds.
    pub(super) fn sign(
        &self,
        key: &Key,
        holds: Duration,
        file_name: Option<&str>,
        now: SystemTime,
    ) -> Link {
        let expires = seconds(now).saturating_add(holds.as_secs());
        let tag = hmac::sign(&self.0, &message(key, expires, file_name));
        let mut url = format!("{LOCAL}{}?expires={expires}", key.escaped());
        if let Some(name) = file_name {
            url.push_str("&name=");
            for byte in name.bytes() {
                escape(byte, false, &mut url);
            }
        }
        url.push_str("&signature=");
        for byte in tag.as_ref() {
            let _ = write!(url, "{byte:02x}");
        }
        Link {
            url,
            expires: SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(expires)),
        }
    }

    /// Whether the link to `key` was signed here and holds. The time it takes
    /// does not tell how much of a signature is right.
    pub(super) fn verify(
        &self,
        key: &Key,
        signed: &Signed,
        now: SystemTime,
    ) -> Result<(), BadLink> {
        let tag = from_hex(&signed.signature).ok_or(BadLink::Forged)?;
        let message = message(key, signed.expires, signed.name.as_deref());
        hmac::verify(&self.0, &message, &tag).map_err(|_| BadLink::Forged)?;
        if seconds(now) < signed.expires {
            Ok(())
        } else {
            Err(BadLink::Expired)
        }
    }
}

/// A key has no line break, so no two links are one message.
fn message(key: &Key, expires: u64, file_name: Option<&str>) -> Vec<u8> {
    let name = file_name.map_or_else(String::new, |name| format!("\n{name}"));
    format!("GET\n{key}\n{expires}{name}").into_bytes()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// The header with which a folder store's object is served.
pub fn disposition(signed: &Signed) -> Option<String> {
    signed.name.as_deref().map(media_type::attachment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(link: &Link) -> Signed {
        let url = url::Url::parse(&format!("http://host{}", link.url)).unwrap();
        let get = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        Signed {
            expires: get("expires").unwrap().parse().unwrap(),
            name: get("name"),
            signature: get("signature").unwrap(),
        }
    }

    #[test]
    fn a_link_holds_for_its_key_its_name_and_its_time() {
        let signing = SigningKey::new(&[7; BYTES]);
        let key: Key = "exports/Süd/clip 1.mp4".parse().unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let hour = Duration::from_secs(3600);
        let link = signing.sign(&key, hour, Some("clip & more.mp4"), now);
        assert!(
            link.url
                .starts_with("/files/exports/S%C3%BCd/clip%201.mp4?")
        );
        let signed = query(&link);
        let verify =
            |key: &Key, signed: &Signed, later: Duration| signing.verify(key, signed, now + later);
        assert_eq!(verify(&key, &signed, Duration::ZERO), Ok(()));
        assert_eq!(verify(&key, &signed, hour), Err(BadLink::Expired));
        let other: Key = "exports/Süd/clip 2.mp4".parse().unwrap();
        let forged = Err(BadLink::Forged);
        assert_eq!(verify(&other, &signed, Duration::ZERO), forged);
        let longer = Signed {
            expires: signed.expires + 1,
            ..signed.clone()
        };
        assert_eq!(verify(&key, &longer, Duration::ZERO), forged);
        let named = Signed {
            name: None,
            ..signed.clone()
        };
        assert_eq!(verify(&key, &named, Duration::ZERO), forged);
        for signature in ["", "é", "00", &"0".repeat(64), &"+1".repeat(32)] {
            let bad = Signed {
                signature: signature.to_owned(),
                ..signed.clone()
            };
            assert_eq!(verify(&key, &bad, Duration::ZERO), forged);
        }
        let foreign = SigningKey::new(&[8; BYTES]);
        assert_eq!(foreign.verify(&key, &signed, now), forged);
    }
}
