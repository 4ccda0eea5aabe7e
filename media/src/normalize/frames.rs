//! A picture of each scene, out of the frames that pass by.
//!
//! Where a scene's middle was is known when it is over, and which scenes are
//! wanted, when all are. So a few frames of the running scene are held, as the
//! decoder gave them and shared with it, which costs no work; when the scene is
//! over, the one nearest to its middle becomes a picture and goes to the disk;
//! and at the end those that are wanted come back.

use crate::av::code::Code;
use crate::av::frame::Frame;
use crate::scene::{Finder, Seen, choose};
use crate::still::{Batch, Place, Shaper, Style, encode};
use crate::time::Timestamp;
use crate::{Context, Error, Result};

use super::options::{FrameOptions, FramePlace, Sink};
use super::report::SceneFrame;
use super::spool::{Piece, Spool};
use super::thinned::Thinned;

/// How many frames of a scene are held, and of how many bytes; three in any case,
/// which is less than decoders hold themselves.
const HELD: usize = 8;
const HELD_BYTES: usize = 32 << 20;

/// Makes a picture of each scene.
pub(super) struct SceneFrames {
    shaper: Shaper,
    style: Style,
    name: String,
    /// How many frames of a scene are held.
    most: usize,
    /// Frames of which it is not known yet in which scene they are.
    undecided: Thinned<Held>,
    /// Those of the scene that is running; all of them show as much.
    scene: Thinned<Held>,
    seen: Seen,
    /// When there was first so much to be seen, and from when on there was not.
    from: Timestamp,
    to: Option<Timestamp>,
    /// How many of the finder's cuts were looked at.
    cuts: usize,
    /// Frames that came so far.
    frames: u64,
    made: Made,
}

/// A frame that may stand for its scene.
struct Held {
    number: u64,
    seen: Seen,
    frame: Frame,
}

/// The pictures of all scenes.
pub(super) struct Made {
    spool: Spool,
    pictures: Vec<Picture>,
}

/// The picture of a scene.
struct Picture {
    time: Timestamp,
    size: (u32, u32),
    seen: Seen,
    piece: Piece,
}

impl SceneFrames {
    /// Pictures that `shaper` makes in `style`; `undecided` frames at most are
    /// each the first of a scene, perhaps. `name` is for messages.
    pub(super) fn new(
        shaper: Shaper,
        style: Style,
        undecided: usize,
        name: &str,
        context: &Context,
    ) -> Result<Self> {
        Ok(Self {
            shaper,
            style,
            name: name.to_owned(),
            most: HELD,
            undecided: Thinned::new(undecided.saturating_add(1)),
            scene: Thinned::new(HELD),
            seen: Seen::default(),
            from: Timestamp::ZERO,
            to: None,
            cuts: 0,
            frames: 0,
            made: Made {
                spool: Spool::new(&context.temp_dir())?,
                pictures: Vec::new(),
            },
        })
    }

    /// Takes the next frame, which `finder` has just seen.
    pub(super) fn push(&mut self, frame: &Frame, at: Timestamp, finder: &Finder) -> Result<()> {
        let number = self.frames;
        self.frames += 1;
        if number == 0 {
            self.begin(frame);
        }
        let held = Held {
            number,
            seen: finder.seen(),
            frame: frame
                .share()
                .map_err(|code| code.failed(&self.name, "holding a frame"))?,
        };
        self.undecided.offer(at, held);
        let known = self.cuts;
        for cut in finder.cuts(known) {
            self.cuts += 1;
            // A cut in front of everything is none.
            if cut.number > 0 {
                self.decide(cut.number);
                self.end(cut.at)?;
                self.begin(frame);
            }
        }
        self.decide(finder.undecided());
        Ok(())
    }

    /// The pictures of all scenes, of which the last ends at `end`.
    pub(super) fn finish(mut self, end: Timestamp) -> Result<Made> {
        if self.frames > 0 {
            self.decide(u64::MAX);
            self.end(end)?;
        }
        Ok(self.made)
    }

    /// A scene begins.
    fn begin(&mut self, like: &Frame) {
        let bytes = bytes(like).max(1);
        self.most = (HELD_BYTES / bytes).clamp(3, HELD);
        self.scene.clear(self.most);
    }

    /// Frames before the one numbered `until` are of the running scene.
    fn decide(&mut self, until: u64) {
        while let Some((at, held)) = self.undecided.take_if(|held| held.number < until) {
            let is_first = self.scene.is_empty();
            if is_first || held.seen > self.seen {
                // Whatever shows more stands for the scene rather.
                self.scene.clear(self.most);
                (self.seen, self.from) = (held.seen, at);
            }
            if held.seen == self.seen {
                self.to = None;
                self.scene.offer(at, held);
            } else {
                self.to.get_or_insert(at);
            }
        }
    }

    /// The running scene is over at `at`: of its frames one becomes a picture.
    fn end(&mut self, at: Timestamp) -> Result<()> {
        let length = self.to.unwrap_or(at) - self.from;
        let half = Timestamp::from_micros(length.as_micros() / 2);
        let nearest = self.scene.nearest(self.from + half);
        let Some(&(
            time,
            Held {
                ref frame, seen, ..
            },
        )) = nearest
        else {
            // It has its first frame at least.
            return Err(Code::INVALID.failed(&self.name, "choosing a frame"));
        };
        let picture = self.shaper.shape(frame)?;
        let size = (
            picture.width().unsigned_abs(),
            picture.height().unsigned_abs(),
        );
        let bytes = encode(picture, self.style, &self.name)?;
        self.made.pictures.push(Picture {
            time,
            size,
            seen,
            piece: self.made.spool.put(&bytes)?,
        });
        // The frames are let go of at once.
        self.scene.clear(self.most);
        self.to = None;
        Ok(())
    }
}

impl Made {
    /// Hands on the pictures of the scenes that stand for all. Files have no
    /// names yet: the batch gives them theirs.
    pub(super) fn hand_on(
        &self,
        place: FramePlace,
        options: &FrameOptions,
        context: &Context,
    ) -> Result<(Vec<SceneFrame>, Batch)> {
        let chosen = choose(self.pictures.len(), options.most);
        let mut batch = Batch::new();
        let mut told = Vec::new();
        let mut to = match place {
            FramePlace::Folder(folder) => {
                if !chosen.is_empty() {
                    batch.folder(&folder)?;
                }
                To::Folder(Place::folder(folder, "frame"))
            }
            FramePlace::Sink(sink) => To::Sink(sink),
        };
        for (number, scene) in chosen.into_iter().enumerate() {
            context.check()?;
            let Some(picture) = self.pictures.get(scene) else {
                continue;
            };
            let bytes = self.spool.get(picture.piece)?;
            let mut frame = SceneFrame {
                scene,
                time: picture.time,
                width: picture.size.0,
                height: picture.size.1,
                bytes: picture.piece.bytes,
                name: String::new(),
                blank: picture.seen < Seen::Picture,
            };
            match &mut to {
                To::Folder(place) => {
                    let path = place.name(number, options.format);
                    frame.name = path.display().to_string();
                    batch.add(path, &bytes)?;
                }
                To::Sink(Sink(sink)) => {
                    frame.name = format!("frame-{}.{}", number + 1, options.format.extension());
                    sink(&frame, bytes)?;
                }
            }
            told.push(frame);
        }
        Ok((told, batch))
    }
}

/// Where pictures go.
enum To {
    Folder(Place),
    Sink(Sink),
}

/// How large a frame is in memory.
fn bytes(frame: &Frame) -> usize {
    (0..4)
        .map(|plane| frame.rows(plane).map(<[u8]>::len).sum::<usize>())
        .sum()
}

/// Refuses what cannot be made.
pub(super) fn check(options: &FrameOptions) -> Result<()> {
    let refuse = |reason: &str| Err(Error::unsupported("normalize", reason));
    if !(1..=MOST).contains(&options.most) {
        return refuse("the most frames must be from 1 to 100000");
    }
    if !(16..=16_384).contains(&options.longest) {
        return refuse("the frames' longest side must have 16 to 16384 pixels");
    }
    if !(1..=100).contains(&options.quality) {
        return refuse("the frames' quality must be from 1 to 100");
    }
    Ok(())
}

/// The most pictures of one run, as of thumbnails.
const MOST: usize = 100_000;
