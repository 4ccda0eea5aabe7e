//! Passwords of cameras: Fernet tokens, as Python's `cryptography` writes them.
//! What is in them is in memory only, and never shown.

use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use fernet::{Fernet, MultiFernet};

use crate::config::Secret;

/// How far ahead of this host's clock a token may be stamped, in seconds: the
/// crate's own bound.
const SKEW: u64 = 60;

/// The first byte of a token.
const VERSION: u8 = 0x80;

/// The keys, the newest first: what one has encrypted any of them may decrypt.
#[derive(Clone)]
pub struct Keys {
    /// `None` where there are none.
    fernet: Option<MultiFernet>,
    count: usize,
}

/// What is wrong with the keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key {number} of {count}: {reason}")]
pub struct InvalidKeys {
    number: usize,
    count: usize,
    reason: &'static str,
}

/// Why a token was not decrypted. It holds nothing of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecrypted {
    /// It is something else.
    #[error(
        "password_encrypted is no Fernet token; encrypt the password with CAMERA_ENCRYPTION_KEY"
    )]
    NoToken,
    /// Its stamp is in the future.
    #[error(
        "password_encrypted is stamped {ahead} s in the future; set the clocks of this host and of the one that encrypts"
    )]
    Future {
        /// By how many seconds.
        ahead: u64,
    },
    /// It was encrypted with another key, or changed.
    #[error(
        "none of the {count} keys in CAMERA_ENCRYPTION_KEY decrypts password_encrypted; is the key right, and the old one still listed after it was changed?"
    )]
    OtherKey {
        /// How many keys were tried.
        count: usize,
    },
    /// It is no text.
    #[error("the decrypted password is no text")]
    NoText,
}

impl Keys {
    /// One key, or several with commas between.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let keys: Vec<&str> = text.split(',').map(str::trim).collect();
        let count = keys.len();
        let mut fernets = Vec::new();
        for (index, key) in keys.into_iter().enumerate() {
            let wrong = |reason| InvalidKeys {
                number: index + 1,
                count,
                reason,
            };
            let fernet = Fernet::new(key).ok_or_else(|| wrong(fault(key)))?;
            fernets.push(fernet);
        }
        Ok(Self {
            fernet: Some(MultiFernet::new(fernets)),
            count,
        })
    }

    /// No key: nothing is decrypted.
    pub fn none() -> Self {
        Self {
            fernet: None,
            count: 0,
        }
    }

    /// The password in `token`.
    pub fn decrypt(&self, token: &str) -> Result<Secret, Undecrypted> {
        let token = token.trim();
        let stamp = stamp(token).ok_or(Undecrypted::NoToken)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        if stamp > now.saturating_add(SKEW) {
            let ahead = stamp - now;
            return Err(Undecrypted::Future { ahead });
        }
        let other = Undecrypted::OtherKey { count: self.count };
        let fernet = self.fernet.as_ref().ok_or(other.clone())?;
        let plain = fernet.decrypt(token).map_err(|_| other)?;
        let text = String::from_utf8(plain).map_err(|_| Undecrypted::NoText)?;
        Ok(Secret::new(text))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.count)
    }
}

/// What is wrong with a key that was refused.
fn fault(key: &str) -> &'static str {
    if key.is_empty() {
        "it is empty"
    } else if key.contains(['+', '/']) {
        "it is written in base64's other alphabet; write - for + and _ for /"
    } else {
        "a Fernet key is 32 bytes in URL-safe base64, 44 characters; \
         `python3 -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'` \
         makes one"
    }
}

/// When a token was made, in seconds since 1970; `None` if it is none.
fn stamp(token: &str) -> Option<u64> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    // Twelve characters are nine bytes: the version and the stamp.
    let front = token.get(..12)?;
    let bytes = GeneralPurpose::new(&URL_SAFE, config).decode(front).ok()?;
    let (&version, stamp) = bytes.split_first()?;
    let stamp = stamp.try_into().ok().map(u64::from_be_bytes)?;
    (version == VERSION).then_some(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification: made in 1985.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    #[test]
    fn the_specification_s_token_is_read_by_any_of_the_keys() {
        let other = Fernet::generate_key();
        for keys in [
            KEY.to_owned(),
            format!("{other}, {KEY}"),
            format!("{KEY},{other}"),
        ] {
            let keys = Keys::parse(&keys).unwrap();
            assert_eq!(keys.decrypt(TOKEN).unwrap().expose(), "hello");
            let padded = format!("  {TOKEN}\n");
            assert_eq!(keys.decrypt(&padded).unwrap().expose(), "hello");
            assert!(!format!("{keys:?}").contains("cw_0"));
        }
    }

    #[test]
    fn what_is_wrong_with_a_key_is_told() {
        let bad = |keys: &str| Keys::parse(keys).unwrap_err().to_string();
        assert!(bad(&KEY.replace('-', "+")).contains("write - for +"));
        assert!(bad(&format!("{KEY},")).contains("key 2 of 2: it is empty"));
        assert!(bad("hunter2").contains("32 bytes"));
        assert!(!bad("hunter2").contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_with_a_token_is_told() {
        let keys = Keys::parse(KEY).unwrap();
        for text in ["", "hunter2", "plain password", "gAAAAA", "ééééééééé"] {
            assert_eq!(keys.decrypt(text), Err(Undecrypted::NoToken), "{text}");
        }
        let foreign = Fernet::new(&Fernet::generate_key()).unwrap();
        let other = Undecrypted::OtherKey { count: 1 };
        assert_eq!(keys.decrypt(&foreign.encrypt(b"x")), Err(other.clone()));
        assert_eq!(keys.decrypt(&TOKEN.replace("Vpw", "Vqw")[..96]), Err(other));
        // Version and a stamp of the year 2106.
        let future = format!("gAAAAAD_____{}", &TOKEN[12..]);
        let error = keys.decrypt(&future).unwrap_err();
        assert!(matches!(error, Undecrypted::Future { .. }), "{error}");
        let bytes = Fernet::new(KEY).unwrap().encrypt(&[0xff, 0xfe]);
        assert_eq!(keys.decrypt(&bytes), Err(Undecrypted::NoText));
    }
}
