//! The main path: one thread reads, one decodes pictures and shapes them, one
//! encodes the proxy, one makes the sound. Between them are bounded channels,
//! so that none runs far ahead.
//!
//! Whichever ends with an error lets go of its channel, and the others end with
//! it. Only when all have done their part do the results get their names.
//! Pictures of scenes are made where frames are decoded: one a scene is little.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::av::packet::Packet;
use crate::decoded::source::{Source, Wanted};
use crate::still::Batch;
use crate::time::Timestamp;
use crate::{Context, Input, Result};

use super::options::{FrameOptions, FrameOutput, Options, Outputs};
use super::pictures::{PictureWork, Pictured, join};
use super::proxy::ProxyWriter;
use super::report::{Report, Sound};
use super::sound::{SoundTrack, Sounded};

/// Packets that wait for a decoder.
const PACKETS: usize = 64;

/// How much of the source lies between two reports of progress.
const REPORTED: Timestamp = Timestamp::from_micros(200_000);

/// Makes the proxy, the sound and the frames, and finds the scenes, in one pass.
pub(super) fn run(
    mut input: Input,
    outputs: Outputs,
    options: &Options,
    context: &Context,
) -> Result<Report> {
    options.check(outputs.frames.is_some())?;
    let wanted = Wanted {
        video: outputs.proxy.is_some() || outputs.frames.is_some() || options.scenes.is_some(),
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
        "no video in it, so there is no proxy and there are no scenes and frames",
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
            (outputs.proxy, outputs.frames.is_some()),
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
    let frames = (outputs.frames, &options.frames);
    finish(made, &name, frames, report, context)
}

/// What the threads made, before it is named.
type Made = (Option<Pictured>, Option<Sounded>);

/// Gives the results their names: all of them, or on an error none.
fn finish(
    (pictured, sounded): Made,
    name: &str,
    (frames, options): (Option<FrameOutput>, &FrameOptions),
    mut report: Report,
    context: &Context,
) -> Result<Report> {
    let mut named = Vec::new();
    let mut batch = Batch::new();
    if let Some(pictured) = pictured {
        report.scenes = pictured.scenes;
        if let (Some(made), Some(FrameOutput(place))) = (pictured.frames, frames) {
            let (told, files) = made.hand_on(place, options, context)?;
            report.frames = Some(told);
            batch = files;
        }
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
    batch.keep()?;
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
