//! The tracks of sound: copied, or decoded and encoded.

use std::collections::VecDeque;

use crossbeam_channel::{Receiver, Sender, select};

use super::super::plan::Work;
use super::super::sound_only::Recording;
use super::writer::{Described, Writer};
use super::{Done, Job, Message, gone};
use crate::av::packet::Packet;
use crate::av::stream::Stream;
use crate::cut::SoundWish;
use crate::cut::audio::CopiedSound;
use crate::cut::carriage::carries_sound;
use crate::cut::sound::{Coding, EncodedSound};
use crate::cut::source::Source;
use crate::cut::video::Window;
use crate::time::{TimeBase, Timestamp};
use crate::{Container, Context, Error, Result};

/// The first sample behind a time of the timeline.
fn behind(time: Timestamp, clock: TimeBase) -> i64 {
    match time {
        Timestamp::MAX => i64::MAX,
        time => TimeBase::MICROS.convert(time.as_micros(), clock),
    }
}

/// All tracks of sound of a result.
#[derive(Default)]
pub(in super::super) struct Tracks {
    list: Vec<Track>,
    container: Option<Container>,
    name: String,
    notes: Vec<String>,
}

struct Track {
    /// The stream's place in the source.
    stream: usize,
    /// The stream's ticks.
    ticks: TimeBase,
    way: Way,
    /// The result's zero, in samples of the timeline, and the first one let in.
    zero: i64,
    first: i64,
    /// The first sample behind the end.
    end: i64,
}

enum Way {
    Copied(Box<CopiedSound>),
    Encoded(Box<EncodedSound>),
}

impl Way {
    fn clock(&self) -> TimeBase {
        match self {
            Self::Copied(sound) => sound.clock,
            Self::Encoded(sound) => sound.clock,
        }
    }
}

impl Tracks {
    pub(super) fn new(source: &Source, work: &Work, name: &str, context: &Context) -> Result<Self> {
        let streams = source.audio.iter().map(|&index| {
            let first = source.first_packet(index);
            (index, source.stream(index), first)
        });
        Self::of(streams, work, name, context)
    }

    fn of<'s>(
        streams: impl Iterator<Item = (usize, &'s Stream, Option<&'s Packet>)>,
        work: &Work,
        name: &str,
        context: &Context,
    ) -> Result<Self> {
        let mut tracks = Self {
            list: Vec::new(),
            container: Some(work.container),
            name: name.to_owned(),
            notes: Vec::new(),
        };
        if work.sound == SoundWish::None {
            return Ok(tracks);
        }
        for (index, stream, first) in streams {
            let parameters = &stream.parameters;
            let carried = carries_sound(work.container, parameters);
            let coding = match work.sound {
                SoundWish::Encoded(coding) => Some(coding),
                SoundWish::AsItIs if carried => None,
                SoundWish::AsItIs | SoundWish::None => Some(Coding::usual(work.container)),
            };
            let way = match coding {
                None => Way::Copied(Box::new(CopiedSound::new(parameters, first, name)?)),
                Some(coding) => {
                    if work.sound == SoundWish::AsItIs {
                        tracks.notes.push(format!(
                            "the sound ({}) is encoded as {} for {}",
                            parameters.codec_name(),
                            coding.name(),
                            work.container
                        ));
                    }
                    let mut sound = EncodedSound::new(parameters, coding, work.container, name)?;
                    let window = Window {
                        from: i64::MIN / 2,
                        to: behind(work.to, sound.clock),
                    };
                    sound.begin(parameters, window, name, context)?;
                    if sound.lost() > Timestamp::ZERO {
                        tracks.notes.push(format!(
                            "the first {} of the sound are silent: {} begins so, and {} has no \
                             way to hide it",
                            sound.lost(),
                            coding.name(),
                            work.container
                        ));
                    }
                    if sound.parameters.channels() < parameters.channels() {
                        tracks.notes.push(format!(
                            "of {} channels of sound {} are left",
                            parameters.channels(),
                            sound.parameters.channels()
                        ));
                    }
                    Way::Encoded(Box::new(sound))
                }
            };
            tracks.list.push(Track {
                stream: index,
                ticks: stream.time_base,
                zero: 0,
                first: 0,
                end: behind(work.to, way.clock()),
                way,
            });
        }
        Ok(tracks)
    }

    /// What the writer must know of each.
    pub(super) fn described(&self, source: &Source) -> Vec<Described> {
        let language = |index| source.stream(index).language.clone();
        self.list
            .iter()
            .filter_map(|track| track.described(language(track.stream)).ok())
            .collect()
    }

    /// The thread of the sound. `pictures` are the ticks of the source's pictures,
    /// what the timeline on which the result's zero is told is behind the
    /// source's, and the source's zero in those ticks.
    pub(super) fn run(
        mut self,
        packets: &Receiver<Packet>,
        zero: &Receiver<Timestamp>,
        to_writer: &Sender<Message>,
        pictures: (TimeBase, Timestamp, i64),
        context: &Context,
    ) -> Result<Vec<String>> {
        if self.list.is_empty() {
            while packets.recv().is_ok() {}
            return Ok(self.notes);
        }
        let mut early = VecDeque::new();
        // Until the first picture is there, nobody knows where the sound begins.
        let zero = loop {
            select! {
                recv(zero) -> told => match told {
                    Ok(told) => break told,
                    // There will be no picture.
                    Err(_) => return Ok(self.notes),
                },
                recv(packets) -> packet => match packet {
                    Ok(packet) => early.push_back(packet),
                    // All is read; the first picture may still be on its way.
                    Err(_) => match zero.recv() {
                        Ok(told) => break told,
                        Err(_) => return Ok(self.notes),
                    },
                },
            }
        };
        let (clock, shift, source_zero) = pictures;
        self.begin(zero + shift);
        let mut take = |number: usize, packet: Packet| {
            to_writer
                .send(Message::Packet(number + 1, packet))
                .map_err(|_| gone())
        };
        let early = early.into_iter().chain(packets);
        for packet in early {
            context.check()?;
            self.push(packet, (clock, source_zero), &mut take)?;
        }
        self.finish(&mut take)?;
        Ok(self.notes)
    }

    /// The result begins at this time of the source's timeline.
    fn begin(&mut self, zero: Timestamp) {
        let lead_in = self.container.is_some_and(Container::is_iso);
        for track in &mut self.list {
            track.zero = TimeBase::MICROS.convert(zero.as_micros(), track.way.clock());
            track.first = track.zero;
            match &mut track.way {
                Way::Copied(sound) if lead_in => {
                    // What a decoder needs before it; the edit list hides it.
                    track.first -= sound.pre_roll() + sound.packet_length() - 1;
                }
                Way::Copied(_) => {}
                Way::Encoded(sound) => sound.start(track.zero),
            }
        }
    }

    /// Takes a packet; `origin` is the time of the source that its timeline
    /// calls zero, in ticks of `clock`.
    fn push(
        &mut self,
        packet: Packet,
        (clock, origin): (TimeBase, i64),
        take: &mut dyn FnMut(usize, Packet) -> Result<()>,
    ) -> Result<()> {
        let Some((number, track)) = self
            .list
            .iter_mut()
            .enumerate()
            .find(|(_, track)| track.stream == packet.stream())
        else {
            return Ok(());
        };
        let samples = track.way.clock();
        let time = packet.pts().or(packet.dts());
        let time =
            time.map(|time| track.ticks.convert(time, samples) - clock.convert(origin, samples));
        match &mut track.way {
            Way::Copied(sound) => sound.push(packet, time, &self.name)?,
            Way::Encoded(sound) => sound.push(packet, time, &self.name)?,
        }
        track.drain(self.container, &mut |packet| take(number, packet))
    }

    fn finish(&mut self, take: &mut dyn FnMut(usize, Packet) -> Result<()>) -> Result<()> {
        for (number, track) in self.list.iter_mut().enumerate() {
            if let Way::Encoded(sound) = &mut track.way {
                sound.finish_open(&self.name)?;
            }
            track.drain(self.container, &mut |packet| take(number, packet))?;
        }
        Ok(())
    }
}

impl Track {
    fn described(&self, language: Option<String>) -> Result<Described> {
        let parameters = match &self.way {
            Way::Copied(sound) => &sound.parameters,
            Way::Encoded(sound) => &sound.parameters,
        };
        let parameters = parameters
            .try_clone()
            .map_err(|code| code.failed("the sound", "setting up"))?;
        Ok(Described {
            parameters,
            clock: self.way.clock(),
            language,
            packet: match &self.way {
                Way::Copied(sound) => sound.packet_length(),
                Way::Encoded(_) => 1024,
            },
        })
    }

    /// Hands on the packets that are ready, in samples from the result's zero.
    fn drain(
        &mut self,
        container: Option<Container>,
        take: &mut dyn FnMut(Packet) -> Result<()>,
    ) -> Result<()> {
        match &mut self.way {
            Way::Encoded(sound) => {
                while let Some(packet) = sound.ready.pop_front() {
                    take(packet)?;
                }
            }
            Way::Copied(sound) => {
                let half = sound.packet_length() / 2;
                while let Some(mut packet) = sound.ready.pop_front() {
                    let pts = packet.pts().unwrap_or(0);
                    // Where no list says where the sound ends, it does with the
                    // packet that is nearest.
                    let behind = match container {
                        Some(Container::Ts | Container::Avi) => self.end.saturating_sub(half),
                        _ => self.end,
                    };
                    if pts < self.first || pts >= behind {
                        continue;
                    }
                    let iso = container.is_some_and(Container::is_iso);
                    if iso && pts + packet.duration() > self.end {
                        packet.set_duration(self.end - pts);
                    }
                    packet.set_pts(Some(pts - self.zero));
                    packet.set_dts(Some(pts - self.zero));
                    take(packet)?;
                }
            }
        }
        Ok(())
    }
}

/// The result of an input without pictures.
pub(super) fn alone(mut job: Job<'_>, mut recording: Recording, context: &Context) -> Result<Done> {
    let (name, work) = (job.name, job.work);
    let Some(output) = job.output.take() else {
        return Err(Error::unsupported(name, "there are no pictures to take"));
    };
    let streams = recording.audio.iter().filter_map(|&index| {
        let stream = recording.stream(index)?;
        Some((index, stream, recording.first_packet(index)))
    });
    let mut tracks = Tracks::of(streams, work, name, context)?;
    if tracks.list.is_empty() {
        return Err(Error::unsupported(
            name,
            "no sound is left of an input without pictures",
        ));
    }
    let described: Result<Vec<_>> = tracks
        .list
        .iter()
        .map(|track| {
            let stream = recording.stream(track.stream);
            track.described(stream.and_then(|stream| stream.language.clone()))
        })
        .collect();
    let mut writer = Writer::new(output, described?, &job);
    writer.begin(None, context)?;
    tracks.begin(work.from);
    let origin = (TimeBase::MICROS, recording.zero);
    let mut last = None;
    while let Some(packet) = recording.read(context)? {
        context.check()?;
        let time = recording
            .stream(packet.stream())
            .zip(packet.pts())
            .map(|(stream, pts)| stream.time_base.timestamp(pts));
        // A second is more than the tracks lie apart.
        let zero = Timestamp::from_micros(recording.zero + 1_000_000);
        if time.is_some_and(|time| work.to < Timestamp::MAX && time > work.to + zero) {
            break;
        }
        tracks.push(packet, origin, &mut |track, packet| {
            last = packet.pts().map(|pts| pts + packet.duration()).max(last);
            writer.push(track, packet, context)
        })?;
    }
    tracks.finish(&mut |track, packet| writer.push(track, packet, context))?;
    let mut done = Done {
        notes: tracks.notes,
        ..Done::default()
    };
    let clock = tracks.list.first().map(|track| track.way.clock());
    if let (Some(clock), Some(last)) = (clock, last) {
        done.duration = clock.timestamp(last);
    }
    writer.finish(&mut done, context)?;
    Ok(done)
}
