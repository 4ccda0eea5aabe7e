//! What a refusal means: the bodies of OpenAI's errors, and of servers that are like it.

use reqwest::StatusCode;
use serde_json::Value;

use super::error::Kind;
use crate::client::said::one_line;
use crate::config::Secret;

/// The most errors of a list that are shown.
const MOST: usize = 3;

/// How much of a message is shown.
const LONGEST: usize = 300;

/// What an error's body says, without our key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// For people.
    pub(super) message: String,
    /// For programs: `model_not_found`.
    pub(super) code: String,
    /// A coarser one: `invalid_request_error`.
    pub(super) kind: String,
    /// Which field is wrong.
    pub(super) param: String,
}

impl Word {
    /// `{"error": {"message", "type", "param", "code"}}` is OpenAI's. Others leave out
    /// `error` (vLLM), have text in its place (Ollama, whisper.cpp), numbers for codes
    /// (llama.cpp), `detail` (`FastAPI`), or no JSON.
    pub(super) fn read(body: &[u8], key: Option<&Secret>) -> Self {
        let word = Self::parse(body);
        let clean = |text: &str| keyless(&one_line(text, key, LONGEST), key);
        Self {
            message: clean(&word.message),
            code: clean(&word.code),
            kind: clean(&word.kind),
            param: clean(&word.param),
        }
    }

    fn parse(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            let text = String::from_utf8_lossy(body);
            // Of a proxy's page, the status says all.
            let page = text.trim_start().starts_with('<');
            return Self {
                message: if page { String::new() } else { text.into() },
                ..Self::default()
            };
        };
        let inner = body.get("error").unwrap_or(&body);
        let get = |name| inner.get(name).map(text).unwrap_or_default();
        let message = match inner {
            Value::Object(_) => ["message", "detail", "msg", "error"]
                .into_iter()
                .map(get)
                .find(|message| !message.is_empty())
                .unwrap_or_default(),
            other => text(other),
        };
        Self {
            message,
            code: get("code"),
            kind: get("type"),
            param: get("param"),
        }
    }

    /// Message and code, for people.
    pub(super) fn shown(&self) -> String {
        match (self.message.is_empty(), self.code.is_empty()) {
            (false, false) => format!("{} ({})", self.message, self.code),
            (true, false) => self.code.clone(),
            (false, true) => self.message.clone(),
            (true, true) => String::new(),
        }
    }

    /// Whether the code or the message is about this.
    fn tells(&self, code: &str) -> bool {
        self.code == code || self.kind == code
    }

    /// Whether the message has this in it, in any case.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.message.to_ascii_lowercase().contains(text)
    }

    /// Whether it is about this field.
    pub(super) fn is_about(&self, param: &str) -> bool {
        self.param == param || self.mentions(param)
    }
}

/// `line` without words that are a key, ours or not, or a part of ours: some servers
/// repeat its beginning and its end.
pub(super) fn keyless(line: &str, key: Option<&Secret>) -> String {
    let key = key.map(Secret::expose).filter(|key| key.len() >= 16);
    let parts = [
        key.and_then(|key| key.get(..12)),
        key.and_then(|key| key.get(key.len() - 8..)),
    ];
    let is_key = |word: &&str| {
        word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
            .starts_with("sk-")
            || word.contains("***")
            || parts.iter().flatten().any(|part| word.contains(part))
    };
    let words = line.split(' ');
    let shown: Vec<&str> = words
        .map(|word| if is_key(&word) { "***" } else { word })
        .collect();
    shown.join(" ")
}

/// A text out of what should be one, and what stands in its place elsewhere.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(list) => {
            let texts = list.iter().take(MOST).map(text);
            texts.collect::<Vec<_>>().join(", ")
        }
        Value::Object(fields) => fields.get("msg").map(text).unwrap_or_default(),
        Value::Null | Value::Bool(_) => String::new(),
    }
}

/// What kind of failure an answer is.
pub(super) fn kind(status: StatusCode, word: &Word) -> Kind {
    let too_long = word.tells("context_length_exceeded")
        || word.tells("max_tokens_per_request")
        || word.mentions("maximum context length")
        || word.mentions("maximum input length")
        || word.mentions("context length exceeded")
        || word.mentions("too many tokens");
    let filtered = word.tells("content_filter")
        || word.tells("content_policy_violation")
        || word.tells("moderation_blocked");
    match status.as_u16() {
        401 => Kind::Key,
        403 | 407 | 451 => Kind::Forbidden,
        429 if word.tells("insufficient_quota") || word.tells("billing_hard_limit_reached") => {
            Kind::Quota
        }
        // One request that is more than a minute's allowance.
        429 if word.mentions("request too large") => Kind::TooLong,
        429 => Kind::RateLimited,
        402 => Kind::Quota,
        404 => Kind::NoModel,
        400 | 422 if word.tells("model_not_found") => Kind::NoModel,
        400 | 422 if word.tells("billing_hard_limit_reached") => Kind::Quota,
        400 | 422 if filtered => Kind::Filtered,
        // Some say so with 500.
        400 | 413 | 422 | 500 if too_long => Kind::TooLong,
        413 => Kind::TooLarge,
        // It will not learn that meanwhile.
        501 | 505 => Kind::Refused,
        408 | 409 | 425 | 500..=599 => Kind::Failing,
        300..=399 => Kind::Foreign,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_all_shapes_are_read() {
        for (body, message, code) in [
            (
                r#"{"error":{"message":"a","type":"invalid_request_error","param":null,"code":"c"}}"#,
                "a",
                "c",
            ),
            (
                r#"{"object":"error","message":"a","type":"BadRequestError","code":400}"#,
                "a",
                "400",
            ),
            (r#"{"error":"a"}"#, "a", ""),
            (
                r#"{"error":{"code":503,"message":"a","type":"unavailable_error"}}"#,
                "a",
                "503",
            ),
            (r#"{"detail":"a"}"#, "a", ""),
            (
                r#"{"detail":[{"loc":["body"],"msg":"a"},{"msg":"b"}]}"#,
                "a, b",
                "",
            ),
            (r#"{"error":"a","error_type":"overloaded"}"#, "a", ""),
            (r#"{"error":{"message":["a","b"],"code":null}}"#, "a, b", ""),
            ("a", "a", ""),
            (r#""a""#, "a", ""),
            ("<html>502</html>", "", ""),
            ("", "", ""),
            ("[]", "", ""),
            ("null", "", ""),
            (r#"{"error":null}"#, "", ""),
        ] {
            let word = Word::read(body.as_bytes(), None);
            assert_eq!((&*word.message, &*word.code), (message, code), "{body}");
        }
        assert_eq!(Word::read(b"\xff\xfe", None).shown(), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_key_is_not_repeated() {
        let key = Secret::new("sk-proj-0123456789abcdef");
        for said in [
            "Incorrect API key provided: sk-proj-0123456789abcdef. You can find",
            "Incorrect API key provided: sk-proj-*******cdef. You can find",
            "Incorrect API key provided: (01234567 89abcdef). You can find",
            "Incorrect API key provided: Bearer:sk-proj-0123. You can find",
        ] {
            let body = serde_json::json!({"error": {"message": said, "code": said}});
            let told = format!("{:?}", Word::read(body.to_string().as_bytes(), Some(&key)));
            assert!(!told.contains("cdef") && !told.contains("sk-"), "{told}");
            assert!(told.contains("You can find"), "{told}");
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, expected) in [
            (401, r#"{"error":{"code":"invalid_api_key"}}"#, Kind::Key),
            (403, "", Kind::Forbidden),
            (
                404,
                r#"{"error":{"code":"model_not_found"}}"#,
                Kind::NoModel,
            ),
            (
                429,
                r#"{"error":{"type":"insufficient_quota"}}"#,
                Kind::Quota,
            ),
            (
                429,
                r#"{"error":{"code":"rate_limit_exceeded"}}"#,
                Kind::RateLimited,
            ),
            (429, "", Kind::RateLimited),
            (
                429,
                r#"{"error":{"message":"Request too large for gpt-4o","code":"rate_limit_exceeded"}}"#,
                Kind::TooLong,
            ),
            (
                400,
                r#"{"error":{"code":"context_length_exceeded"}}"#,
                Kind::TooLong,
            ),
            (
                400,
                r#"{"error":{"code":"max_tokens_per_request"}}"#,
                Kind::TooLong,
            ),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 512"}"#,
                Kind::TooLong,
            ),
            (
                400,
                r#"{"error":{"code":"content_filter"}}"#,
                Kind::Filtered,
            ),
            (400, r#"{"error":{"message":"no"}}"#, Kind::Refused),
            (413, "<html>", Kind::TooLarge),
            (408, "", Kind::Failing),
            (409, "", Kind::Failing),
            (500, "", Kind::Failing),
            (503, "Loading model", Kind::Failing),
            (501, "", Kind::Refused),
            (307, "", Kind::Foreign),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                kind(status, &Word::read(body.as_bytes(), None)),
                expected,
                "{body}"
            );
        }
    }
}
