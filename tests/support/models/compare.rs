//! `POST /v1/embeddings`: each word has a direction of its own, and a text that of all
//! its words, so that texts with the same words lie near one another.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::profile::{Base64, Profile};
use super::refusal::Refusal;
use super::serve::{Said, digest, tokens};

const FIELDS: [&str; 5] = ["model", "input", "encoding_format", "dimensions", "user"];

/// The most texts of one request, and the most tokens of all together.
const MOST_INPUTS: usize = 2048;
const MOST_TOKENS: usize = 300_000;

pub fn answer(body: &Value, profile: &Profile) -> Result<Said, Refusal> {
    let invalid = || {
        Refusal::invalid(
            "'$.input' is invalid. Please check the API reference: \
             https://platform.openai.com/docs/api-reference.",
        )
    };
    let fields = body.as_object();
    let fields = fields.ok_or_else(|| Refusal::invalid("We could not parse the JSON body."))?;
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Refusal::unknown(unknown));
    }
    let model = body["model"]
        .as_str()
        .ok_or_else(|| Refusal::missing("model"))?;
    let inputs: Vec<&str> = match &body["input"] {
        Value::String(text) => vec![text],
        Value::Array(texts) => {
            let texts = texts.iter().map(|text| text.as_str().ok_or_else(invalid));
            texts.collect::<Result<_, _>>()?
        }
        _ => return Err(Refusal::missing("input")),
    };
    let blank = inputs.iter().any(|text| text.is_empty());
    if blank || inputs.is_empty() || inputs.len() > MOST_INPUTS {
        return Err(invalid());
    }
    let counts: Vec<usize> = inputs.iter().map(|text| tokens(text)).collect();
    let most = profile.input_tokens;
    if let Some(count) = counts.iter().find(|count| **count > most) {
        return Err(Refusal::invalid(format!(
            "This model's maximum context length is {most} tokens, however you requested {count} \
             tokens ({count} in your prompt; 0 for the completion). Please reduce your prompt; or \
             completion length."
        )));
    }
    let total: usize = counts.iter().sum();
    if total > MOST_TOKENS {
        return Err(Refusal::invalid(format!(
            "Requested {total} tokens, max {MOST_TOKENS} tokens per request"
        ))
        .kind("max_tokens_per_request")
        .code("max_tokens_per_request"));
    }
    let length = length(model, &body["dimensions"])?;
    let base64 = match (body["encoding_format"].as_str(), profile.base64) {
        (Some("base64"), Base64::Known) => true,
        (Some("base64"), Base64::Refused) => {
            return Err(Refusal::invalid(
                "base64 encoding is not currently supported",
            ));
        }
        (None | Some("float" | "base64"), _) => false,
        (Some(other), _) => {
            return Err(Refusal::invalid(format!(
                "Invalid value: '{other}'. Supported values are: 'float' and 'base64'."
            ))
            .about("encoding_format"));
        }
    };
    let embedded = |(index, text): (usize, &&str)| {
        let vector = vector(text, length);
        let embedding = if base64 {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect();
            STANDARD.encode(bytes).into()
        } else {
            json!(vector)
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let mut data: Vec<Value> = inputs.iter().enumerate().map(embedded).collect();
    if profile.shuffled {
        data.reverse();
    }
    let mut said = json!({"object": "list", "data": data, "model": model});
    if profile.usage {
        said["usage"] = json!({"prompt_tokens": total, "total_tokens": total});
    }
    Ok(Said::json(&said, total))
}

fn length(model: &str, asked: &Value) -> Result<usize, Refusal> {
    let (own, shortens) = match model {
        "text-embedding-3-large" => (3072, true),
        "text-embedding-3-small" => (1536, true),
        "text-embedding-ada-002" => (1536, false),
        _ => (768, false),
    };
    let Some(asked) = asked.as_u64() else {
        return Ok(own);
    };
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    if !shortens {
        return Err(
            Refusal::invalid("This model does not support specifying dimensions.")
                .about("dimensions"),
        );
    }
    if !(1..=own).contains(&asked) {
        return Err(Refusal::invalid(format!(
            "Invalid value for 'dimensions' = {asked}. Must be less than or equal to {own}."
        ))
        .about("dimensions"));
    }
    Ok(asked)
}

/// Of length 1.
#[allow(clippy::cast_possible_truncation, reason = "as the API has them")]
fn vector(text: &str, length: usize) -> Vec<f32> {
    let mut words: BTreeMap<String, u32> = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    words.remove("");
    let mut sum = vec![0.0_f64; length];
    for (word, times) in words {
        let mut state = digest(word.as_bytes()) | 1;
        for number in &mut sum {
            // xorshift64*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            let random = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
            let random = f64::from(u32::try_from(random).unwrap_or_default());
            *number += f64::from(times) * (random / f64::from(1_u32 << 31) - 1.0);
        }
    }
    let norm = sum.iter().map(|number| number * number).sum::<f64>().sqrt();
    sum.iter()
        .map(|number| (number / norm.max(1e-12)) as f32)
        .collect()
}
