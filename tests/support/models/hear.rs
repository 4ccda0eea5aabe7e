//! `POST /v1/audio/transcriptions`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::Uploaded;
use super::refusal::Refusal;
use super::serve::{Said, digest};
use super::tones::{Tone, listen};

/// What the API takes in all, form and file.
pub const MOST_BYTES: usize = 26_214_400;

const FORMATS: [&str; 10] = [
    "flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm",
];

const FIELDS: [&str; 6] = [
    "model",
    "language",
    "prompt",
    "response_format",
    "temperature",
    "timestamp_granularities[]",
];

pub fn answer(
    fields: &BTreeMap<String, String>,
    file: Option<&Uploaded>,
    usage: bool,
) -> Result<Said, Refusal> {
    if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Refusal::unknown(unknown));
    }
    let file = file.ok_or_else(|| Refusal::missing("file"))?;
    let model = fields
        .get("model")
        .ok_or_else(|| Refusal::missing("model"))?;
    let format = fields.get("response_format").map_or("json", String::as_str);
    let is_newer = model.starts_with("gpt-");
    if is_newer && !matches!(format, "json" | "text") {
        return Err(Refusal::invalid(format!(
            "response_format '{format}' is not compatible with model '{model}-api-ev3'. Use 'json' \
             or 'text' instead."
        ))
        .about("response_format")
        .code("unsupported_value"));
    }
    let granularities = fields.get("timestamp_granularities[]");
    if granularities.is_some() && format != "verbose_json" {
        return Err(Refusal::invalid(
            "timestamp_granularities is only supported with response_format 'verbose_json'",
        )
        .about("timestamp_granularities"));
    }
    let language = language(fields.get("language"))?;
    let (length, tones) = hear(file)?;
    if length < Duration::from_millis(100) {
        return Err(Refusal::invalid(
            "Audio file is too short. Minimum audio length is 0.1 seconds.",
        )
        .about("file")
        .code("audio_too_short"));
    }
    let texts: Vec<String> = tones.iter().map(|(text, ..)| text.clone()).collect();
    let text = texts.join(" ");
    let seconds = length.as_secs_f64();
    let mut body = json!({"text": text});
    if usage {
        body["usage"] = if is_newer {
            json!({
                "type": "tokens", "total_tokens": 100 + text.len() / 4,
                "input_tokens": 100, "output_tokens": text.len() / 4,
                "input_token_details": {"text_tokens": 0, "audio_tokens": 100},
            })
        } else {
            json!({"type": "duration", "seconds": seconds.ceil()})
        };
    }
    match format {
        "json" => Ok(Said::json(&body, text.len() / 4)),
        "text" => Ok(Said::text(format!("{text}\n"))),
        "srt" | "vtt" => Ok(Said::text(subtitles(&tones, format == "vtt"))),
        "verbose_json" => {
            body["task"] = "transcribe".into();
            body["language"] = language.into();
            body["duration"] = seconds.into();
            body["segments"] = tones.iter().enumerate().map(segment).collect();
            Ok(Said::json(&body, 0))
        }
        other => Err(Refusal::invalid(format!(
            "Invalid value: '{other}'. Supported values are: 'json', 'text', 'srt', \
             'verbose_json', and 'vtt'."
        ))
        .about("response_format")
        .code("invalid_value")),
    }
}

type Piece = (String, f64, f64);

/// How long the sound is, and what is said in it from when to when. Of what is no WAV,
/// it is only told which one it is.
fn hear(file: &Uploaded) -> Result<(Duration, Vec<Piece>), Refusal> {
    let extension = file.name.rsplit_once('.').map(|(_, extension)| extension);
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    if !FORMATS.contains(&extension.as_str()) {
        let formats = format!("{FORMATS:?}").replace('"', "'");
        return Err(Refusal::invalid(format!(
            "Invalid file format. Supported formats: {formats}"
        )));
    }
    if extension != "wav" {
        let length = Duration::from_millis(u64::try_from(file.bytes.len() / 4).unwrap_or(0));
        let text = format!("Recording {:08x}.", digest(&file.bytes) >> 32);
        return Ok((length, vec![(text, 0.0, length.as_secs_f64())]));
    }
    let heard = listen(&file.bytes).ok_or_else(|| {
        Refusal::invalid("The audio file could not be decoded or its format is not supported.")
    })?;
    let said = |tone: &Tone| {
        let seconds = |millis| f64::from(millis) / 1000.0;
        let text = format!("A tone of {} hertz.", tone.pitch);
        (text, seconds(tone.start), seconds(tone.end))
    };
    Ok((heard.length, heard.tones.iter().map(said).collect()))
}

fn segment((id, (text, start, end)): (usize, &Piece)) -> Value {
    json!({
        "id": id, "seek": 0, "start": start, "end": end, "text": format!(" {text}"),
        "tokens": [50364, 316, 8027, 50464], "temperature": 0.0, "avg_logprob": -0.25,
        "compression_ratio": 1.25, "no_speech_prob": 0.015_625,
    })
}

fn subtitles(pieces: &[Piece], web: bool) -> String {
    let mut text = String::from(if web { "WEBVTT\n\n" } else { "" });
    let point = if web { '.' } else { ',' };
    let at = |seconds: f64| {
        let whole = Duration::from_secs_f64(seconds);
        let (seconds, millis) = (whole.as_secs(), whole.subsec_millis());
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        format!(
            "{hours:02}:{minutes:02}:{:02}{point}{millis:03}",
            seconds % 60
        )
    };
    for (number, (said, start, end)) in pieces.iter().enumerate() {
        if !web {
            let _ = writeln!(text, "{}", number + 1);
        }
        let _ = writeln!(text, "{} --> {}\n{said}\n", at(*start), at(*end));
    }
    text
}

fn language(code: Option<&String>) -> Result<&'static str, Refusal> {
    Ok(match code.map(String::as_str) {
        None | Some("en") => "english",
        Some("id") => "indonesian",
        Some("de") => "german",
        Some(other) => {
            return Err(Refusal::invalid(format!(
                "Invalid language '{other}'. Language parameter must be specified in ISO-639-1 \
                 format."
            ))
            .about("language")
            .code("invalid_language_format"));
        }
    })
}
