//! Detection over a whole input: one decode, a frame at a time.

use crate::decoded::pictures::Pictures;
use crate::decoded::source::{Source, Wanted};
use crate::time::Timestamp;
use crate::{Context, Error, Input, Result};

use super::cut::{Finder, FrameScore, Scene};
use super::options::Options;

/// The scenes of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenes {
    /// In order and without gaps; at least one.
    pub scenes: Vec<Scene>,
    /// How many frames were compared.
    pub frames: u64,
}

pub(super) fn run(
    mut input: Input,
    options: &Options,
    context: &Context,
    each: &mut dyn FnMut(&FrameScore),
) -> Result<Scenes> {
    let wanted = Wanted {
        video: true,
        sound: false,
    };
    let mut source = Source::open(&mut input, wanted, context)?;
    let video = source.video.ok_or_else(|| source.nothing("video"))?;
    let mut pictures = Pictures::open(&source, video, context)?;
    let mut finder = Finder::new(options, pictures.frame);
    let total = source.duration();
    let name = source.name().to_owned();
    let mut frames = 0;
    let mut reported = Timestamp::ZERO;
    loop {
        let packet = source.read(context)?;
        pictures.push(packet.as_ref(), context, &mut |frame, at| {
            frames += 1;
            finder
                .push(&frame, at, each)
                .map_err(|code| code.failed(&name, "comparing frames"))?;
            if at - reported >= Timestamp::from_micros(200_000) {
                reported = at;
                context.report(at, total);
            }
            Ok(())
        })?;
        if packet.is_none() {
            break;
        }
    }
    let Some(end) = pictures.end() else {
        return Err(Error::malformed(
            &name,
            "not one frame of its video can be decoded",
        ));
    };
    let scenes = finder.finish(end, each);
    Ok(Scenes { scenes, frames })
}
