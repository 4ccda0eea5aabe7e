//! Reading a segment: its pictures and its sound, each on its way to the output.

use crate::av::packet::Packet;
use crate::time::TimeBase;
use crate::{Context, Result};

use super::super::SoundWish;
use super::super::options::OnMismatch;
use super::super::source::Source;
use super::super::timeline::Place;
use super::super::video::Window;
use super::Cut;

impl Cut<'_> {
    /// Reads what is wanted of a segment and writes it.
    pub(super) fn copy_segment(
        &mut self,
        source: &mut Source,
        window: Window,
        shift: Shift,
        place: Place,
        context: &Context,
    ) -> Result<()> {
        self.begin_seam()?;
        let options = self.options;
        let Some(tracks) = &mut self.tracks else {
            return Ok(());
        };
        let reencode = options.on_mismatch == OnMismatch::Reencode;
        tracks
            .pictures
            .begin(source, window, reencode, context, &mut self.report)?;
        if window.from > place.start {
            tracks.pictures.enter_midway();
        }
        if self.sound != SoundWish::None && source.audio.len() != tracks.sound.len() {
            // The tracks of the output are those of the first recording.
            let (found, taken) = (source.audio.len(), tracks.sound.len());
            let name = source.name();
            self.report.note(if found > taken {
                format!(
                    "{name}: {} of its tracks of sound left out, the first recording has {taken}",
                    found - taken
                )
            } else {
                format!(
                    "{name}: {} of the tracks of sound missing in it",
                    taken - found
                )
            });
        }
        for (sound, &index) in tracks.sound.iter_mut().zip(&source.audio) {
            let samples = Window {
                from: tracks.clock.convert(place.from, sound.clock()),
                to: match window.to {
                    i64::MAX => i64::MAX,
                    to => tracks.clock.convert(to, sound.clock()),
                },
            };
            sound.begin(source.stream(index), samples, source.name(), context)?;
        }
        let frame = shift.from.convert(source.frame, shift.to);
        let mut read_to = place.from;
        let mut silent_from = None;
        while let Some(mut packet) = source.read(context)? {
            if packet.stream() == source.video {
                let Some(tracks) = &mut self.tracks else {
                    break;
                };
                shift.apply_to(&mut packet);
                let dts = packet.dts();
                if let Some(time) = packet.pts().or(dts).filter(|_| !packet.is_discarded()) {
                    read_to = read_to.max(time + frame);
                    if self.sink.is_none() && time <= window.from && source.is_key(&packet) {
                        let second = TimeBase::per_second(1).convert(1, tracks.clock);
                        for sound in &mut tracks.sound {
                            sound.forget(tracks.clock.convert(time - second, sound.clock()));
                        }
                    }
                }
                tracks.pictures.push(packet, context, &mut self.report)?;
                if tracks.pictures.is_done() && silent_from.is_none() {
                    silent_from = Some(dts.unwrap_or(i64::MAX));
                }
                self.drain(context)?;
                // Sound may lie a little behind the picture in the file.
                if self.is_finished_with(source, window, silent_from, dts) {
                    break;
                }
            } else {
                self.push_sound(source, packet, shift, context)?;
                if silent_from.is_some() && self.is_finished_with(source, window, silent_from, None)
                {
                    break;
                }
            }
        }
        if let Some(tracks) = &mut self.tracks {
            tracks.pictures.finish_segment(context, &mut self.report)?;
        }
        // A second is more than any rounding of a container's duration.
        let told = source.told_end().map(|end| shift.apply(end).min(window.to));
        let second = TimeBase::per_second(1).convert(1, shift.to);
        if let Some(told) = told
            && read_to + second < told
        {
            let (ends, told) = (shift.to.timestamp(read_to), shift.to.timestamp(told));
            let name = source.name();
            self.report.note(format!(
                "{name}: cut off at {ends}; its index goes on to {told}"
            ));
        }
        self.drain(context)?;
        self.end_segment(window, place, read_to, context)
    }

    /// Whether picture and sound of a segment are complete.
    fn is_finished_with(
        &self,
        source: &Source,
        window: Window,
        done_from: Option<i64>,
        dts: Option<i64>,
    ) -> bool {
        let (Some(tracks), Some(done_from)) = (&self.tracks, done_from) else {
            return false;
        };
        let patience = TimeBase::per_second(1).convert(3, tracks.clock);
        let sound_is_done = tracks
            .sound
            .iter()
            .take(source.audio.len())
            .all(|sound| sound.is_past(tracks.clock.convert(window.to, sound.clock())));
        sound_is_done || dts.is_some_and(|dts| dts > done_from.saturating_add(patience))
    }

    fn push_sound(
        &mut self,
        source: &Source,
        packet: Packet,
        shift: Shift,
        context: &Context,
    ) -> Result<()> {
        let Some(tracks) = &mut self.tracks else {
            return Ok(());
        };
        let number = source
            .audio
            .iter()
            .position(|&index| index == packet.stream());
        let Some(number) = number.filter(|&number| number < tracks.sound.len()) else {
            return Ok(());
        };
        let ticks = source.stream(packet.stream()).time_base;
        let sound = &mut tracks.sound[number];
        let clock = sound.clock();
        // From the segment's first picture, and that from the output's zero.
        let time = packet.pts().or(packet.dts()).map(|time| {
            ticks.convert(time, clock) - shift.from.convert(shift.first, clock)
                + shift.to.convert(shift.start, clock)
        });
        sound.push(packet, time);
        if self.sink.is_some() {
            self.drain_sound(number, context)?;
        }
        Ok(())
    }
}

/// From a segment's ticks to the output's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift {
    pub(super) from: TimeBase,
    pub(super) to: TimeBase,
    /// The segment's first frame, in its own ticks.
    pub(super) first: i64,
    /// The same frame in the output's.
    pub(super) start: i64,
    /// What decoding times are moved by on top, in the output's ticks.
    pub(super) decoding: i64,
}

impl Shift {
    pub(super) fn apply(self, time: i64) -> i64 {
        self.from.convert(time - self.first, self.to) + self.start
    }

    fn apply_to(self, packet: &mut Packet) {
        packet.set_pts(packet.pts().map(|pts| self.apply(pts)));
        packet.set_dts(packet.dts().map(|dts| self.apply(dts) + self.decoding));
        packet.set_duration(self.from.convert(packet.duration(), self.to));
    }
}
