//! Times as JSON has them: seconds, to the microsecond.

use flatbed_media::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes seconds.
pub fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    time.as_secs_f64().serialize(to)
}

/// Reads seconds; what no timeline has is cut off at its ends.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    f64::deserialize(from).map(of)
}

/// From seconds, to the nearest microsecond.
#[allow(clippy::cast_possible_truncation, reason = "the cast saturates")]
pub fn of(seconds: f64) -> Timestamp {
    Timestamp::from_micros((seconds * 1e6).round() as i64)
}

/// The same where there may be none.
pub mod option {
    use flatbed_media::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes seconds or null.
    #[allow(clippy::ref_option, reason = "as serde calls it")]
    pub fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::as_secs_f64).serialize(to)
    }

    /// Reads seconds or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.map(super::of))
    }
}
