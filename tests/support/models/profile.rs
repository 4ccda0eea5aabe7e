//! What kind of server it is, and what goes wrong.

use std::time::Duration;

/// A server. The default is OpenAI's, with a key.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The only one that it takes; `None` asks for none.
    pub key: Option<&'static str>,
    /// Models beside OpenAI's own: name, and what they are for by the last part of the
    /// path.
    pub models: Vec<(&'static str, &'static str)>,
    /// What one minute has; plenty by default.
    pub limits: Limits,
    /// How vectors are written.
    pub base64: Base64,
    /// Whether answers say what they took.
    pub usage: bool,
    /// Whether vectors come in another order than their texts.
    pub shuffled: bool,
    /// The most tokens of one text.
    pub input_tokens: usize,
    /// How errors are written.
    pub shape: Shape,
    /// Whether a 429 says when to come back.
    pub tells_when: bool,
}

/// Requests and tokens for each model, let out of buckets that fill up evenly.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub requests: u32,
    pub tokens: u32,
    /// What OpenAI has as a minute.
    pub minute: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base64 {
    /// As asked for: OpenAI.
    Known,
    /// Numbers, whatever is asked for: Ollama.
    Ignored,
    /// An error: vLLM, once.
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{"error": {...}}`
    OpenAi,
    /// `{"object": "error", "message", "code": 400}`: vLLM, once.
    Flat,
    /// `{"error": "..."}`: whisper.cpp.
    Text,
    /// `{"detail": [{"msg"}]}`: `FastAPI`.
    Detail,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            key: Some(Self::KEY),
            models: Vec::new(),
            limits: Limits {
                requests: 10_000,
                tokens: 50_000_000,
                minute: Duration::from_secs(60),
            },
            base64: Base64::Known,
            usage: true,
            shuffled: false,
            input_tokens: 8192,
            shape: Shape::OpenAi,
            tells_when: true,
        }
    }
}

impl Profile {
    /// What a key looks like.
    pub const KEY: &str = "sk-proj-flatbed-0123456789abcdefXYZ9";

    /// A server of one's own: no key, no counting, errors and vectors of its own kind.
    pub fn local() -> Self {
        Self {
            key: None,
            models: vec![
                ("whisper", "transcriptions"),
                ("llava", "completions"),
                ("nomic-embed-text", "embeddings"),
            ],
            base64: Base64::Ignored,
            usage: false,
            shape: Shape::Text,
            ..Self::default()
        }
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with this instead: status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// 429 with these headers, as it is when there are too many.
    RateLimited(Vec<(&'static str, String)>),
    /// 429 `insufficient_quota`, with `Retry-After` as bait.
    Quota,
    /// 500, in OpenAI's words.
    ServerError,
    /// 503, in OpenAI's words.
    Overloaded,
    /// 401 that repeats the key that was sent, in the message and the request's id.
    Echo,
    /// 307 to this address.
    Redirect(String),
    /// It is answered after this time.
    Slow(Duration),
    /// It is never answered.
    Hang,
    /// The connection is cut before an answer.
    Cut,
    /// It is cut in the middle of the answer's body.
    CutHalf,
    /// The model does not want to (chat alone).
    Decline,
    /// What the model says is filtered (chat alone).
    Filter,
    /// Another body, under a 200.
    Garbage(&'static str),
}
