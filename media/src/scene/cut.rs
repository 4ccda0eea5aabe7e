//! From frames to scenes: each frame is compared with the one before, the rule
//! finds the cuts, and between them lie the scenes.

use std::collections::VecDeque;

use crate::av::code::Code;
use crate::av::frame::Frame;
use crate::time::{Span, TimeBase, Timestamp};

use super::adaptive::Adaptive;
use super::content::Content;
use super::light::Seen;
use super::options::{Detector, Options};
use super::score::{Difference, Scorer};

/// A frame: its number from 0 on, and when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
}

/// A part of a video between two cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scene {
    /// From its first frame to the first of the next one; the last scene ends
    /// where the last frame does.
    pub span: Span,
    /// The number of its first frame, counted from 0.
    pub first_frame: u64,
    /// How many frames it has.
    pub frames: u64,
}

/// What was measured at a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FrameScore {
    /// Its number, counted from 0.
    pub frame: u64,
    /// When it is shown.
    pub at: Timestamp,
    /// How it differs from the frame before.
    pub difference: Difference,
    /// The weighted mean of the differences: `PySceneDetect`'s `content_val`.
    pub content: f64,
    /// How many times the mean of its neighbours that is; none with the content
    /// detector, and at the first and last frames.
    pub ratio: Option<f64>,
}

/// Finds scenes in frames that are fed one at a time.
pub(crate) struct Finder {
    options: Options,
    scorer: Scorer,
    rule: Rule,
    /// Frames that the rule has not judged yet.
    waiting: VecDeque<FrameScore>,
    first: Option<Moment>,
    frames: u64,
    cuts: Vec<Moment>,
}

enum Rule {
    Adaptive(Adaptive),
    Content(Content),
}

impl Finder {
    /// For a video whose frames last `frame` each, where that is known.
    pub(crate) fn new(options: &Options, frame: Option<TimeBase>) -> Self {
        let least = options.min_length.least(frame);
        let rule = match options.detector {
            Detector::Adaptive {
                threshold,
                window,
                min_content,
            } => Rule::Adaptive(Adaptive::new(threshold, window.max(1), min_content, least)),
            Detector::Content { threshold } => Rule::Content(Content::new(threshold, least)),
        };
        Self {
            options: options.clone(),
            scorer: Scorer::default(),
            rule,
            waiting: VecDeque::new(),
            first: None,
            frames: 0,
            cuts: Vec::new(),
        }
    }

    /// Takes the next frame, which is shown at `at`; `each` is told of every
    /// frame, in order, as soon as all is known of it.
    pub(crate) fn push(
        &mut self,
        frame: &Frame,
        at: Timestamp,
        each: &mut dyn FnMut(&FrameScore),
    ) -> Result<(), Code> {
        let difference = self.scorer.score(frame)?;
        let content = difference.content(&self.options.weights);
        let now = Moment {
            number: self.frames,
            at,
        };
        self.frames += 1;
        self.first.get_or_insert(now);
        self.waiting.push_back(FrameScore {
            frame: now.number,
            at,
            difference,
            content,
            ratio: None,
        });
        let judged = match &mut self.rule {
            Rule::Content(rule) => {
                self.cuts.extend(rule.push(now, content));
                0
            }
            Rule::Adaptive(rule) => {
                if let Some(judged) = rule.push(now, content) {
                    let waiting = self.waiting.iter_mut();
                    for score in waiting.filter(|score| score.frame == judged.frame.number) {
                        score.ratio = Some(judged.ratio);
                    }
                    self.cuts.extend(judged.is_cut.then_some(judged.frame));
                }
                rule.delay()
            }
        };
        while self.waiting.len() > judged {
            self.waiting.pop_front().iter().for_each(&mut *each);
        }
        Ok(())
    }

    /// The cuts that were found so far, behind the first `known`. One at the first
    /// frame is none.
    pub(crate) fn cuts(&self, known: usize) -> &[Moment] {
        self.cuts.get(known..).unwrap_or_default()
    }

    /// The number of the first frame that may still become a cut; those before
    /// it are in the scene of the last cut.
    pub(crate) fn undecided(&self) -> u64 {
        let Some(now) = self.frames.checked_sub(1) else {
            return 0;
        };
        match &self.rule {
            Rule::Adaptive(rule) => rule.undecided(now),
            Rule::Content(rule) => rule.undecided(now),
        }
    }

    /// What there is to be seen in the last frame.
    pub(crate) fn seen(&self) -> Seen {
        self.scorer.seen()
    }

    /// The scenes, of which the last ends at `end`; none where there was no
    /// frame.
    pub(crate) fn finish(
        mut self,
        end: Timestamp,
        each: &mut dyn FnMut(&FrameScore),
    ) -> Vec<Scene> {
        self.waiting.drain(..).for_each(|score| each(&score));
        let Some(first) = self.first else {
            return Vec::new();
        };
        // The first frame may be a cut where scenes may be as short as can be.
        self.cuts.retain(|cut| cut.number > first.number);
        let end = Moment {
            number: self.frames,
            at: end,
        };
        let starts = std::iter::once(first).chain(self.cuts.iter().copied());
        let ends = self.cuts.iter().copied().chain(std::iter::once(end));
        starts.zip(ends).map(Scene::between).collect()
    }
}

impl Scene {
    fn between((from, to): (Moment, Moment)) -> Self {
        Self {
            span: Span {
                start: from.at,
                end: to.at.max(from.at),
            },
            first_frame: from.number,
            frames: to.number.saturating_sub(from.number),
        }
    }

    /// The time in the middle: a frame that is neither faded in nor out.
    pub fn middle(&self) -> Timestamp {
        let half = self.span.duration().as_micros() / 2;
        self.span.start + Timestamp::from_micros(half)
    }
}

#[cfg(test)]
impl Moment {
    /// Frame `number` of a video of `rate` frames a second.
    pub(super) fn test(number: u64, rate: i64) -> Self {
        let micros = i64::try_from(number).expect("a small number") * 1_000_000 / rate;
        Self {
            number,
            at: Timestamp::from_micros(micros),
        }
    }
}
