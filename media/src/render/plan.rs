//! The plan: what a list of operations comes to, in one pass.

mod explain;
mod walk;

use serde::Serialize;

use super::coding::Coding;
use super::operation::Thumbnail;
use super::shots::Wanted;
use super::step::Step;
use super::{Operation, Options};
use crate::cut::SoundWish;
use crate::cut::source::Source;
use crate::time::Timestamp;
use crate::{Container, Context, Error, Input, Result};

/// What is done to an input, and why. `Display` prints it for people.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Plan {
    /// The input's name.
    pub input: String,
    /// What is done, in order.
    pub stages: Vec<Stage>,
    /// What a person should know: what is left out, what is understood how.
    pub notes: Vec<String>,
    #[serde(skip)]
    pub(super) work: Work,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Stage {
    /// `copy`, `decode`, `filter`, `encode`, `picture` or `write`.
    pub step: &'static str,
    /// What, in a few words.
    pub what: String,
    /// Why it cannot be done with less, or what makes it enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What is to be done. Times are on the source's timeline.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) container: Container,
    /// Whether a video comes out, and not pictures alone.
    pub(super) writes: bool,
    /// The part of the source.
    pub(super) from: Timestamp,
    /// [`Timestamp::MAX`] where it is open.
    pub(super) to: Timestamp,
    /// How the part is cut out where nothing is encoded.
    pub(super) exact: bool,
    pub(super) pictures: Way,
    pub(super) sound: SoundWish,
    /// What the sound takes, about, in bits a second.
    pub(super) sound_bits: i64,
    /// The pictures' size as they are copied.
    pub(super) size: (u32, u32),
    /// What decoded pictures go through.
    pub(super) steps: Vec<Step>,
    /// What the steps' timeline is behind the source's.
    pub(super) shift: Timestamp,
    pub(super) shots: Vec<Shot>,
    /// How long the result is, where that is known.
    pub(super) total: Option<Timestamp>,
    /// The operation that takes the longest, for progress.
    pub(super) operation: &'static str,
    /// Whether planning read more of the input than its beginning.
    pub(super) moved: bool,
}

/// What becomes of the pictures.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Way {
    /// There are none.
    None,
    Copied,
    Encoded(Coding),
}

/// The thumbnails of one operation.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    /// Before which step they are taken.
    pub(super) place: usize,
    pub(super) options: Thumbnail,
    pub(super) wanted: Vec<Wanted>,
    /// The source's time at the zero of the operation's timeline.
    pub(super) origin: Timestamp,
    /// And at its end, as far as a trim before it says so.
    pub(super) until: Timestamp,
}

/// An input as it was opened.
pub(super) enum Opened {
    Video(Box<Source>),
    /// Sound without pictures.
    Sound(Box<super::sound_only::Recording>),
}

impl Opened {
    pub(super) fn open(input: &mut Input, context: &Context) -> Result<Self> {
        match Source::open(input, None, false, context) {
            Ok(source) => Ok(Self::Video(Box::new(source))),
            Err(Error::Malformed {
                input: name,
                reason,
            }) => {
                // Sound alone is as good here.
                let sound = super::sound_only::Recording::open(input, context);
                match sound {
                    Ok(Some(recording)) => Ok(Self::Sound(Box::new(recording))),
                    Ok(None) | Err(Error::Unsupported { .. }) => Err(Error::Malformed {
                        input: name,
                        reason,
                    }),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }
}

/// Says what `operations` come to on `input`, without doing it. It reads the
/// input's header, and where an operation needs it, its end.
pub fn plan(
    mut input: Input,
    operations: &[Operation],
    options: &Options,
    context: &Context,
) -> Result<Plan> {
    let mut opened = Opened::open(&mut input, context)?;
    walk::plan(input.name(), &mut opened, operations, options, context)
}

pub(super) use walk::plan as plan_opened;
