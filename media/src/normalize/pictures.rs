//! The pictures: one thread decodes them, finds scenes, holds what may stand for
//! them and makes the proxy's frames; another one encodes those.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::{self, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::decoded::pictures::Pictures;
use crate::decoded::source::Source;
use crate::render::operation::FrameRate;
use crate::scene::{Finder, Scenes};
use crate::still;
use crate::time::Timestamp;
use crate::{Context, Error, Result};

use super::frame_rate::{Steady, proxy_frame, repeated};
use super::frames::{Made, SceneFrames};
use super::options::Options;
use super::proxy::ProxyWriter;
use super::shape::{Look, Shaper};

/// Shaped frames that wait for the encoder.
const FRAMES: usize = 4;

/// Decodes pictures, finds scenes, and makes the proxy's frames.
pub(super) struct PictureWork<'a> {
    pictures: Pictures,
    name: String,
    finder: Option<Finder>,
    frames: Option<SceneFrames>,
    proxy: Option<(Steady, Shaper, ProxyWriter)>,
    done: &'a AtomicI64,
}

/// What came of the pictures.
pub(super) struct Pictured {
    pub(super) proxy: Option<ProxyWriter>,
    pub(super) scenes: Option<Scenes>,
    pub(super) frames: Option<Made>,
}

impl<'a> PictureWork<'a> {
    pub(super) fn open(
        source: &Source,
        video: usize,
        (proxy, frames): (Option<crate::Output>, bool),
        options: &Options,
        context: &Context,
        done: &'a AtomicI64,
    ) -> Result<Self> {
        let pictures = Pictures::open(source, video, context)?;
        let stream = source.stream(video)?;
        let length = options
            .frame_rate
            .map_or_else(|| proxy_frame(pictures.frame), FrameRate::frame);
        let look = Look {
            rotation: stream.rotation,
            aspect: stream.aspect,
            interlaced: stream.parameters.is_interlaced(),
        };
        let name = source.name();
        let mut scenes = options.scenes.clone();
        let mut scene_frames = None;
        if frames {
            let scenes = scenes.get_or_insert_default();
            let style = still::Style {
                format: options.frames.format,
                quality: options.frames.quality,
                ..still::Style::default()
            };
            let shaper = still::Shaper::new(style, stream, name, context);
            let shaper = shaper.within(options.frames.longest);
            let undecided = scenes.detector.delay();
            scene_frames = Some(SceneFrames::new(shaper, style, undecided, name, context)?);
        }
        Ok(Self {
            finder: scenes.map(|scenes| Finder::new(&scenes, pictures.frame)),
            frames: scene_frames,
            proxy: proxy.map(|output| {
                let shaper = Shaper::new(look, options.short_side, length, name);
                let writer = ProxyWriter::new(output, length, options.quality, source.duration());
                (Steady::new(length), shaper, writer)
            }),
            pictures,
            name: name.to_owned(),
            done,
        })
    }

    pub(super) fn run(mut self, packets: &Receiver<Packet>, context: &Context) -> Result<Pictured> {
        let Some((steady, shaper, mut writer)) = self.proxy.take() else {
            let (_, frames) = self.decode(packets, context, &mut |_, _| Ok(()))?;
            return self.end(None, frames);
        };
        thread::scope(|scope| {
            let (sender, receiver) = bounded(FRAMES);
            let encoding = scope.spawn(move || {
                for frame in &receiver {
                    writer.push(frame, context)?;
                }
                writer.flush()?;
                Ok(writer)
            });
            let shaping = self.shape(packets, (steady, shaper), &sender, context);
            // The encoder ends when nobody sends any more.
            drop(sender);
            match (join(encoding), shaping) {
                (Ok(writer), Ok(frames)) => self.end(Some(writer), frames),
                // An encoder that failed is why shaping found nobody listening.
                (Err(error), _) | (_, Err(error)) => Err(error),
            }
        })
    }

    /// Decodes, and sends the proxy's frames to the encoder.
    fn shape(
        &mut self,
        packets: &Receiver<Packet>,
        (mut steady, mut shaper): (Steady, Shaper),
        sender: &Sender<Frame>,
        context: &Context,
    ) -> Result<u64> {
        let name = self.name.clone();
        let mut send = |frame: Frame| {
            // Nobody listens where the encoder has failed, and that tells why.
            sender.send(frame).map_err(|_| Error::Cancelled)
        };
        let mut release = |released: Option<(Frame, i64)>| {
            let Some((frame, count)) = released else {
                return Ok(());
            };
            for copy in repeated(&frame, count) {
                let copy = copy.map_err(|code| code.failed(&name, "repeating a frame"))?;
                shaper.push(Some(copy), context, &mut send)?;
            }
            Ok(())
        };
        let (end, frames) = self.decode(packets, context, &mut |frame, at| {
            release(steady.push(frame, at))
        })?;
        release(steady.finish(end))?;
        shaper.push(None, context, &mut send)?;
        Ok(frames)
    }

    /// Decodes all packets and finds scenes; tells when the last frame's time is
    /// over, and how many there were.
    fn decode(
        &mut self,
        packets: &Receiver<Packet>,
        context: &Context,
        each: &mut dyn FnMut(Frame, Timestamp) -> Result<()>,
    ) -> Result<(Timestamp, u64)> {
        let Self {
            pictures,
            finder,
            frames,
            done,
            name,
            ..
        } = self;
        let mut count = 0;
        let mut take = |frame: Frame, at: Timestamp| {
            count += 1;
            if let Some(finder) = finder {
                finder
                    .push(&frame, at, &mut |_| ())
                    .map_err(|code| code.failed(name, "comparing frames"))?;
                if let Some(frames) = frames {
                    frames.push(&frame, at, finder)?;
                }
            }
            done.store(at.as_micros(), Ordering::Relaxed);
            each(frame, at)
        };
        for packet in packets {
            pictures.push(Some(&packet), context, &mut take)?;
        }
        pictures.push(None, context, &mut take)?;
        let end = pictures
            .end()
            .ok_or_else(|| Error::malformed(&*name, "not one frame of its video can be decoded"))?;
        Ok((end, count))
    }

    fn end(self, proxy: Option<ProxyWriter>, frames: u64) -> Result<Pictured> {
        let end = self.pictures.end().unwrap_or_default();
        let made = self.frames.map(|frames| frames.finish(end)).transpose()?;
        Ok(Pictured {
            frames: made,
            proxy,
            scenes: self.finder.map(|finder| Scenes {
                scenes: finder.finish(end, &mut |_| ()),
                frames,
            }),
        })
    }
}

/// What a thread made.
pub(super) fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
