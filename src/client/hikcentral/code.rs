//! HikCentral's codes, and what each means for a caller.
//!
//! Tables differ between versions; these are what guides and reports agree on. One that
//! is not listed is a failure that may pass.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::error::Kind;

/// What an answer begins with: small numbers by the platform, large ones, written in
/// hexadecimal, by the gateway before it. In answers it is a text or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u32);

impl Code {
    /// `131`, `0x02401009`, and the same in decimal.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => text.parse(),
        };
        number.ok().map(Self)
    }

    /// What kind of failure it is; `None` for a success.
    pub(super) fn kind(self) -> Option<Kind> {
        Some(match self.0 {
            0 => return None,
            2 | 0x0240_100a | 0x0007_2001..=0x0007_2006 => Kind::BadParameter,
            3 | 6 | 133 | 0x0005_2101 => Kind::Busy,
            7 | 8 | 11 | 12 | 195 => Kind::Unsupported,
            128 => Kind::NotFound,
            131 => Kind::Exists,
            132 => Kind::Full,
            // The last is the same by another table.
            0x0240_1009 | 0x0240_100b => Kind::Quota,
            9
            | 13
            | 17
            | 64..=67
            | 130
            | 0x0240_1000..=0x0240_1008
            | 0x0240_101b..=0x0240_101d
            | 0x0007_2201..=0x0007_2204 => Kind::Unauthorised,
            _ => Kind::Failing,
        })
    }

    /// What it means, in our own words: those of the server may repeat secrets.
    pub(super) fn meaning(self) -> Option<&'static str> {
        Some(match self.0 {
            2 => "it does not take a parameter",
            3 | 6 | 0x0005_2101 => "it is busy",
            4 => "its network timed out",
            5 => "one of its services fails",
            8 => "this version does not support it",
            17 => "the partner may not use this interface",
            64 => "the partner's user is not right",
            65 => "the partner's user is locked",
            66 => "the partner's user is not there",
            128 => "there is no such thing",
            130 => "the partner may not use this",
            131 => "it is there already",
            132 => "there is no room for more",
            0x0240_1000 => "no key came with the request",
            0x0240_1001 => "it does not know the key",
            0x0240_1002 => "no signature came with the request",
            0x0240_1003 => "the signature is wrong",
            0x0240_1007 => "the partner has no permission",
            0x0240_1009 | 0x0240_100b => "more calls than it allows",
            0x0240_101b..=0x0240_101d => "the partner may not call from this host",
            _ => return None,
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            small @ 0..=0xffff => small.fmt(f),
            large => write!(f, "{large:#010x}"),
        }
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Code;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a code")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Code, E> {
                Code::parse(text).ok_or_else(|| E::custom("no code"))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Code, E> {
                let number = u32::try_from(number);
                number.map(Code).map_err(|_| E::custom("no code"))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_text_or_numbers_decimal_or_not() {
        for (text, expected, shown) in [
            (r#""0""#, 0, "0"),
            ("0", 0, "0"),
            (r#"" 131 ""#, 131, "131"),
            ("131", 131, "131"),
            (r#""0x02401009""#, 0x0240_1009, "0x02401009"),
            (r#""0X0240100A""#, 0x0240_100a, "0x0240100a"),
            ("37752841", 0x0240_1009, "0x02401009"),
        ] {
            let code: Code = serde_json::from_str(text).unwrap();
            assert_eq!((code.0, code.to_string().as_str()), (expected, shown));
        }
        for text in [
            r#""""#,
            r#""ok""#,
            "-1",
            "1.5",
            "null",
            "true",
            "99999999999",
        ] {
            assert!(serde_json::from_str::<Code>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_code_of_the_guides_has_its_kind() {
        for (code, kind) in [
            (0, None),
            (1, Some(Kind::Failing)),
            (2, Some(Kind::BadParameter)),
            (6, Some(Kind::Busy)),
            (8, Some(Kind::Unsupported)),
            (17, Some(Kind::Unauthorised)),
            (64, Some(Kind::Unauthorised)),
            (128, Some(Kind::NotFound)),
            (131, Some(Kind::Exists)),
            (132, Some(Kind::Full)),
            (0x0240_1001, Some(Kind::Unauthorised)),
            (0x0240_1003, Some(Kind::Unauthorised)),
            (0x0240_1007, Some(Kind::Unauthorised)),
            (0x0240_1009, Some(Kind::Quota)),
            (4711, Some(Kind::Failing)),
        ] {
            assert_eq!(Code(code).kind(), kind, "{code:#x}");
        }
    }
}
