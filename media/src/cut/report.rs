//! What a cut did.

use crate::time::{Span, Timestamp};

/// Joins of a hundred thousand segments may have as many notes.
const MOST_NOTES: usize = 101;
const LAST_NOTE: usize = MOST_NOTES - 1;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The time of the first frame written, on the joined timeline, or on the
    /// segments' clock where the selection is. In the mode `copy` that may be
    /// before the start that was asked for.
    pub start: Timestamp,
    /// The time behind the last frame written.
    pub end: Timestamp,
    /// How many frames the result shows.
    pub frames: u64,
    /// How many of them were copied as they are.
    pub frames_copied: u64,
    /// How many of them were encoded.
    pub frames_encoded: u64,
    /// How long the result is.
    pub duration: Timestamp,
    /// How many bytes were written.
    pub bytes: u64,
    /// What the result shows of the segments' clock, in order, where the selection is
    /// by that clock. Between two of them nothing was recorded.
    pub shown: Vec<Span>,
    /// What a person should know: what was encoded and why, what was left out.
    pub notes: Vec<String>,
}

impl Report {
    /// Adds a stretch of the segments' clock to what is shown; one that begins where
    /// the last one ends makes it longer.
    pub(super) fn shows(&mut self, span: Span) {
        match self.shown.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => self.shown.push(span),
        }
    }

    /// Adds a note, once; of very many, only that there are more.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if self.notes.contains(&note) {
            return;
        }
        tracing::debug!(note);
        match self.notes.len() {
            MOST_NOTES.. => {}
            LAST_NOTE => self.notes.push("there are more notes like these".into()),
            _ => self.notes.push(note),
        }
    }
}
