//! `POST /v1/chat/completions`, with a picture in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::profile::Fault;
use super::refusal::Refusal;
use super::serve::{Said, digest, tokens};

const FIELDS: [&str; 8] = [
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "n",
    "seed",
    "user",
];

const COLOURS: [&str; 8] = [
    "red", "green", "blue", "yellow", "white", "black", "brown", "grey",
];
const THINGS: [&str; 8] = [
    "bicycle", "lorry", "dog", "bridge", "boat", "tram", "horse", "crane",
];
const PLACES: [&str; 8] = [
    "street", "harbour", "field", "station", "market", "forest", "desert", "workshop",
];

/// What is said of a picture: the same of the same bytes.
pub fn caption_of(picture: &[u8]) -> String {
    let digest = digest(picture);
    let pick = |words: [&'static str; 8], at: u32| {
        words[usize::try_from(digest >> at & 7).unwrap_or_default()]
    };
    let (colour, thing) = (pick(COLOURS, 8), pick(THINGS, 20));
    format!("A {colour} {thing} stands in a {}.", pick(PLACES, 32))
}

pub fn answer(body: &Value, usage: bool, fault: Option<&Fault>) -> Result<Said, Refusal> {
    let fields = body.as_object();
    let fields = fields.ok_or_else(|| Refusal::invalid("We could not parse the JSON body."))?;
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Refusal::unknown(unknown));
    }
    let model = body["model"]
        .as_str()
        .ok_or_else(|| Refusal::missing("model"))?;
    let is_newer = model.starts_with("gpt-5") || model.starts_with('o');
    if is_newer && !body["max_tokens"].is_null() {
        return Err(Refusal::invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.",
        )
        .about("max_tokens")
        .code("unsupported_parameter"));
    }
    let messages = body["messages"]
        .as_array()
        .ok_or_else(|| Refusal::missing("messages"))?;
    let mut read = 0;
    let mut caption = None;
    for message in messages {
        match &message["content"] {
            Value::String(text) => read += tokens(text),
            Value::Array(parts) => {
                for part in parts {
                    read += self::part(part, &mut caption)?;
                }
            }
            _ => return Err(Refusal::missing("messages[0].content").about("messages")),
        }
    }
    let mut text = caption.unwrap_or_else(|| "There is no picture.".to_owned());
    let mut reason = "stop";
    let mut refusal = Value::Null;
    let limit = body["max_completion_tokens"]
        .as_u64()
        .or(body["max_tokens"].as_u64());
    let limit = usize::try_from(limit.unwrap_or(4096)).unwrap_or(usize::MAX);
    let words = text.split(' ').count();
    if words > limit {
        let first: Vec<&str> = text.split(' ').take(limit).collect();
        (text, reason) = (first.join(" "), "length");
    }
    let mut wrote = words.min(limit);
    let mut content = Value::from(text);
    match fault {
        Some(Fault::Decline) => {
            content = Value::Null;
            refusal = "I'm sorry, I can't assist with that request.".into();
        }
        Some(Fault::Filter) => {
            (content, reason, wrote) = (Value::Null, "content_filter", 0);
        }
        _ => {}
    }
    let mut said = json!({
        "id": format!("chatcmpl-{:024x}", digest(body.to_string().as_bytes())),
        "object": "chat.completion", "created": 1_760_000_000, "model": model,
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": reason,
            "message": {
                "role": "assistant", "content": content, "refusal": refusal, "annotations": [],
            },
        }],
        "service_tier": "default", "system_fingerprint": "fp_560af6e559",
    });
    if usage {
        said["usage"] = json!({
            "prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        });
    }
    Ok(Said::json(&said, read + wrote))
}

/// What a part of a message takes; a picture leaves its caption.
fn part(part: &Value, caption: &mut Option<String>) -> Result<usize, Refusal> {
    match part["type"].as_str() {
        Some("text") => Ok(tokens(part["text"].as_str().unwrap_or_default())),
        Some("image_url") => {
            let picture = picture(part["image_url"]["url"].as_str().unwrap_or_default())?;
            *caption = Some(caption_of(&picture));
            match part["image_url"]["detail"].as_str() {
                Some("low") => Ok(85),
                None | Some("auto" | "high") => Ok(765),
                Some(other) => Err(Refusal::invalid(format!(
                    "Invalid value: '{other}'. Supported values are: 'low', 'high', and 'auto'."
                ))
                .about("messages.[0].content.[1].image_url.detail")
                .code("invalid_value")),
            }
        }
        _ => Err(Refusal::invalid(
            "Invalid value: ''. Supported values are: 'text', 'image_url', 'input_audio', \
             'refusal', and 'file'.",
        )
        .about("messages[0].content[0].type")
        .code("invalid_value")),
    }
}

fn picture(url: &str) -> Result<Vec<u8>, Refusal> {
    let unsupported = || {
        Refusal::invalid(
            "You uploaded an unsupported image. Please make sure your image has of one the \
             following formats: ['png', 'jpeg', 'gif', 'webp'].",
        )
        .code("invalid_image_format")
    };
    let rest = url.strip_prefix("data:image/").ok_or_else(unsupported)?;
    let (kind, data) = rest.split_once(";base64,").ok_or_else(unsupported)?;
    let picture = STANDARD.decode(data).map_err(|_| unsupported())?;
    let is_so = match kind {
        "png" => picture.starts_with(b"\x89PNG"),
        "jpeg" => picture.starts_with(b"\xff\xd8\xff"),
        "gif" => picture.starts_with(b"GIF8"),
        "webp" => picture.starts_with(b"RIFF"),
        _ => false,
    };
    if is_so {
        Ok(picture)
    } else {
        Err(unsupported())
    }
}
