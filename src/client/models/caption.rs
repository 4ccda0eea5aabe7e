//! A picture becomes text.

use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::address::is_openai;
use super::config::Detail;
use super::exchange::Content;
use super::price::Tokens;
use super::{Call, Kind, Models, Result};

/// The largest picture that is sent, in bytes.
const MOST_BYTES: usize = 20 << 20;

/// How a caption's longest length is called.
const NEWER: &str = "max_completion_tokens";
const OLDER: &str = "max_tokens";

/// What a model says of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// What it says.
    pub outcome: Outcome,
    /// What that took.
    pub tokens: Tokens,
}

/// How a caption ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With all that the model had to say.
    Text(String),
    /// In the middle, as `OPENAI_VISION_TOKENS` were used up; perhaps before its
    /// beginning.
    CutOff(String),
    /// The model does not want to, and says why.
    Refused(String),
    /// The provider's rules forbid the picture or what was said of it.
    Filtered,
}

impl Caption {
    /// What was said of the picture, whole or not.
    pub fn text(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Text(text) | Outcome::CutOff(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    /// Text, parts of it, or nothing.
    #[serde(default)]
    content: Value,
    refusal: Option<String>,
}

#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

impl Models {
    /// What is seen in a JPEG, PNG or WebP; `prompt` and `detail` go before the
    /// configured ones.
    pub async fn caption(
        &self,
        picture: &[u8],
        prompt: Option<&str>,
        detail: Option<Detail>,
    ) -> Result<Caption> {
        let media_type = media_type(picture).filter(|_| picture.len() <= MOST_BYTES);
        let Some(media_type) = media_type else {
            let reason =
                format!("the picture is no JPEG, PNG or WebP of at most {MOST_BYTES} bytes");
            return Err(self.error(Call::Caption, Kind::Unfit, reason));
        };
        let prompt = prompt.unwrap_or(&self.config.prompt);
        let detail = detail.unwrap_or(self.config.detail);
        let url = format!("data:{media_type};base64,{}", STANDARD.encode(picture));
        let mut question = json!({
            "model": self.config.vision,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": prompt},
                {"type": "image_url", "image_url": {"url": url, "detail": detail.as_str()}},
            ]}],
        });
        let limit = self.limit();
        let body = match self.ask_about(&mut question, limit).await {
            Err(error) if error.kind() == Kind::Filtered => {
                return Ok(Caption {
                    outcome: Outcome::Filtered,
                    tokens: Tokens::default(),
                });
            }
            Err(error) if error.kind() == Kind::Refused && error.word().is_about(limit) => {
                let learned = &self.shared.learned.other_limit;
                learned.store(limit == self.usual_limit(), Ordering::Relaxed);
                self.ask_about(&mut question, self.limit()).await?
            }
            body => body?,
        };
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| self.foreign(Call::Caption, &error.to_string()))?;
        let usage = answer.usage.unwrap_or_default();
        let tokens = Tokens {
            input: usage.prompt_tokens,
            output: usage.completion_tokens,
        };
        self.count(Call::Caption, tokens);
        self.spend(Call::Caption, self.config.prices.of_caption(tokens));
        let choice = answer.choices.into_iter().next();
        let outcome = choice.and_then(Choice::outcome);
        let outcome = outcome.ok_or_else(|| self.foreign(Call::Caption, "it says nothing"))?;
        Ok(Caption { outcome, tokens })
    }

    /// How the longest caption is called, as far as is known.
    fn limit(&self) -> &'static str {
        let learned = self.shared.learned.other_limit.load(Ordering::Relaxed);
        match (self.usual_limit(), learned) {
            (NEWER, true) => OLDER,
            (_, true) => NEWER,
            (usual, false) => usual,
        }
    }

    /// OpenAI's newer models know one name alone, other servers often the older one.
    fn usual_limit(&self) -> &'static str {
        if is_openai(&self.config.url) {
            NEWER
        } else {
            OLDER
        }
    }

    async fn ask_about(&self, question: &mut Value, limit: &'static str) -> Result<Bytes> {
        if let Some(fields) = question.as_object_mut() {
            fields.retain(|name, _| !name.starts_with("max_"));
            fields.insert(limit.to_owned(), self.config.caption_tokens.into());
        }
        let content = Content::Json(question.to_string().into());
        self.ask(Call::Caption, &content).await
    }
}

impl Choice {
    /// Nothing where there is neither text nor a reason for its absence.
    fn outcome(self) -> Option<Outcome> {
        if let Some(refusal) = self.message.refusal.filter(|refusal| !refusal.is_empty()) {
            return Some(Outcome::Refused(refusal));
        }
        let text = text(&self.message.content);
        let text = text.trim();
        match self.finish_reason.as_deref() {
            Some("content_filter") => Some(Outcome::Filtered),
            Some("length") => Some(Outcome::CutOff(text.to_owned())),
            _ if text.is_empty() => None,
            _ => Some(Outcome::Text(text.to_owned())),
        }
    }
}

/// Content is text, or parts of which some are text.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            texts.collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// What the first bytes say.
fn media_type(picture: &[u8]) -> Option<&'static str> {
    if picture.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if picture.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if picture.starts_with(b"RIFF") && picture.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_first_bytes() {
        assert_eq!(media_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n.."), Some("image/png"));
        assert_eq!(media_type(b"RIFF....WEBPVP8 "), Some("image/webp"));
        for bytes in [&b""[..], b"RIFF", b"RIFF....WAVE", b"GIF89a", b"\xff\xd8"] {
            assert_eq!(media_type(bytes), None);
        }
    }

    #[test]
    fn captions_end_in_four_ways() {
        let outcome = |choice: &str| {
            let choice: Choice = serde_json::from_str(choice).unwrap();
            choice.outcome()
        };
        let text = |text: &str| text.to_owned();
        for (choice, expected) in [
            (
                r#"{"message":{"content":" A dog. "},"finish_reason":"stop"}"#,
                Some(Outcome::Text(text("A dog."))),
            ),
            (
                r#"{"message":{"content":[{"type":"text","text":"A"},{"text":"dog"}]}}"#,
                Some(Outcome::Text(text("A dog"))),
            ),
            (
                r#"{"message":{"content":"A do"},"finish_reason":"length"}"#,
                Some(Outcome::CutOff(text("A do"))),
            ),
            (
                r#"{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}"#,
                Some(Outcome::Refused(text("No."))),
            ),
            (
                r#"{"message":{"content":null},"finish_reason":"content_filter"}"#,
                Some(Outcome::Filtered),
            ),
            (r#"{"message":{"content":""},"finish_reason":"stop"}"#, None),
            (r#"{"message":{}}"#, None),
        ] {
            assert_eq!(outcome(choice), expected, "{choice}");
        }
    }
}
