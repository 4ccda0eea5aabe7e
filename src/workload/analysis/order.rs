//! What a job brings: `{"video_id":"…","source_url":"…"}`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::Failure;

/// An order to analyse a video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The video.
    pub video_id: Uuid,
    /// Where it is; else where its row or the catalogue says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_url: Option<String>,
    /// Whether all is to be found out anew, also of a video that has not changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

impl Order {
    /// Reads a job's payload.
    pub fn parse(payload: &[u8]) -> Result<Self, Failure> {
        let order: Self = serde_json::from_slice(payload)
            .map_err(|error| Failure::Order(format!("{error}; expected {EXPECTED}")))?;
        Ok(Self {
            source_url: order.source_url.filter(|url| !url.trim().is_empty()),
            ..order
        })
    }
}

const EXPECTED: &str = r#"{"video_id":"<uuid>","source_url":"<https, s3 or file>"}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_producers_send_is_understood() {
        let id = "0193f7a2-7b1e-7c33-9d53-0a4ef5b4a3c1";
        let body = format!(r#"{{"video_id":"{id}","source_url":"https://a/b.mp4","x":1}}"#);
        let order = Order::parse(body.as_bytes()).unwrap();
        assert_eq!(order.video_id.to_string(), id);
        assert_eq!(order.source_url.as_deref(), Some("https://a/b.mp4"));
        let bare = Order::parse(format!(r#"{{"video_id":"{id}","source_url":""}}"#).as_bytes());
        assert_eq!(bare.unwrap().source_url, None);
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"video_id":7}"#,
            r#"{"video_id":"../x"}"#,
        ] {
            let error = Order::parse(wrong.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("video_id"), "{error}");
        }
    }
}
