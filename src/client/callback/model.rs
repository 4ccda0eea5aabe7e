//! An image job as the backend has it, and what is said of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// What the backend calls a job: an `ObjectID` as a rule. It becomes part of a path, so
/// it is 1 to 128 ASCII letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ImageJobId(String);

/// The text is no [`ImageJobId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("imageJobID must be 1 to 128 letters, digits, '-' and '_'")]
pub struct InvalidImageJobId;

impl ImageJobId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ImageJobId {
    type Error = InvalidImageJobId;

    fn try_from(text: String) -> Result<Self, InvalidImageJobId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if (1..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(InvalidImageJobId)
        }
    }
}

impl FromStr for ImageJobId {
    type Err = InvalidImageJobId;

    fn from_str(text: &str) -> Result<Self, InvalidImageJobId> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for ImageJobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a job's status is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Nobody has begun it.
    Pending,
    /// Somebody has.
    Processing,
    /// The image is there.
    Completed,
    /// There will be none.
    Failed,
    /// A word that is not known here.
    #[serde(skip)]
    Other,
}

impl<'de> Deserialize<'de> for Status {
    /// In capitals as it should be, or as the backend's older parts write it.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let word = String::deserialize(from)?;
        Ok(match word.to_ascii_uppercase().as_str() {
            "PENDING" => Self::Pending,
            "PROCESSING" => Self::Processing,
            "COMPLETED" => Self::Completed,
            "FAILED" => Self::Failed,
            _ => Self::Other,
        })
    }
}

/// A job, as far as a worker needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageJob {
    /// How it is.
    pub status: Status,
    /// Where the image can be fetched.
    #[serde(default, rename = "sourceImageURL")]
    pub source_image_url: Option<String>,
    /// Its key in the bucket.
    #[serde(default)]
    pub source_image_key: Option<String>,
}

/// What is said of a job, as the body of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "UPPERCASE")]
pub enum Update<'a> {
    /// Somebody has begun it.
    Processing,
    /// The image is there.
    Completed {
        /// Where anybody can fetch it.
        #[serde(rename = "outputImageURL")]
        output_image_url: &'a str,
        /// Its key in the bucket.
        #[serde(rename = "outputImageKey")]
        output_image_key: &'a str,
    },
    /// There will be none.
    Failed {
        /// Why, in a line that anybody may read.
        #[serde(rename = "errorMsg")]
        error_msg: &'a str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_s_bodies() {
        let body = |update: Update<'_>| serde_json::to_string(&update).unwrap();
        assert_eq!(body(Update::Processing), r#"{"status":"PROCESSING"}"#);
        let url = "https://pub-xxx.r2.dev/optimized/1-optimized.webp";
        let completed = Update::Completed {
            output_image_url: url,
            output_image_key: "optimized/1-optimized.webp",
        };
        assert_eq!(
            body(completed),
            format!(
                r#"{{"status":"COMPLETED","outputImageURL":"{url}","outputImageKey":"optimized/1-optimized.webp"}}"#
            )
        );
        let failed = Update::Failed {
            error_msg: "Failed to process image: invalid format",
        };
        assert_eq!(
            body(failed),
            r#"{"status":"FAILED","errorMsg":"Failed to process image: invalid format"}"#
        );
    }

    #[test]
    fn the_document_s_job_is_read() {
        let answer = r#"{"success": true, "data": {
            "_id": "655501d2f12a3d0f3c5a1002", "entityType": "event",
            "sourceImageURL": "https://pub-xxx.r2.dev/raw/1234567890-abc123def456.jpg",
            "sourceImageKey": "raw/1234567890-abc123def456.jpg",
            "status": "PENDING", "errorMsg": "", "fileSize": 1234567}}"#;
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        let data: ImageJob = serde_json::from_value(answer["data"].clone()).unwrap();
        assert_eq!(data.status, Status::Pending);
        let key = data.source_image_key.as_deref();
        assert_eq!(key, Some("raw/1234567890-abc123def456.jpg"));
        assert!(data.source_image_url.unwrap().starts_with("https://pub-"));
        let older: ImageJob = serde_json::from_str(r#"{"status": "completed"}"#).unwrap();
        assert_eq!(older.status, Status::Completed);
        assert!(serde_json::from_str::<ImageJob>(r#"{"name": "?"}"#).is_err());
    }

    #[test]
    fn no_id_changes_the_path() {
        assert!("655501d2f12a3d0f3c5a1002".parse::<ImageJobId>().is_ok());
        for text in ["", "..", "a/b", "a?b", "a%2fb", "a b", "é", "a.b", "a\n"] {
            assert_eq!(
                text.parse::<ImageJobId>(),
                Err(InvalidImageJobId),
                "{text:?}"
            );
        }
        assert!("a".repeat(129).parse::<ImageJobId>().is_err());
    }
}
