//! Thumbnails out of the frames that pass by: the one shown at each time.

use crate::av::code::Code;
use crate::av::frame::Frame;
use crate::still::{Made, Shaper, Style, encode};
use crate::time::Timestamp;
use crate::{Context, Error, Result};

/// One picture that is wanted: its number, from 1 on over all operations, and
/// when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) number: usize,
    pub(super) time: Timestamp,
}

/// Takes pictures in one style.
pub(super) struct Shots {
    shaper: Shaper,
    style: Style,
    skip_black: bool,
    /// Where the operation's timeline ends: nothing is looked for behind it.
    until: Timestamp,
    /// Those that are due, the latest first.
    wanted: Vec<Wanted>,
    /// The frame before the one that passes by.
    before: Option<(Frame, Timestamp)>,
    /// Black ones, for which another frame is sought.
    seeking: Vec<Seeking>,
    taken: Vec<Made>,
    name: String,
}

struct Seeking {
    number: usize,
    black: Made,
    /// The next frame to look at, and how far that was from the last one.
    next: Timestamp,
    step: Timestamp,
}

/// As in [`still::Options::skip_black`](crate::still::Options::skip_black).
const FIRST_STEP: Timestamp = Timestamp::from_micros(500_000);

impl Shots {
    pub(super) fn new(
        mut wanted: Vec<Wanted>,
        style: Style,
        (skip_black, until): (bool, Timestamp),
        name: &str,
        context: &Context,
    ) -> Self {
        wanted.sort_by_key(|wanted| std::cmp::Reverse(wanted.time));
        Self {
            until,
            shaper: Shaper::upright(style, name, context),
            style,
            skip_black,
            wanted,
            before: None,
            seeking: Vec::new(),
            taken: Vec::new(),
            name: name.to_owned(),
        }
    }

    /// Looks at a frame that begins to be shown at `time`.
    pub(super) fn look(&mut self, frame: &Frame, time: Timestamp) -> Result<()> {
        self.seek(frame, time)?;
        while let Some(&wanted) = self.wanted.last()
            && wanted.time <= time
        {
            self.wanted.pop();
            match self.before.take() {
                Some((before, shown)) if time > wanted.time => {
                    self.take(wanted.number, &before, shown)?;
                    self.before = Some((before, shown));
                }
                before => {
                    self.before = before;
                    self.take(wanted.number, frame, time)?;
                }
            }
        }
        self.before = if self.wanted.is_empty() {
            None
        } else {
            let another = frame.another().map_err(|code| self.failed(code))?;
            Some((another, time))
        };
        Ok(())
    }

    /// No more frames come: what is still wanted is the last one.
    pub(super) fn end(&mut self) -> Result<()> {
        if let Some((frame, time)) = self.before.take() {
            for wanted in std::mem::take(&mut self.wanted) {
                self.take(wanted.number, &frame, time)?;
            }
        }
        let black = self.seeking.drain(..).map(|seeking| seeking.black);
        self.taken.extend(black);
        Ok(())
    }

    /// The pictures, and the numbers of those for which there was no frame.
    pub(super) fn into_taken(self) -> (Vec<Made>, Vec<usize>) {
        let missing = self.wanted.iter().map(|wanted| wanted.number).collect();
        (self.taken, missing)
    }

    fn take(&mut self, number: usize, frame: &Frame, time: Timestamp) -> Result<()> {
        let picture = self.picture(number, frame, time)?;
        if self.skip_black && self.shaper.is_black(frame)? {
            self.seeking.push(Seeking {
                number,
                black: Made {
                    black: true,
                    ..picture
                },
                next: time + FIRST_STEP,
                step: FIRST_STEP,
            });
        } else {
            self.taken.push(picture);
        }
        Ok(())
    }

    /// Looks for frames in place of black ones.
    fn seek(&mut self, frame: &Frame, time: Timestamp) -> Result<()> {
        if time >= self.until || !self.seeking.iter().any(|seeking| seeking.next <= time) {
            return Ok(());
        }
        let black = self.shaper.is_black(frame)?;
        let mut still_black = Vec::new();
        for mut seeking in std::mem::take(&mut self.seeking) {
            if seeking.next > time {
                still_black.push(seeking);
            } else if black {
                let micros = seeking.step.as_micros();
                seeking.step = Timestamp::from_micros(micros + micros / 4);
                seeking.next = seeking.next + seeking.step;
                still_black.push(seeking);
            } else {
                let picture = self.picture(seeking.number, frame, time)?;
                self.taken.push(picture);
            }
        }
        self.seeking = still_black;
        Ok(())
    }

    fn picture(&mut self, number: usize, frame: &Frame, time: Timestamp) -> Result<Made> {
        let picture = self.shaper.shape(frame)?;
        let (width, height) = (picture.width(), picture.height());
        Ok(Made {
            number,
            time,
            width,
            height,
            bytes: encode(picture, self.style, &self.name)?,
            black: false,
        })
    }

    fn failed(&self, code: Code) -> Error {
        code.failed(&self.name, "taking a thumbnail")
    }
}
