//! Texts become vectors: what was said, in passages of about half a minute, and what
//! was seen.

use std::collections::HashMap;

use flatbed_media::Timestamp;

use super::{Analyses, Failure};
use crate::archive::model::{Kind, Passage, StepState};
use crate::archive::{Analysis, Embedding, Segment, Step};
use crate::runner::JobContext;

/// Texts are paid for, and their vectors kept, so many at a time.
const AT_A_TIME: usize = 256;

/// A passage is as long as somebody would quote.
const LONGEST_PASSAGE: Timestamp = Timestamp::from_micros(30_000_000);

/// And no longer than this many bytes.
const MOST_BYTES: usize = 1000;

/// A pause behind which something else is meant.
const PAUSE: Timestamp = Timestamp::from_micros(5_000_000);

impl Analyses {
    /// Has a vector made of all texts that have none.
    pub(super) async fn embed(
        &self,
        known: &mut Analysis,
        context: &JobContext,
    ) -> Result<(), Failure> {
        let (Ok(models), None) = (&self.models, self.off(Step::Embed)) else {
            return Ok(());
        };
        let (model, writer) = (&self.embedding_model, known.writer());
        let passages = passages(known);
        let before = self.archive.embeddings(known.video_id, model).await?;
        let mut vectors: HashMap<&str, Vec<f32>> = before
            .iter()
            .map(|embedding| (embedding.passage.text.as_str(), embedding.vector.clone()))
            .collect();
        let mut new: Vec<&str> = passages
            .iter()
            .map(|passage| passage.text.as_str())
            .filter(|text| !vectors.contains_key(text))
            .collect();
        new.sort_unstable();
        new.dedup();
        let mut failed: Option<Failure> = None;
        let mut kept = before.clone();
        // What was paid for is kept before more is.
        let mut left = new.chunks(AT_A_TIME);
        loop {
            let all = embedded(&passages, &vectors);
            if all != kept {
                context.lease_held().await;
                let keeping = self.archive.keep_embeddings(&writer, model, &all);
                if let Err(error) = keeping.await {
                    failed = Some(error.into());
                    break;
                }
                kept = all;
            }
            let Some(texts) = left.next() else {
                break;
            };
            match models.embed(texts).await {
                Ok(made) => vectors.extend(texts.iter().copied().zip(made.vectors)),
                Err(error) => {
                    failed = Some(error.into());
                    break;
                }
            }
        }
        let (state, note) = match &failed {
            Some(failure) if kept.is_empty() => (StepState::Failed, Some(failure.to_string())),
            Some(failure) => (StepState::Partial, Some(failure.to_string())),
            None if self.is_done_before_embedding(known) => (StepState::Done, None),
            None => (
                StepState::Partial,
                Some("some texts are not there yet".to_owned()),
            ),
        };
        known.set(Step::Embed, state, note);
        known.set_model(Step::Embed, model);
        failed.map_or(Ok(()), Err)
    }

    fn is_done_before_embedding(&self, known: &Analysis) -> bool {
        [Step::Transcribe, Step::Vision]
            .into_iter()
            .all(|step| self.off(step).is_some() || known.is_done(step))
    }
}

/// Those passages that have a vector.
fn embedded(passages: &[Passage], vectors: &HashMap<&str, Vec<f32>>) -> Vec<Embedding> {
    let embedded = passages.iter().filter_map(|passage| {
        Some(Embedding {
            passage: passage.clone(),
            vector: vectors.get(passage.text.as_str())?.clone(),
        })
    });
    embedded.collect()
}

/// All texts of a video, in the order in which archives have them.
fn passages(known: &Analysis) -> Vec<Passage> {
    let segments = known.transcript.iter().flat_map(|said| &said.segments);
    let spoken = spoken(segments);
    let scenes: HashMap<u32, Timestamp> = known
        .scenes
        .iter()
        .map(|scene| (scene.index, scene.end))
        .collect();
    let seen = known.frames.iter().filter_map(|frame| {
        let text = frame
            .caption
            .clone()
            .filter(|text| !text.trim().is_empty())?;
        Some(Passage {
            kind: Kind::Frame,
            index: frame.index,
            start: frame.at,
            end: scenes.get(&frame.scene).copied().unwrap_or(frame.at),
            text,
        })
    });
    seen.chain(spoken).collect()
}

/// Sentences that belong together: by their times and up to a length.
fn spoken<'a>(segments: impl Iterator<Item = &'a Segment>) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    for segment in segments.filter(|segment| !segment.text.trim().is_empty()) {
        let text = segment.text.trim();
        match passages.last_mut() {
            Some(last)
                if segment.end - last.start <= LONGEST_PASSAGE
                    && segment.start - last.end <= PAUSE
                    && last.text.len() + text.len() < MOST_BYTES =>
            {
                last.text.push(' ');
                last.text.push_str(text);
                last.end = last.end.max(segment.end);
            }
            _ => passages.push(Passage {
                kind: Kind::Speech,
                index: u32::try_from(passages.len()).unwrap_or(u32::MAX),
                start: segment.start,
                end: segment.end,
                text: text.to_owned(),
            }),
        }
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start: i64, end: i64, text: &str) -> Segment {
        Segment {
            start: Timestamp::from_micros(start * 1_000_000),
            end: Timestamp::from_micros(end * 1_000_000),
            text: text.to_owned(),
        }
    }

    #[test]
    fn sentences_that_belong_together_are_one_passage() {
        let long = "x".repeat(990);
        let segments = [
            segment(0, 10, "a"),
            segment(10, 20, " b"),
            segment(20, 31, "too late"),
            segment(40, 41, "after a pause"),
            segment(41, 42, "  "),
            segment(42, 43, &long),
            segment(43, 44, "too much by now"),
        ];
        let passages = spoken(segments.iter());
        let texts: Vec<_> = passages
            .iter()
            .map(|passage| passage.text.as_str())
            .collect();
        assert_eq!(
            texts,
            ["a b", "too late", "after a pause", &long, "too much by now"]
        );
        let indices: Vec<_> = passages.iter().map(|passage| passage.index).collect();
        assert_eq!(indices, [0, 1, 2, 3, 4]);
        assert_eq!(passages[0].end, segments[1].end);
    }
}
