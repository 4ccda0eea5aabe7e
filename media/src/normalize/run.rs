//! The main path: one thread reads, one decodes pictures and shapes them, one
//! encodes the proxy, one makes the sound. Between them are bounded channels,
//! so that none runs far ahead.
//!
//! Whichever ends with an error lets go of its channel, and the others end with
//! it. Only when all have done their part do the results get their names.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::{self, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::decoded::pictures::Pictures;
use crate::decoded::source::{Source, Wanted};
use crate::render::operation::FrameRate;
use crate::scene::{Finder, Scenes};
use crate::time::Timestamp;
use crate::{Context, Error, Input, Result};

use super::frame_rate::{Steady, proxy_frame, repeated};
use super::options::{Options, Outputs};
use super::proxy::ProxyWriter;
use super::report::{Report, Sound};
use super::shape::{Look, Shaper};
use super::sound::{SoundTrack, Sounded};

/// Packets that wait for a decoder.
const PACKETS: usize = 64;

/// Shaped frames that wait for the encoder.
const FRAMES: usize = 4;

/// How much of the source lies between two reports of progress.
const REPORTED: Timestamp = Timestamp::from_micros(200_000);

/// Finds the proxy, the sound and the scenes in one pass.
pub(super) fn run(
    mut input: Input,
    outputs: Outputs,
    options: &Options,
    context: &Context,
) -> Result<Report> {
    options.check()?;
    let wanted = Wanted {
        video: outputs.proxy.is_some() || options.scenes.is_some(),
        sound: outputs.sound.is_some(),
    };
    let mut source = Source::open(&mut input, wanted, context)?;
    let mut report = Report::default();
    if source.video.is_none() && source.sound.is_none() {
        return Err(source.nothing(match (wanted.video, wanted.sound) {
            (true, true) => "video and no sound",
            (true, false) => "video",
            _ => "sound",
        }));
    }
    let name = source.name().to_owned();
    let mut missing = |is_missing: bool, what: &str| {
        if is_missing {
            report.notes.push(format!("{name}: {what}"));
        }
    };
    missing(
        wanted.video && source.video.is_none(),
        "no video in it, so there is no proxy and there are no scenes",
    );
    missing(
        wanted.sound && source.sound.is_none(),
        "no sound in it, so there is no sound file",
    );
    let done = AtomicI64::new(0);
    let picture_work = match source.video {
        Some(video) => Some(PictureWork::open(
            &source,
            video,
            outputs.proxy,
            options,
            context,
            &done,
        )?),
        None => None,
    };
    let sound_work = match (source.sound, outputs.sound) {
        (Some(sound), Some(output)) => Some(SoundTrack::open(
            &source,
            sound,
            output,
            options.silence,
            context,
        )?),
        _ => None,
    };
    let made = thread::scope(|scope| {
        let mut routes = Routes::default();
        let pictures = picture_work.map(|work| {
            let packets = routes.add(source.video);
            scope.spawn(move || work.run(&packets, context))
        });
        let sound = sound_work.map(|mut track| {
            let packets = routes.add(source.sound);
            let done = source.video.is_none().then_some(&done);
            scope.spawn(move || {
                for packet in &packets {
                    track.push(Some(&packet), context)?;
                    if let Some(done) = done {
                        done.store(track.position().as_micros(), Ordering::Relaxed);
                    }
                }
                track.push(None, context)?;
                track.finish()
            })
        });
        let read = read(&mut source, &routes, &done, context);
        drop(routes);
        let pictures = pictures.map(join).transpose();
        let sound = sound.map(join).transpose();
        first_error(read, pictures, sound)
    })?;
    context.check()?;
    finish(made, &name, report)
}

/// What the threads made, before it is named.
type Made = (Option<Pictured>, Option<Sounded>);

/// Gives the results their names: all of them, or on an error none.
fn finish((pictured, sounded): Made, name: &str, mut report: Report) -> Result<Report> {
    let mut named = Vec::new();
    if let Some(pictured) = pictured {
        report.scenes = pictured.scenes;
        let made = pictured.proxy.map(ProxyWriter::finish).transpose()?;
        if let Some((proxy, written)) = made.flatten() {
            report.proxy = Some(proxy);
            named.extend(written.name()?);
        }
    }
    if let Some(sounded) = sounded {
        if sounded.is_heard {
            report.sound = Some(Sound {
                duration: sounded.duration,
                bytes: sounded.file.bytes,
                silences: sounded.silences,
            });
            named.extend(sounded.file.name()?);
        } else {
            report.notes.push(format!(
                "{name}: its sound cannot be decoded, so there is no sound file"
            ));
        }
    }
    for named in &mut named {
        named.settle();
    }
    Ok(report)
}

/// Where the packets of a stream go.
#[derive(Default)]
struct Routes(Vec<(usize, Sender<Packet>)>);

impl Routes {
    fn add(&mut self, stream: Option<usize>) -> Receiver<Packet> {
        let (sender, receiver) = bounded(PACKETS);
        if let Some(stream) = stream {
            self.0.push((stream, sender));
        }
        receiver
    }
}

/// Reads to the end, or until somebody listens no more.
fn read(source: &mut Source, routes: &Routes, done: &AtomicI64, context: &Context) -> Result<()> {
    let total = source.duration();
    let mut reported = Timestamp::ZERO;
    while let Some(packet) = source.read(context)? {
        let mut listeners = routes.0.iter();
        if let Some((_, to)) = listeners.find(|(stream, _)| *stream == packet.stream())
            && to.send(packet).is_err()
        {
            // It tells why when it is joined.
            return Ok(());
        }
        let done = Timestamp::from_micros(done.load(Ordering::Relaxed));
        if done - reported >= REPORTED {
            reported = done;
            context.report(done, total);
        }
    }
    Ok(())
}

fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    match thread.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// What all made, or the first error that is a cause rather than a consequence.
fn first_error(
    read: Result<()>,
    pictures: Result<Option<Pictured>>,
    sound: Result<Option<Sounded>>,
) -> Result<Made> {
    match (pictures, sound, read) {
        (Ok(pictures), Ok(sound), Ok(())) => Ok((pictures, sound)),
        (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => Err(error),
    }
}

/// Decodes pictures, finds scenes, and makes the proxy's frames.
struct PictureWork<'a> {
    pictures: Pictures,
    name: String,
    finder: Option<Finder>,
    proxy: Option<(Steady, Shaper, ProxyWriter)>,
    done: &'a AtomicI64,
}

/// What came of the pictures.
struct Pictured {
    proxy: Option<ProxyWriter>,
    scenes: Option<Scenes>,
}

impl<'a> PictureWork<'a> {
    fn open(
        source: &Source,
        video: usize,
        proxy: Option<crate::Output>,
        options: &Options,
        context: &Context,
        done: &'a AtomicI64,
    ) -> Result<Self> {
        let pictures = Pictures::open(source, video, context)?;
        let stream = source.stream(video)?;
        let frame = options
            .frame_rate
            .map_or_else(|| proxy_frame(pictures.frame), FrameRate::frame);
        let look = Look {
            rotation: stream.rotation,
            aspect: stream.aspect,
            interlaced: stream.parameters.is_interlaced(),
        };
        let scenes = options.scenes.as_ref();
        Ok(Self {
            finder: scenes.map(|scenes| Finder::new(scenes, pictures.frame)),
            proxy: proxy.map(|output| {
                let shaper = Shaper::new(look, options.short_side, frame, source.name());
                let writer = ProxyWriter::new(output, frame, options.quality, source.duration());
                (Steady::new(frame), shaper, writer)
            }),
            pictures,
            name: source.name().to_owned(),
            done,
        })
    }

    fn run(mut self, packets: &Receiver<Packet>, context: &Context) -> Result<Pictured> {
        let Some((steady, shaper, mut writer)) = self.proxy.take() else {
            let (_, frames) = self.decode(packets, context, &mut |_, _| Ok(()))?;
            return Ok(self.end(None, frames));
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
                (Ok(writer), Ok(frames)) => Ok(self.end(Some(writer), frames)),
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
            done,
            name,
            ..
        } = self;
        let mut frames = 0;
        let mut take = |frame: Frame, at: Timestamp| {
            frames += 1;
            if let Some(finder) = finder {
                finder
                    .push(&frame, at, &mut |_| ())
                    .map_err(|code| code.failed(name, "comparing frames"))?;
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
        Ok((end, frames))
    }

    fn end(self, proxy: Option<ProxyWriter>, frames: u64) -> Pictured {
        let end = self.pictures.end().unwrap_or_default();
        Pictured {
            proxy,
            scenes: self.finder.map(|finder| Scenes {
                scenes: finder.finish(end, &mut |_| ()),
                frames,
            }),
        }
    }
}
