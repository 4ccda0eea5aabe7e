//! What can be done to a video, as JSON and the command line write it:
//! `[{"type": "trim", "options": {"start": 5}}, …]`.
//!
//! | file | what it holds |
//! |---|---|
//! | `bit_rate.rs`, `resolution.rs`, `moment.rs`, `frame_rate.rs` | `1000k`, `1280x`, `"50%"`, `29.97` |
//! | `codec.rs` | the names of codecs, presets, pixel formats |
//! | `transcode.rs`, `watermark.rs`, `thumbnail.rs` | the options of each |
//! | `schema.rs` | JSON Schema of all of it, with the feature `schema` |

mod bit_rate;
mod codec;
mod frame_rate;
mod moment;
mod resolution;
#[cfg(feature = "schema")]
mod schema;
mod thumbnail;
mod transcode;
mod watermark;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub use bit_rate::BitRate;
pub use codec::{AudioCodec, PixelFormat, Preset, VideoCodec};
pub use frame_rate::FrameRate;
pub use moment::Moment;
pub(crate) use resolution::Size;
pub use resolution::{Fit, Resolution};
pub use thumbnail::{PictureFormat, Thumbnail};
pub use transcode::{Compress, Convert, Quality, Transcode, Trim, TrimMode};
pub use watermark::{Corner, Place, Point, Watermark};

use crate::{Error, Result};

/// One step of a list; each works on what the one before it made.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = schema::operation))]
#[serde(tag = "type", content = "options", rename_all = "camelCase")]
#[non_exhaustive]
pub enum Operation {
    /// Encodes anew: another codec, size, rate.
    Transcode(Transcode),
    /// Another container, encoding only what must be.
    Convert(Convert),
    /// Fewer bytes.
    Compress(Compress),
    /// A picture over the picture.
    Watermark(Watermark),
    /// A part of it.
    Trim(Trim),
    /// Frames as pictures.
    Thumbnail(Thumbnail),
}

/// The types, in the order in which messages name them.
const TYPES: &str = "transcode, convert, compress, watermark, trim or thumbnail";

impl Operation {
    /// Reads a list from JSON.
    ///
    /// # Errors
    /// [`Error::Malformed`] that names the operation and the field.
    pub fn list(json: &str) -> Result<Vec<Self>> {
        let malformed = |reason: String| Error::malformed("operations", reason);
        let values: Vec<Value> = serde_json::from_str(json)
            .map_err(|error| malformed(format!("not a JSON array of operations: {error}")))?;
        values
            .into_iter()
            .enumerate()
            .map(|(index, value)| {
                Self::from_value(value)
                    .map_err(|reason| malformed(format!("operation {}: {reason}", index + 1)))
            })
            .collect()
    }

    /// The type's name, as `transcode`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Transcode(_) => "transcode",
            Self::Convert(_) => "convert",
            Self::Compress(_) => "compress",
            Self::Watermark(_) => "watermark",
            Self::Trim(_) => "trim",
            Self::Thumbnail(_) => "thumbnail",
        }
    }

    /// Whether the options go together.
    ///
    /// # Errors
    /// In words, without the operation's name.
    pub fn validate(&self) -> std::result::Result<(), String> {
        match self {
            Self::Transcode(transcode) => transcode.validate(),
            Self::Convert(_) => Ok(()),
            Self::Compress(compress) => compress.validate(),
            Self::Watermark(watermark) => watermark.validate(),
            Self::Trim(trim) => trim.validate(),
            Self::Thumbnail(thumbnail) => thumbnail.validate(),
        }
    }

    fn from_value(value: Value) -> std::result::Result<Self, String> {
        let Value::Object(mut fields) = value else {
            return Err("not an object with \"type\" and \"options\"".to_owned());
        };
        let kind = match fields.remove("type") {
            Some(Value::String(kind)) => kind,
            Some(other) => return Err(format!("its type {other} is not a text: {TYPES}")),
            None => return Err(format!("it has no \"type\": {TYPES}")),
        };
        let options = match fields.remove("options") {
            None | Some(Value::Null) => Value::Object(serde_json::Map::new()),
            Some(options) => options,
        };
        if let Some(stranger) = fields.keys().next() {
            return Err(format!(
                "unknown field `{stranger}`, expected `type` or `options`"
            ));
        }
        let read = match kind.as_str() {
            "transcode" => Transcode::deserialize(options).map(Self::Transcode),
            "convert" => Convert::deserialize(options).map(Self::Convert),
            "compress" => Compress::deserialize(options).map(Self::Compress),
            "watermark" => Watermark::deserialize(options).map(Self::Watermark),
            "trim" => Trim::deserialize(options).map(Self::Trim),
            "thumbnail" => Thumbnail::deserialize(options).map(Self::Thumbnail),
            _ => return Err(format!("unknown type `{kind}`, expected {TYPES}")),
        };
        let operation = read.map_err(|error| format!("{kind}: {error}"))?;
        operation
            .validate()
            .map_err(|reason| format!("{kind}: {reason}"))?;
        Ok(operation)
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(value).map_err(serde::de::Error::custom)
    }
}

/// Reads a value that JSON may write as a text or as a number.
struct TextOrNumber<T>(std::marker::PhantomData<T>, &'static str);

impl<T> serde::de::Visitor<'_> for TextOrNumber<T>
where
    T: std::str::FromStr + TryFrom<f64, Error = String>,
    T::Err: std::fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> std::result::Result<T, E> {
        T::try_from(number).map_err(E::custom)
    }

    #[allow(clippy::cast_precision_loss)] // exact up to 2^53
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> std::result::Result<T, E> {
        self.visit_f64(number as f64)
    }

    #[allow(clippy::cast_precision_loss)] // exact up to 2^53
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> std::result::Result<T, E> {
        self.visit_f64(number as f64)
    }
}

fn text_or_number<'de, T, D>(
    deserializer: D,
    expected: &'static str,
) -> std::result::Result<T, D::Error>
where
    T: std::str::FromStr + TryFrom<f64, Error = String>,
    T::Err: std::fmt::Display,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(TextOrNumber(std::marker::PhantomData, expected))
}

#[cfg(test)]
mod tests;
