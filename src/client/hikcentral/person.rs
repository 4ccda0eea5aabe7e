//! People as HikCentral knows them, and what is told of them.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The longest person code that HikCentral takes, in characters.
const LONGEST_CODE: usize = 16;

/// What a person is called by those who send him: unique, and never changed once he is
/// there. 1 to 16 characters. Its `Debug` does not show it: it may be an identity
/// number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PersonCode(String);

/// The text is no [`PersonCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPersonCode {
    /// There is none.
    #[error("a person code is empty; it needs 1 to 16 characters")]
    Empty,
    /// HikCentral would refuse it, and a shorter one may be another person's.
    #[error("a person code has {0} characters; HikCentral takes at most 16, and none is cut off")]
    TooLong(usize),
    /// A line break or the like.
    #[error("a person code has a character in it that cannot be printed")]
    Unprintable,
}

impl PersonCode {
    /// The code, without blanks around it.
    pub fn new(text: &str) -> Result<Self, InvalidPersonCode> {
        let text = text.trim();
        let length = text.chars().count();
        if text.is_empty() {
            return Err(InvalidPersonCode::Empty);
        }
        if length > LONGEST_CODE {
            return Err(InvalidPersonCode::TooLong(length));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidPersonCode::Unprintable);
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonCode {
    type Err = InvalidPersonCode;

    fn from_str(text: &str) -> Result<Self, InvalidPersonCode> {
        Self::new(text)
    }
}

impl fmt::Debug for PersonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonCode")
    }
}

/// What HikCentral calls a person: a number, as text. It says nothing about him.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(String);

impl PersonId {
    /// One that HikCentral has given before.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person to be added. Its `Debug` shows nothing of him.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// What he is looked up by.
    pub code: PersonCode,
    /// Not empty.
    pub given_name: String,
    /// Not empty.
    pub family_name: String,
    /// The `orgIndexCode` of his department.
    pub organisation: String,
    /// A photo of his face: a JPEG of no more than some 200 KB.
    pub face: Option<Bytes>,
    /// From when on he may come in; HikCentral's default without it.
    pub begin: Option<Timestamp>,
    /// Until when.
    pub end: Option<Timestamp>,
}

impl fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPerson")
            .field("organisation", &self.organisation)
            .field("face", &self.face.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// A field that an operator has added to all people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Its number.
    pub id: String,
    /// What it is called there.
    pub name: String,
    /// 0: text, 1: a number, 2: a date, 3: one of several.
    pub kind: u8,
}

/// A department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// What it is called in settings.
    pub index_code: String,
    /// What it is called by people.
    pub name: String,
    /// The one above it.
    pub parent: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_at_most_sixteen_characters() {
        for text in [
            "1",
            "2611852",
            "0000000000000001",
            " 7 ",
            "žžžžžžžžžžžžžžžž",
        ] {
            assert_eq!(PersonCode::new(text).unwrap().as_str(), text.trim());
        }
        for (text, expected) in [
            ("", InvalidPersonCode::Empty),
            ("  ", InvalidPersonCode::Empty),
            ("00000000000000017", InvalidPersonCode::TooLong(17)),
            ("a\nb", InvalidPersonCode::Unprintable),
        ] {
            let error = PersonCode::new(text).unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("00000000"), "{error}");
        }
    }

    #[test]
    fn debug_shows_nobody() {
        let person = NewPerson {
            code: "3171234567890001".parse().unwrap(),
            given_name: "Siti".to_owned(),
            family_name: "Rahma".to_owned(),
            organisation: "1".to_owned(),
            face: Some(Bytes::from_static(b"\xff\xd8\xff")),
            begin: None,
            end: None,
        };
        let shown = format!("{person:?} {:?}", person.code);
        for private in ["3171234567890001", "Siti", "Rahma"] {
            assert!(!shown.contains(private), "{shown}");
        }
    }
}
