//! A plan is carried out: demuxing and decoding, filters, encoding and writing,
//! each on a thread, joined by bounded channels.
//!
//! | file | what it does |
//! |---|---|
//! | `reader.rs` | packets to frames, and packets of sound |
//! | `encoder.rs` | frames to packets |
//! | `timing.rs` | the times of both |
//! | `sound.rs` | the tracks of sound |
//! | `writer.rs` | packets of all tracks to the output |

mod encoder;
mod reader;
mod sound;
mod timing;
mod writer;

use std::cell::Cell;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::chain::{Chain, Images};
use super::coding::Coding;
use super::plan::{Opened, Work};
use super::shots::Shots;
use crate::av::encode::Pass;
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::cut::source::Source;
use crate::still::Made;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Output, Result};
use encoder::{Encoding, Pace};
use reader::Reader;
pub(super) use sound::Tracks;
use writer::Writer;

/// Frames that wait between two stages: enough that none waits for the other at
/// every frame, and not many pictures in memory.
const FRAMES: usize = 6;
/// Packets that wait to be decoded or written.
const PACKETS: usize = 256;

/// One pass over the input.
pub(super) struct Job<'a> {
    pub(super) name: &'a str,
    pub(super) work: &'a Work,
    pub(super) images: Images,
    pub(super) coding: Option<&'a Coding>,
    /// The statistics of two passes, and which pass it is.
    pub(super) pass: Option<Passing<'a>>,
    pub(super) output: Option<Output>,
    /// Takes the filtered frames where nothing encodes them.
    pub(super) collect: Option<Sender<(Frame, TimeBase)>>,
    /// Whether thumbnails are taken.
    pub(super) shoots: bool,
    /// Whether the room for an MP4's index is guessed: else it is made by a
    /// second pass over the file, and the file is no larger than need be.
    pub(super) reserve: bool,
}

/// One of two passes.
#[derive(Clone, Copy)]
pub(super) struct Passing<'a> {
    pub(super) pass: Pass<'a>,
    /// Where x264 and x265 keep their statistics.
    pub(super) file: &'a str,
    /// Frames a second on average, as the first pass has counted them.
    pub(super) average: Option<f64>,
}

impl Passing<'_> {
    fn is_second(self) -> bool {
        matches!(self.pass, Pass::Second(_))
    }
}

/// What a pass did.
#[derive(Default)]
pub(super) struct Done {
    pub(super) frames_decoded: u64,
    pub(super) frames_encoded: u64,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) duration: Timestamp,
    pub(super) taken: Vec<Made>,
    /// The numbers of thumbnails for which there was no frame.
    pub(super) missing: Vec<usize>,
    pub(super) statistics: Option<std::ffi::CString>,
    /// The output, not under its name yet.
    pub(super) written: Option<crate::av::mux::Closed>,
    /// The bytes of packets of pictures and of sound.
    pub(super) picture_bytes: u64,
    pub(super) sound_bytes: u64,
    pub(super) notes: Vec<String>,
}

/// What comes to the writer.
enum Message {
    /// The pictures' header is known.
    Opened(Box<Opening>),
    Packet(usize, Packet),
}

struct Opening {
    parameters: Parameters,
    clock: TimeBase,
    frame: TimeBase,
}

/// Carries out one pass.
pub(super) fn run(job: Job<'_>, opened: Opened, context: &Context) -> Result<Done> {
    match opened {
        Opened::Video(source) => pictures(job, *source, context),
        Opened::Sound(recording) => sound::alone(job, *recording, context),
    }
}

fn pictures(mut job: Job<'_>, mut source: Source, context: &Context) -> Result<Done> {
    let (name, work) = (job.name, job.work);
    let clock = source.clock();
    let frame = source.frame_rate();
    let tracks = if job.output.is_some() {
        Tracks::new(&source, work, name, context)?
    } else {
        Tracks::default()
    };
    let chain = chain_of(&job, (clock, frame), context);
    let pace = match chain.pace() {
        Some((clock, frame)) => Pace {
            clock,
            frame,
            average: None,
        },
        None => Pace {
            clock,
            frame,
            average: job
                .pass
                .and_then(|passing| passing.average)
                .or_else(|| source.average_rate()),
        },
    };
    let mut encoding = match job.coding {
        Some(coding) => Some(Encoding::new(coding, work.container, job.pass, pace, name)),
        None => None,
    };
    let output = job.output.take();
    let collect = job.collect.take();
    let (to_filters, decoded) = bounded::<Frame>(FRAMES);
    let (to_encoder, filtered) = bounded::<(Frame, TimeBase)>(FRAMES);
    let (to_sound, sound) = bounded::<Packet>(PACKETS);
    let (tell_zero, zero) = bounded::<Timestamp>(1);
    let (to_writer, messages) = bounded::<Message>(PACKETS);
    let described = tracks.described(&source);
    let reads_sound = !described.is_empty();
    let sound_clock = (clock, work.shift, source.zero);
    let mut reader = Reader::new(&mut source, work, name, context)?;
    thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let sound = reads_sound.then_some(&to_sound);
            reader
                .run(&to_filters, sound, context)
                .map(|()| reader.into_counts())
        });
        let filtering = scope.spawn(move || filter(chain, &decoded, &to_encoder, context));
        let tell = to_writer.clone();
        let passing = job.pass.is_some() && output.is_none();
        let encoding = scope.spawn(move || {
            let encoded = if let Some(encoding) = &mut encoding {
                encoding.run(&filtered, &tell, &tell_zero, work, passing, context)
            } else {
                hand_on(&filtered, collect.as_ref());
                Ok(())
            };
            encoded.map(|()| encoding)
        });
        let sounding =
            scope.spawn(move || tracks.run(&sound, &zero, &to_writer, sound_clock, context));
        let writing = if let Some(output) = output {
            let mut writer = Writer::new(output, described, &job);
            writer.take(&messages, context).map(|()| Some(writer))
        } else {
            while messages.recv().is_ok() {}
            Ok(None)
        };
        // The others end when nobody takes what they make.
        drop(messages);
        let read = joined(reading.join());
        let filtered = joined(filtering.join());
        let encoded = joined(encoding.join());
        let sounded = joined(sounding.join());
        context.check()?;
        let writer = writing?;
        let counts = read?;
        let shots = filtered?;
        let encoding = encoded?;
        let mut done = Done {
            frames_decoded: counts.decoded,
            notes: counts.notes,
            ..Done::default()
        };
        done.notes.extend(sounded?);
        for shots in shots {
            let (taken, missing) = shots.into_taken();
            done.taken.extend(taken);
            done.missing.extend(missing);
        }
        if let Some(encoding) = encoding {
            encoding.report(&mut done)?;
        }
        if let Some(writer) = writer {
            writer.finish(&mut done, context)?;
        }
        Ok(done)
    })
}

/// What decoded pictures go through.
fn chain_of(job: &Job<'_>, (clock, frame): (TimeBase, TimeBase), context: &Context) -> Chain {
    let (name, work) = (job.name, job.work);
    let shots = if job.shoots {
        work.shots
            .iter()
            .map(|shot| (shot.place, shots_of(shot, work.shift, name, context)))
            .collect()
    } else {
        Vec::new()
    };
    let steps = relative(&work.steps, work.shift);
    Chain::new(
        &steps,
        shots,
        &job.images,
        (clock, frame, work.shift),
        name,
        context,
    )
}

/// The thumbnails of an operation, on a timeline that is `shift` behind the
/// source's.
fn shots_of(shot: &super::plan::Shot, shift: Timestamp, name: &str, context: &Context) -> Shots {
    let wanted = shot.wanted.iter().map(|wanted| super::shots::Wanted {
        time: wanted.time - shift,
        ..*wanted
    });
    let options = &shot.options;
    let until = match shot.until {
        Timestamp::MAX => Timestamp::MAX,
        until => until - shift,
    };
    Shots::new(
        wanted.collect(),
        options.style(),
        (options.skip_black, until),
        name,
        context,
    )
}

/// The steps on a timeline that is `shift` behind the source's.
fn relative(steps: &[super::step::Step], shift: Timestamp) -> Vec<super::step::Step> {
    use super::step::Step;
    let earlier = |step: &Step| match step {
        Step::Window(from, Timestamp::MAX) => Step::Window(*from - shift, Timestamp::MAX),
        Step::Window(from, to) => Step::Window(*from - shift, *to - shift),
        step => step.clone(),
    };
    steps.iter().map(earlier).collect()
}

/// The thread of the filters.
fn filter(
    mut chain: Chain,
    decoded: &Receiver<Frame>,
    to_encoder: &Sender<(Frame, TimeBase)>,
    context: &Context,
) -> Result<Vec<Shots>> {
    let gone = Cell::new(false);
    let mut take = |frame: Frame, clock: TimeBase| {
        gone.set(gone.get() || to_encoder.send((frame, clock)).is_err());
        Ok(())
    };
    for frame in decoded {
        context.check()?;
        chain.push(Some(frame), &mut take)?;
        // An encoder that failed has the reason, and samples may be enough: the
        // reader ends when nobody takes its frames.
        if gone.get() {
            return Ok(chain.into_shots());
        }
    }
    chain.push(None, &mut take)?;
    Ok(chain.into_shots())
}

/// Hands frames on that nobody encodes.
fn hand_on(frames: &Receiver<(Frame, TimeBase)>, collect: Option<&Sender<(Frame, TimeBase)>>) {
    for frame in frames {
        if collect.is_some_and(|collect| collect.send(frame).is_err()) {
            break;
        }
    }
}

fn joined<T>(result: thread::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The error of a stage whose neighbour is gone: that one has the reason.
fn gone() -> Error {
    Error::Cancelled
}
