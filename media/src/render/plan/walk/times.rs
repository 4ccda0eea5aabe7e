//! Where on the timeline: `trim`, `thumbnail`, and what times mean.

use super::super::super::operation::{Moment, Thumbnail, Trim, TrimMode};
use super::super::super::shots::Wanted;
use super::super::super::step::Step;
use super::super::{Opened, Shot};
use super::{Refused, Walk};
use crate::Error;
use crate::time::Timestamp;

impl Walk<'_> {
    /// A moment of the timeline as it is by now, on the source's.
    pub(super) fn time(&mut self, moment: Moment) -> std::result::Result<Timestamp, Refused> {
        self.settle_origin();
        let duration = if moment.is_percent() {
            Some(self.duration()?)
        } else {
            None
        };
        let time = moment.resolve(duration).unwrap_or_default();
        Ok(self.origin + time)
    }

    /// How long the timeline is by now.
    pub(super) fn duration(&mut self) -> std::result::Result<Timestamp, Refused> {
        if self.end.is_none() {
            self.end = Some(self.source_end()?);
        }
        let end = self.end.unwrap_or_default().min(self.to);
        if end <= self.origin {
            return Err(format!("nothing is left: the recording ends at {end}"));
        }
        Ok(end - self.origin)
    }

    pub(super) fn source_end(&mut self) -> std::result::Result<Timestamp, Refused> {
        self.moved = true;
        match &mut *self.opened {
            Opened::Video(source) => match source.end(self.context) {
                Ok(end) => Ok(source.clock().timestamp(end - source.zero)),
                Err(Error::Unsupported { reason, .. }) => Err(reason),
                Err(error) => {
                    self.error = Some(error);
                    Ok(Timestamp::MAX)
                }
            },
            Opened::Sound(recording) => recording.duration().ok_or_else(|| {
                "the duration is not known; give times instead of percentages".into()
            }),
        }
    }

    pub(super) fn trim(&mut self, asked: &Trim) -> std::result::Result<(), Refused> {
        self.settle_origin();
        let start = match asked.start {
            Some(start) => self.time(start)?,
            None => self.origin,
        };
        let end = match (asked.end, asked.duration) {
            (Some(end), _) => self.time(end)?,
            (None, Some(length)) => start + (self.time(length)? - self.origin),
            (None, None) => Timestamp::MAX,
        };
        if end <= start {
            return Err(format!("its end ({end}) is not behind its start ({start})"));
        }
        let start = match asked.mode {
            TrimMode::Exact => {
                self.exact = true;
                start
            }
            TrimMode::Copy if self.coding.is_some() => {
                self.note("trim: the frames are encoded anyway, so the cut is exact");
                start
            }
            TrimMode::Copy => self.keyframe(start),
        };
        self.loose = start > self.origin;
        self.origin = start;
        self.to = self.to.min(end);
        if self.to <= self.origin {
            return Err(format!(
                "nothing is left: it begins at {start}, behind the end"
            ));
        }
        // What was done before sees frames that are cut off here.
        let paced = self.steps.iter().any(|step| matches!(step, Step::Rate(_)));
        if paced || !self.shots.is_empty() {
            self.steps.push(Step::Window(self.origin, self.to));
        }
        Ok(())
    }

    /// A trimmed video begins with its own first frame, and what comes after
    /// counts from there: not from the time that was asked for, which may lie
    /// before it by less than a frame.
    pub(super) fn settle_origin(&mut self) {
        if !std::mem::take(&mut self.loose) {
            return;
        }
        let rate = self.steps.iter().rev().find_map(|step| match step {
            Step::Rate(rate) => Some(rate.frame()),
            _ => None,
        });
        if let (Some(frame), Some(paced)) = (rate, self.paced) {
            let place = frame.first_tick_at(self.origin - paced);
            self.origin = paced + frame.timestamp(place);
            return;
        }
        self.look_first();
        let Opened::Video(source) = &mut *self.opened else {
            return;
        };
        let tick = source.clock().first_tick_at(self.origin) + source.zero;
        self.moved |= !source.is_live();
        match source.frame_from(tick, self.context) {
            Ok(Some(first)) => self.origin = source.clock().timestamp(first - source.zero),
            // There is none: the run says so.
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
    }

    /// Looks at the first picture, while the source still stands before it.
    fn look_first(&mut self) {
        if let Err(error) = self.look() {
            self.error = Some(error);
        }
    }

    /// The last keyframe at or before a time, on the source's timeline.
    pub(super) fn keyframe(&mut self, time: Timestamp) -> Timestamp {
        let origin = self.origin;
        self.look_first();
        let Opened::Video(source) = &mut *self.opened else {
            return time;
        };
        let tick = source.clock().first_tick_at(time) + source.zero;
        self.moved |= !source.is_live();
        match source.keyframe_before(tick, self.context) {
            Ok(Some(key)) => source.clock().timestamp(key - source.zero).max(origin),
            Ok(None) => time,
            Err(error) => {
                self.error = Some(error);
                time
            }
        }
    }

    pub(super) fn thumbnail(&mut self, asked: &Thumbnail) -> std::result::Result<(), Refused> {
        if self.source.is_none() {
            return Err("there are no pictures to take one of".into());
        }
        self.settle_origin();
        let mut wanted = Vec::new();
        for moment in asked.moments() {
            let time = self.time(moment)?;
            let end = self.known_end().unwrap_or(Timestamp::MAX).min(self.to);
            if time > end {
                let end = end - self.origin;
                return Err(format!("{moment} is behind the end at {end}"));
            }
            // The end itself is the last frame's that is left.
            let last = self.to - Timestamp::from_micros(1);
            let time = if self.to < Timestamp::MAX {
                time.min(last)
            } else {
                time
            };
            self.pictures += 1;
            wanted.push(Wanted {
                number: self.pictures,
                time,
            });
        }
        self.shots.push(Shot {
            place: self.steps.len(),
            options: asked.clone(),
            wanted,
            origin: self.origin,
            until: self.to,
        });
        Ok(())
    }
}
