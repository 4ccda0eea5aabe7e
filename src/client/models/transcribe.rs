//! Sound becomes text, with the times at which it is said.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::exchange::Content;
use super::price::Tokens;
use super::sound::{MOST_BYTES, Sound};
use super::{Call, Kind, Models, Result};

/// What was said in a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// All of it.
    pub text: String,
    /// In which language, in the server's words: `english`, `en`.
    pub language: Option<String>,
    /// Piece by piece, in order. Nothing where nothing is said.
    pub segments: Vec<Segment>,
    /// Whether the model gave times. If not, there is one segment, which is as long as
    /// the sound.
    pub timed: bool,
}

/// A piece of what was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// When it begins, from the sound's first sample.
    pub start: Duration,
    /// When it ends: not before it begins, and not after the sound.
    pub end: Duration,
    /// What is said.
    pub text: String,
    /// How likely it is, from 0 to 1, that nobody speaks there. Whisper invents words
    /// where it is quiet, and gives itself away so.
    pub no_speech: Option<f32>,
    /// The mean logarithm of the words' probabilities: below -1 they are guessed.
    pub confidence: Option<f32>,
}

/// How a transcript is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// With times.
    Verbose,
    /// The text alone: what `gpt-4o-transcribe` and its kin know.
    Plain,
}

#[derive(Deserialize)]
struct Answer {
    text: String,
    language: Option<String>,
    /// Some write it as text.
    duration: Option<Value>,
    segments: Option<Vec<Said>>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Said {
    start: f64,
    end: f64,
    text: String,
    no_speech_prob: Option<f32>,
    avg_logprob: Option<f32>,
}

/// Of models that are billed by the second, or by tokens.
#[derive(Deserialize, Default)]
struct Usage {
    seconds: Option<f64>,
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
}

impl Models {
    /// What is said in a sound; `language` (ISO 639) goes before the configured one.
    ///
    /// A sound of more than [`MOST_BYTES`] or of a format that models do not take is
    /// refused before anything is sent.
    pub async fn transcribe(&self, sound: &Sound, language: Option<&str>) -> Result<Transcript> {
        self.examine(sound)?;
        let language = language.or(self.config.language.as_deref());
        let body = match self.ask_for_words(sound, self.format(), language).await {
            Err(error)
                if error.kind() == Kind::Refused
                    && self.format() == Format::Verbose
                    && (error.word().is_about("response_format")
                        || error.word().is_about("timestamp_granularities")
                        || error.word().mentions("verbose_json")) =>
            {
                tracing::info!(model = self.config.transcription, "it gives no times");
                self.shared.learned.untimed.store(true, Ordering::Relaxed);
                self.ask_for_words(sound, Format::Plain, language).await?
            }
            body => body?,
        };
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| self.foreign(Call::Transcribe, &error.to_string()))?;
        self.bill(&answer, sound.length);
        Ok(transcript(answer, sound.length))
    }

    fn examine(&self, sound: &Sound) -> Result<()> {
        let bytes = sound.bytes();
        if bytes > MOST_BYTES {
            let reason = format!(
                "{} has {bytes} bytes, and models take {MOST_BYTES}",
                sound.name
            );
            return Err(self.error(Call::Transcribe, Kind::TooLarge, reason));
        }
        if sound.media_type().is_none() {
            let reason = format!(
                "{} is none of flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav and webm",
                sound.name
            );
            return Err(self.error(Call::Transcribe, Kind::Unfit, reason));
        }
        Ok(())
    }

    /// What the model knows, by its name and by what was learned of it.
    fn format(&self) -> Format {
        let name = &self.config.transcription;
        let is_untimed = name.starts_with("gpt-") && name.contains("transcribe");
        if is_untimed || self.shared.learned.untimed.load(Ordering::Relaxed) {
            Format::Plain
        } else {
            Format::Verbose
        }
    }

    async fn ask_for_words(
        &self,
        sound: &Sound,
        format: Format,
        language: Option<&str>,
    ) -> Result<bytes::Bytes> {
        let mut fields = vec![("model", self.config.transcription.clone())];
        match format {
            Format::Verbose => fields.extend([
                ("response_format", "verbose_json".to_owned()),
                ("timestamp_granularities[]", "segment".to_owned()),
            ]),
            Format::Plain => fields.push(("response_format", "json".to_owned())),
        }
        fields.extend(language.map(|language| ("language", language.to_owned())));
        let content = Content::Form(sound, fields);
        self.ask(Call::Transcribe, &content).await
    }

    /// Counts what it cost: as long as the server says, or as the sound is.
    fn bill(&self, answer: &Answer, length: Duration) {
        let usage = answer.usage.as_ref();
        let told = usage
            .and_then(|usage| usage.seconds)
            .or_else(|| number(answer.duration.as_ref()?));
        let billed = told.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let billed = billed.unwrap_or(length);
        let tokens = usage.map_or_else(Tokens::default, |usage| Tokens {
            input: usage.input_tokens,
            output: usage.output_tokens,
        });
        self.metrics.audio(billed);
        self.count(Call::Transcribe, tokens);
        self.spend(Call::Transcribe, self.config.prices.of_audio(billed));
    }
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

/// Times are held within the sound: models round, and hear in steps of 30 s.
fn transcript(answer: Answer, length: Duration) -> Transcript {
    let text = answer.text.trim().to_owned();
    let timed = answer.segments.is_some();
    let mut segments: Vec<Segment> = match answer.segments {
        Some(said) => said
            .into_iter()
            .filter_map(|said| said.within(length))
            .collect(),
        None if text.is_empty() => Vec::new(),
        None => vec![Segment {
            start: Duration::ZERO,
            end: length,
            text: text.clone(),
            no_speech: None,
            confidence: None,
        }],
    };
    segments.sort_by_key(|segment| segment.start);
    Transcript {
        text,
        language: answer.language.filter(|language| !language.is_empty()),
        segments,
        timed,
    }
}

impl Said {
    fn within(self, length: Duration) -> Option<Segment> {
        let text = self.text.trim();
        let at = |seconds: f64| {
            let at = Duration::try_from_secs_f64(seconds.max(0.0));
            at.unwrap_or(length).min(length)
        };
        let start = at(self.start);
        (!text.is_empty()).then(|| Segment {
            start,
            end: at(self.end).max(start),
            text: text.to_owned(),
            no_speech: self.no_speech_prob,
            confidence: self.avg_logprob,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Transcript {
        let answer = serde_json::from_str(body).unwrap();
        transcript(answer, Duration::from_secs(10))
    }

    #[test]
    fn times_stay_within_the_sound_and_in_order() {
        let told = read(
            r#"{"text":" a b c ","language":"english","duration":"9.98","segments":[
                {"start":8,"end":30.0,"text":" c"},
                {"start":-0.1,"end":2.5,"text":" a ","no_speech_prob":0.5,"avg_logprob":-0.25},
                {"start":2.5,"end":2.4,"text":"b"},
                {"start":3,"end":4,"text":" "},
                {"start":1e300,"end":1e301,"text":"d"}]}"#,
        );
        let spans: Vec<_> = told
            .segments
            .iter()
            .map(|own| (own.start.as_millis(), own.end.as_millis(), &*own.text))
            .collect();
        assert_eq!(
            spans,
            [
                (0, 2500, "a"),
                (2500, 2500, "b"),
                (8000, 10_000, "c"),
                (10_000, 10_000, "d")
            ]
        );
        assert_eq!((told.text.as_str(), told.timed), ("a b c", true));
        assert_eq!(told.segments[0].no_speech, Some(0.5));
    }

    #[test]
    fn without_times_there_is_one_segment_or_none() {
        let told = read(r#"{"text":"hello"}"#);
        assert!(!told.timed);
        assert_eq!(told.segments.len(), 1);
        assert_eq!(told.segments[0].end, Duration::from_secs(10));
        assert_eq!(read(r#"{"text":" "}"#).segments, []);
        assert_eq!(read(r#"{"text":"","segments":[]}"#).segments, []);
    }
}
