//! Writing: the output is opened with the first picture, and the sound ends with
//! the pictures.

use crate::av::mux::Track;
use crate::av::packet::Packet;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Result};

use super::super::index_size::{Expected, room};
use super::super::sink::Sink;
use super::super::soundtrack::Sound;
use super::super::source::Source;
use super::super::timeline::Place;
use super::super::video::Window;
use super::Cut;

impl Cut<'_> {
    /// How many packets each track will have, about.
    pub(super) fn expect(
        &self,
        source: &Source,
        sound: &[Sound],
        segments: usize,
        clock: TimeBase,
    ) -> Vec<Expected> {
        // Recordings of a series are about equally long; a clip ends where they
        // end, whatever was asked for.
        let there = source.known_duration().map(|each| each.times(segments));
        let open = self.bounds.end == Timestamp::MAX;
        let asked = (!open).then(|| self.bounds.end - self.bounds.start);
        let Some(seconds) = there.into_iter().chain(asked).min() else {
            return Vec::new();
        };
        let seconds = seconds.as_secs_f64() + 1.0;
        let frame = source.clock().convert(source.frame, clock).max(1);
        let frame = clock.timestamp(frame).as_secs_f64().max(1e-4);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small and positive
        let count = |each: f64| (seconds / each * 1.05).max(0.0) as u64;
        let mut expected = vec![Expected {
            samples: count(frame),
            reorders: true,
        }];
        expected.extend(sound.iter().map(|sound| Expected {
            samples: count(sound.packet_seconds()),
            reorders: false,
        }));
        expected
    }

    /// Hands on what pictures and sound have ready; opens the output with the
    /// first picture.
    pub(super) fn drain(&mut self, context: &Context) -> Result<()> {
        let Some(tracks) = &mut self.tracks else {
            return Ok(());
        };
        if self.sink.is_none() {
            let first = tracks.pictures.ready().iter().filter_map(Packet::pts).min();
            let Some(zero) = first else {
                return Ok(());
            };
            self.open_output(zero, context)?;
        }
        let (Some(tracks), Some(sink)) = (&mut self.tracks, &mut self.sink) else {
            return Ok(());
        };
        let zero = tracks.zero.unwrap_or(0);
        let most = Timestamp::from(context.limits().max_duration);
        if tracks
            .clock
            .timestamp(tracks.pictures.shown_to().saturating_sub(zero))
            > most
        {
            return Err(Error::limit(
                &self.name,
                format!("the result is longer than the limit of {most}"),
            ));
        }
        while let Some(mut packet) = tracks.pictures.ready_mut().pop_front() {
            packet.set_pts(packet.pts().map(|pts| pts - zero));
            packet.set_dts(packet.dts().map(|dts| dts - zero));
            sink.push(0, packet, context)?;
        }
        for number in 0..tracks.sound.len() {
            self.drain_sound(number, context)?;
        }
        Ok(())
    }

    pub(super) fn drain_sound(&mut self, number: usize, context: &Context) -> Result<()> {
        let (Some(tracks), Some(sink)) = (&mut self.tracks, &mut self.sink) else {
            return Ok(());
        };
        let sound = &mut tracks.sound[number];
        let shown_to = tracks
            .clock
            .convert(tracks.pictures.shown_to(), sound.clock());
        sound.release(shown_to, &self.name)?;
        while let Some(packet) = sound.pop(&self.name)? {
            sink.push(number + 1, packet, context)?;
        }
        Ok(())
    }

    fn open_output(&mut self, zero: i64, context: &Context) -> Result<()> {
        let (Some(tracks), Some(output)) = (&mut self.tracks, self.output.take()) else {
            return Ok(());
        };
        tracks.zero = Some(zero);
        let pictures = tracks.pictures.parameters(self.container)?;
        tracks.pictures.seal();
        let mut list = vec![Track {
            parameters: &pictures,
            time_base: tracks.clock,
            frame_rate: Some(tracks.frame),
            rotation: tracks.rotation,
            language: None,
        }];
        let lead_in = self.container.is_iso();
        if tracks.rotation != 0 && !self.container.is_iso() {
            self.report.note(format!(
                "{}: players are not told to turn the picture by {} degrees, {} cannot say it",
                self.name, tracks.rotation, self.container
            ));
        }
        for sound in &mut tracks.sound {
            sound.start(tracks.clock.convert(zero, sound.clock()), lead_in);
        }
        for (sound, language) in tracks.sound.iter().zip(&tracks.languages) {
            list.push(Track {
                parameters: sound.parameters(),
                time_base: sound.clock(),
                frame_rate: None,
                rotation: 0,
                language: language.as_deref(),
            });
        }
        let headers = list
            .iter()
            .map(|track| track.parameters.extradata().len())
            .sum();
        let room = (!tracks.expected.is_empty()).then(|| room(&tracks.expected, headers));
        let total =
            (self.bounds.end != Timestamp::MAX).then(|| self.bounds.end - self.bounds.start);
        self.sink = Some(Sink::begin(output, &list, room, total, context)?);
        Ok(())
    }

    /// Ends the sound where the segment's pictures end, and notes how far the
    /// output is covered: up to `read_to` where nothing of the segment was shown.
    pub(super) fn end_segment(
        &mut self,
        window: Window,
        place: Place,
        read_to: i64,
        context: &Context,
    ) -> Result<()> {
        let Some(tracks) = &mut self.tracks else {
            return Ok(());
        };
        let shown_to = tracks.pictures.shown_to();
        let shows = shown_to > place.from;
        tracks
            .placer
            .covered(if shows { shown_to } else { read_to });
        if shown_to >= window.to {
            self.is_over = true;
        }
        if self.sink.is_none() {
            return Ok(());
        }
        for sound in &mut tracks.sound {
            let end = tracks.clock.convert(shown_to, sound.clock());
            sound.release(end, &self.name)?;
            sound.end_segment(end, &self.name)?;
        }
        for number in 0..tracks.sound.len() {
            self.drain_sound(number, context)?;
        }
        Ok(())
    }

    /// Another segment follows: the sound of the one before ends here.
    pub(super) fn begin_seam(&mut self) -> Result<()> {
        let (Some(tracks), Some(sink)) = (&mut self.tracks, &mut self.sink) else {
            return Ok(());
        };
        let end = tracks.pictures.shown_to();
        for (number, sound) in tracks.sound.iter_mut().enumerate() {
            let end = tracks.clock.convert(end, sound.clock());
            if let Some((end, tail)) = sound.seam(end) {
                let end = sink.end_at(number + 1, end, tail)?;
                sound.ends(end);
            }
        }
        Ok(())
    }
}
