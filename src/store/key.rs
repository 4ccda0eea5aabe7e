//! The name of an object: checked once, so that no name climbs out of a store.

use std::fmt;
use std::str::FromStr;

use object_store::path::Path;
use serde::{Deserialize, Serialize};

/// The name of an object, or of all objects below it: `exports/7f/clip.mp4`.
///
/// 1 to 1024 bytes of UTF-8; segments divided by single slashes, none of them
/// empty, `.` or `..`; no control characters and no backslash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

/// The text is no [`Key`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} cannot be an object's key: {reason}")]
pub struct InvalidKey {
    text: String,
    reason: &'static str,
}

impl Key {
    /// The most bytes of a key, as S3 has it.
    pub const LONGEST: usize = 1024;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the last slash.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The key of `name`, one or more segments, below this one.
    pub fn join(&self, name: &str) -> Result<Self, InvalidKey> {
        format!("{}/{name}", self.0).parse()
    }

    /// The segments, from the first on.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// As it stands in a URL: all but letters, digits and `-_.~/` escaped.
    pub fn escaped(&self) -> String {
        let mut escaped = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            escape(byte, byte == b'/', &mut escaped);
        }
        escaped
    }

    /// As `object_store` has it.
    pub(super) fn path(&self) -> Result<Path, object_store::path::Error> {
        // `Path::from` would escape what is not ASCII, and so name another object.
        Path::parse(&self.0)
    }
}

/// `byte` as RFC 3986 (2.3) has it in a URL, or as it is where `plain`.
pub(super) fn escape(byte: u8, plain: bool, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(HEX[usize::from(nibble & 15)]);
    if plain || byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        out.push(char::from(byte));
    } else {
        out.push('%');
        out.push(digit(byte >> 4));
        out.push(digit(byte));
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for Key {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > Self::LONGEST {
            "it is longer than 1024 bytes"
        } else if text.chars().any(char::is_control) {
            "it has a control character"
        } else if text.contains('\\') {
            "it has a backslash"
        } else if text.split('/').any(str::is_empty) {
            "a slash stands at an end or beside another"
        } else if text.split('/').any(|part| part == "." || part == "..") {
            "a segment is '.' or '..'"
        } else {
            return Ok(Self(text));
        };
        let text = text.chars().take(100).collect();
        Err(InvalidKey { text, reason })
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_climbs() {
        let long = "a".repeat(Key::LONGEST + 1);
        for text in [
            "", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\\b", "a\0", "a\nb", &long,
        ] {
            assert!(text.parse::<Key>().is_err(), "{text:?}");
        }
        let key: Key = "exports".parse().unwrap();
        assert!(key.join("../x").is_err());
        assert_eq!(key.join("a/b.mp4").unwrap().file_name(), "b.mp4");
    }

    #[test]
    fn keys_are_utf8_and_escaped_in_urls() {
        let key: Key = "Lager Süd/カメラ 1#50%.mp4".parse().unwrap();
        assert_eq!(
            key.escaped(),
            "Lager%20S%C3%BCd/%E3%82%AB%E3%83%A1%E3%83%A9%201%2350%25.mp4"
        );
        assert_eq!(key.path().unwrap().as_ref(), key.as_str());
    }
}
