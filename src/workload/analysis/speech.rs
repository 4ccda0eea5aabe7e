//! Sound becomes text, piece by piece: silence is left out, since recognisers invent
//! text over it, and each piece that was understood is kept at once.

use std::io::Read;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use flatbed_media::normalize::{SoundSpan, SpeechOptions, speech_spans};
use flatbed_media::{Span, Timestamp};
use futures_util::StreamExt;
use futures_util::stream;

use super::pictures::Sound;
use super::{Analyses, Failure};
use crate::archive::model::StepState;
use crate::archive::{Analysis, Piece, Segment, Step, Transcript};
use crate::client::models::{self, Data, Models};
use crate::runner::JobContext;

/// Pieces on their way at once, which are held in memory; the models' client has a
/// limit of its own.
const AT_ONCE: usize = 4;

/// A piece is no longer, which is 10 MB.
const LONGEST: Timestamp = Timestamp::from_micros(300_000_000);

/// Above this likelihood that nobody speaks, and below that confidence, words are
/// invented: Whisper's own rule (`no_speech_threshold`, `logprob_threshold`).
const NO_SPEECH: f32 = 0.6;
const CONFIDENCE: f32 = -1.0;

impl Analyses {
    /// Has all pieces understood that are not yet.
    pub(super) async fn transcribe(
        &self,
        sound: &Sound,
        known: &mut Analysis,
        context: &JobContext,
    ) -> Result<(), Failure> {
        let Ok(models) = &self.models else {
            return Ok(());
        };
        let mut transcript = planned(sound, known.transcript.take())?;
        let left: Vec<_> = (0..)
            .zip(&transcript.pieces)
            .filter(|(_, piece)| !piece.is_done)
            .map(|(index, piece): (usize, _)| (index, *piece))
            .collect();
        if left.is_empty() {
            self.archive
                .keep_transcript(&known.writer(), &transcript)
                .await?;
        }
        let asked = left.into_iter().map(|(index, piece)| async move {
            (index, piece, understood(models, sound, piece).await)
        });
        let mut asked = pin!(stream::iter(asked).buffer_unordered(AT_ONCE));
        let mut failed = None;
        while let Some((index, piece, heard)) = asked.next().await {
            match heard {
                Ok(heard) => {
                    transcript.add(index, piece, heard);
                    context.lease_held().await;
                    self.archive
                        .keep_transcript(&known.writer(), &transcript)
                        .await?;
                }
                Err(failure) => {
                    let stop = failure.is_about_all_calls();
                    failed.get_or_insert(failure);
                    if stop {
                        break;
                    }
                }
            }
        }
        let state = match (&failed, transcript.pieces.iter().any(|piece| piece.is_done)) {
            (None, _) => StepState::Done,
            (Some(_), true) => StepState::Partial,
            (Some(_), false) => StepState::Failed,
        };
        let nothing = transcript
            .pieces
            .is_empty()
            .then(|| "there is nothing to hear".to_owned());
        known.set(
            Step::Transcribe,
            state,
            failed.as_ref().map(ToString::to_string).or(nothing),
        );
        known.transcript = Some(transcript);
        failed.map_or(Ok(()), Err)
    }
}

/// What is to be sent; with what was understood of it before, if it was the same sound.
fn planned(sound: &Sound, before: Option<Transcript>) -> Result<Transcript, Failure> {
    let options = SpeechOptions {
        longest: LONGEST,
        ..SpeechOptions::default()
    };
    let plan = speech_spans(sound.duration, &sound.silences, &options)?;
    let pieces: Vec<Piece> = plan
        .into_iter()
        .map(|Span { start, end }| Piece {
            start,
            end,
            is_done: false,
        })
        .collect();
    let place = |piece: &Piece| (piece.start, piece.end);
    let same = |before: &Transcript| before.pieces.iter().map(place).eq(pieces.iter().map(place));
    Ok(before.filter(same).unwrap_or_else(|| Transcript {
        pieces: pieces.clone(),
        ..Transcript::default()
    }))
}

async fn understood(
    models: &Models,
    sound: &Sound,
    piece: Piece,
) -> Result<models::Transcript, Failure> {
    let span = Span {
        start: piece.start,
        end: piece.end,
    };
    let file = sound.file.clone();
    let bytes = tokio::task::spawn_blocking(move || read(file, span)).await;
    // The process ends.
    let bytes = bytes.map_err(|_| Failure::Stopped)??;
    let length = u64::try_from(span.duration().as_micros()).unwrap_or_default();
    let sound = models::Sound {
        name: "speech.wav".to_owned(),
        length: Duration::from_micros(length),
        data: Data::Bytes(bytes.into()),
    };
    Ok(models.transcribe(&sound, None).await?)
}

fn read(file: PathBuf, span: Span) -> Result<Vec<u8>, Failure> {
    let mut part = SoundSpan::path(file, span)?;
    let mut bytes = Vec::new();
    part.read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Transcript {
    /// Adds what was heard in the piece at `index`.
    fn add(&mut self, index: usize, piece: Piece, heard: models::Transcript) {
        let segments = heard.segments.into_iter().filter(|said| !is_invented(said));
        self.segments.extend(segments.map(|said| Segment {
            start: (piece.start + Timestamp::from(said.start)).min(piece.end),
            end: (piece.start + Timestamp::from(said.end)).min(piece.end),
            text: said.text.trim().to_owned(),
        }));
        self.segments.retain(|segment| !segment.text.is_empty());
        self.segments
            .sort_by_key(|segment| (segment.start, segment.end));
        self.language = self.language.take().or(heard.language);
        if let Some(piece) = self.pieces.get_mut(index) {
            piece.is_done = true;
        }
    }
}

fn is_invented(said: &models::Segment) -> bool {
    said.no_speech.is_some_and(|likely| likely > NO_SPEECH)
        && said
            .confidence
            .is_some_and(|confidence| confidence < CONFIDENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(start: u64, end: u64, text: &str, no_speech: f32) -> models::Segment {
        models::Segment {
            start: Duration::from_secs(start),
            end: Duration::from_secs(end),
            text: text.to_owned(),
            no_speech: Some(no_speech),
            confidence: Some(-1.5),
        }
    }

    #[test]
    fn times_are_those_of_the_video_and_inventions_are_left_out() {
        let piece = |start: i64, end: i64| Piece {
            start: Timestamp::from_micros(start * 1_000_000),
            end: Timestamp::from_micros(end * 1_000_000),
            is_done: false,
        };
        let mut transcript = Transcript {
            pieces: vec![piece(10, 20), piece(30, 34)],
            ..Transcript::default()
        };
        let heard = |segments| models::Transcript {
            text: String::new(),
            language: Some("en".to_owned()),
            segments,
            timed: true,
        };
        // The second answers first.
        let second = vec![said(0, 9, " b ", 0.1), said(1, 2, "thank you", 0.9)];
        transcript.add(1, piece(30, 34), heard(second));
        assert!(!transcript.is_whole());
        transcript.add(0, piece(10, 20), heard(vec![said(2, 3, "a", 0.1)]));
        assert!(transcript.is_whole());
        let times: Vec<_> = transcript
            .segments
            .iter()
            .map(|s| (s.start.as_secs_f64(), s.end.as_secs_f64(), s.text.as_str()))
            .collect();
        assert_eq!(times, [(12.0, 13.0, "a"), (30.0, 34.0, "b")]);
        assert_eq!(transcript.text(), "a b");
        assert_eq!(transcript.language.as_deref(), Some("en"));
    }
}
