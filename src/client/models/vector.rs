//! Vectors as they come: base64 of little-endian 32-bit numbers, or numbers in JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// One of either kind. Servers that do not know base64 send numbers all the same.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Base64(String),
    Numbers(Vec<f32>),
}

impl Written {
    /// The vector, with what is wrong of one that is none.
    pub(super) fn read(self) -> Result<Vec<f32>, &'static str> {
        let vector = match self {
            Self::Numbers(vector) => vector,
            Self::Base64(text) => {
                let bytes = STANDARD.decode(text).map_err(|_| "a vector is no base64")?;
                let (numbers, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err("a vector is cut off");
                }
                numbers.iter().copied().map(f32::from_le_bytes).collect()
            }
        };
        if vector.is_empty() {
            return Err("a vector is empty");
        }
        if !vector.iter().all(|number| number.is_finite()) {
            return Err("a vector has something in it that is no number");
        }
        Ok(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read() {
        let read = |text: &str| {
            let written: Written = serde_json::from_str(text).unwrap();
            written.read()
        };
        assert_eq!(read("[0.5, -1]"), Ok(vec![0.5, -1.0]));
        assert_eq!(read("\"AAAAPwAAgL8=\""), Ok(vec![0.5, -1.0]));
        for text in [
            "[]",
            "\"\"",
            "\"AAAAPwA=\"",
            "\"?\"",
            "\"AADAfw==\"",
            "[1e39]",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
