//! The main path: segment after segment, from the first frame wanted to the
//! last.

use crate::av::code::Code;
use crate::av::mux::Track;
use crate::av::packet::Packet;
use crate::output::Output;
use crate::time::{TimeBase, Timestamp};
use crate::{Container, Context, Error, Result};

use super::index_size::{Expected, room};
use super::options::{Bounds, Mode, OnMismatch, Options, Segment, Until};
use super::report::Report;
use super::sink::Sink;
use super::source::{Layout, Source};
use super::timeline::{Place, Placer};
use super::tracks::{Pictures, Sound};
use super::video::Window;

pub(super) fn run(
    mut segments: Vec<Segment>,
    output: Output,
    options: &Options,
    context: &Context,
) -> Result<Report> {
    let most = context.limits().max_inputs;
    if segments.is_empty() {
        return Err(Error::malformed(output.name(), "there is no input to cut from"));
    }
    if segments.len() > most {
        let found = segments.len();
        return Err(Error::limit(
            output.name(),
            format!("{found} inputs; the limit is {most}"),
        ));
    }
    let total = if options.selection.needs_duration() {
        Some(total_duration(&mut segments, options, context)?)
    } else {
        None
    };
    let bounds = options.selection.resolve(total)?;
    let mut cut = Cut::new(output, bounds, options);
    let count = segments.len();
    for (number, segment) in segments.into_iter().enumerate() {
        context.check()?;
        cut.segment(segment, number + 1 == count, count, context)?;
        if cut.is_over {
            break;
        }
    }
    cut.finish(context)
}

/// The length of all segments together, from the ends of the files.
fn total_duration(
    segments: &mut [Segment],
    options: &Options,
    context: &Context,
) -> Result<Timestamp> {
    let mut placer: Option<Placer> = None;
    let mut clock = TimeBase::MICROS;
    for segment in segments {
        if !segment.input.reopens() {
            return Err(Error::unsupported(
                segment.input.name(),
                "percentages need files; give times for a stream that is read once",
            ));
        }
        let mut source = Source::open(&mut segment.input, None, false, context)?;
        let placer = placer.get_or_insert_with(|| {
            clock = TimeBase::MICROS;
            Placer::new(clock, options.timeline, options.gaps)
        });
        let ticks = source.clock();
        let zero = ticks.convert(source.first - source.zero, clock);
        let frame = ticks.convert(source.frame, clock);
        let place = placer.place(segment, source.first_time(), zero, frame);
        let length = ticks.convert(source.end(context)? - source.first, clock);
        placer.covered(place.start + length);
    }
    Ok(placer.map_or(Timestamp::ZERO, |placer| clock.timestamp(placer.end())))
}

/// A cut in the making.
struct Cut<'a> {
    options: &'a Options,
    /// Taken when the first frame is there: until then nothing is opened.
    output: Option<Output>,
    container: Container,
    bounds: Bounds,
    /// What the segments' clock read at the output's zero, where the selection
    /// is by that clock: at the first frame written, and at the last.
    origins: Option<(Timestamp, Timestamp)>,
    tracks: Option<Tracks>,
    sink: Option<Sink>,
    report: Report,
    /// The name of the segment being read.
    name: String,
    is_over: bool,
}

/// What is known once the first segment is open.
struct Tracks {
    clock: TimeBase,
    frame: TimeBase,
    placer: Placer,
    layout: Layout,
    pictures: Pictures,
    sound: Vec<Sound>,
    expected: Vec<Expected>,
    rotation: i32,
    languages: Vec<Option<String>>,
    /// The output's zero, in ticks of the output, once it is known.
    zero: Option<i64>,
}

impl<'a> Cut<'a> {
    fn new(output: Output, bounds: Bounds, options: &'a Options) -> Self {
        Self {
            options,
            container: output.container(),
            name: output.name().to_owned(),
            output: Some(output),
            bounds,
            origins: None,
            tracks: None,
            sink: None,
            report: Report::default(),
            is_over: false,
        }
    }

    fn segment(
        &mut self,
        mut segment: Segment,
        is_last: bool,
        count: usize,
        context: &Context,
    ) -> Result<()> {
        let like = match self.options.on_mismatch {
            OnMismatch::Refuse => self.tracks.as_ref().map(|tracks| &tracks.layout),
            // What differs must be known before anything is written.
            OnMismatch::Reencode => None,
        };
        let splice = self.options.mode != Mode::Reencode
            && self.options.on_mismatch == OnMismatch::Refuse;
        let mut source = Source::open(&mut segment.input, like, splice, context)?;
        source.name().clone_into(&mut self.name);
        if !source.left_out.is_empty() {
            let streams = source.left_out.join(", ");
            self.report.note(format!("{}: {streams} left out", source.name()));
        }
        if self.tracks.is_none() {
            self.tracks = Some(self.set_up(&source, count, context)?);
        }
        let Some(tracks) = &mut self.tracks else {
            return Ok(());
        };
        let (clock, ticks) = (tracks.clock, source.clock());
        let zero = ticks.convert(source.first - source.zero, clock);
        let frame = ticks.convert(source.frame, clock);
        let place = tracks.placer.place(&segment, source.first_time(), zero, frame);
        // By the segments' clock, the same reading lies elsewhere on the output's
        // timeline behind a gap that was closed.
        let origin = match (self.bounds.by_clock, tracks.placer.origin()) {
            (false, _) => Timestamp::ZERO,
            (true, Some(origin)) => origin,
            (true, None) => {
                return Err(Error::unsupported(
                    source.name(),
                    "the selection is by the segments' clock, and they have none",
                ));
            }
        };
        let window = Window {
            from: clock.first_tick_at(self.bounds.start - origin).max(place.from),
            to: if self.bounds.end == Timestamp::MAX {
                i64::MAX
            } else {
                clock.first_tick_at(self.bounds.end - origin)
            },
        };
        if place.start >= window.to {
            self.is_over = true;
            return Ok(());
        }
        let shift = Shift {
            from: ticks,
            to: clock,
            first: source.first,
            start: place.start,
        };
        if window.from > place.start {
            if !is_last && !source.is_live() {
                let end = shift.apply(source.end(context)?);
                if end <= window.from {
                    tracks.placer.covered(end);
                    return Ok(());
                }
            }
            let local = clock.convert(window.from - place.start, ticks) + source.first;
            source.seek(local, context)?;
        }
        self.copy_segment(&mut source, window, shift, place, context)?;
        if self.report.frames > 0 {
            let first = self.origins.map_or(origin, |(first, _)| first);
            self.origins = Some((first, origin));
        }
        Ok(())
    }

    /// Decides how each track is made, from the first segment.
    fn set_up(&mut self, source: &Source, count: usize, context: &Context) -> Result<Tracks> {
        let clock = output_clock(source.clock(), count);
        let frame = source.frame_rate();
        let whole = self.bounds.start <= Timestamp::ZERO && self.bounds.end == Timestamp::MAX;
        let partial = !whole || self.bounds.by_clock || count > 1;
        let pictures = Pictures::choose(
            source,
            self.container,
            self.options,
            partial,
            (clock, frame),
            context,
            &mut self.report,
        )?;
        let mut sound = Vec::new();
        let mut languages = Vec::new();
        for &index in &source.audio {
            let stream = source.stream(index);
            sound.push(Sound::choose(
                stream,
                source.first_packet(index),
                self.container,
                self.options,
                source.name(),
                &mut self.report,
            )?);
            languages.push(stream.language.clone());
        }
        Ok(Tracks {
            expected: self.expect(source, &sound, clock),
            rotation: source.stream(source.video).rotation,
            placer: Placer::new(clock, self.options.timeline, self.options.gaps),
            layout: source.layout(),
            clock,
            frame,
            pictures,
            sound,
            languages,
            zero: None,
        })
    }

    /// How many packets each track will have, about.
    fn expect(&self, source: &Source, sound: &[Sound], clock: TimeBase) -> Vec<Expected> {
        let seconds = match self.options.selection.end {
            Until::End if self.bounds.end == Timestamp::MAX => source.known_duration(),
            _ => Some(self.bounds.end - self.bounds.start),
        };
        let Some(seconds) = seconds else {
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

    /// Reads what is wanted of a segment and writes it.
    fn copy_segment(
        &mut self,
        source: &mut Source,
        window: Window,
        shift: Shift,
        place: Place,
        context: &Context,
    ) -> Result<()> {
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
        if source.audio.len() != tracks.sound.len() {
            self.report.note(format!(
                "{}: {} tracks of sound instead of {}",
                source.name(),
                source.audio.len(),
                tracks.sound.len()
            ));
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
            self.report.note(format!("{name}: cut off at {ends}; its index goes on to {told}"));
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
        let number = source.audio.iter().position(|&index| index == packet.stream());
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
        sound.push(packet, time, source.name())?;
        if self.sink.is_some() {
            self.drain_sound(number, context)?;
        }
        Ok(())
    }

    /// Hands on what pictures and sound have ready; opens the output with the
    /// first picture.
    fn drain(&mut self, context: &Context) -> Result<()> {
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

    fn drain_sound(&mut self, number: usize, context: &Context) -> Result<()> {
        let (Some(tracks), Some(sink)) = (&mut self.tracks, &mut self.sink) else {
            return Ok(());
        };
        while let Some(packet) = tracks.sound[number].pop() {
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
        let headers = list.iter().map(|track| track.parameters.extradata().len()).sum();
        let room = (!tracks.expected.is_empty()).then(|| room(&tracks.expected, headers));
        let total = (self.bounds.end != Timestamp::MAX).then(|| self.bounds.end - self.bounds.start);
        self.sink = Some(Sink::begin(output, &list, room, total, context)?);
        Ok(())
    }

    /// Ends the sound where the segment's pictures end, and notes how far the
    /// output is covered: up to `read_to` where nothing of the segment was shown.
    fn end_segment(
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
        tracks.placer.covered(if shows { shown_to } else { read_to });
        if shown_to >= window.to {
            self.is_over = true;
        }
        let Some(sink) = &mut self.sink else {
            return Ok(());
        };
        for (number, sound) in tracks.sound.iter_mut().enumerate() {
            let end = tracks.clock.convert(shown_to, sound.clock());
            sound.end_segment(end, &self.name)?;
            if let Some(end) = sound.seam(end) {
                sink.end_at(number + 1, end, false);
            }
        }
        for number in 0..tracks.sound.len() {
            self.drain_sound(number, context)?;
        }
        Ok(())
    }

    /// Why nothing was written.
    fn why_empty(&self) -> String {
        let Bounds { start, end, .. } = self.bounds;
        let read_to = self.tracks.as_ref().map(|tracks| {
            let origin = tracks.placer.origin().filter(|_| self.bounds.by_clock);
            tracks.clock.timestamp(tracks.placer.end()) + origin.unwrap_or_default()
        });
        if read_to.is_some_and(|read_to| read_to > start) {
            format!("no frame is shown from {start} up to {end}")
        } else {
            format!("no frame from {start} on; the recording ends before")
        }
    }

    fn finish(mut self, context: &Context) -> Result<Report> {
        if let Some(tracks) = &mut self.tracks {
            tracks.pictures.finish()?;
        }
        self.drain(context)?;
        let (Some(mut tracks), Some(_)) = (self.tracks.take(), &self.sink) else {
            return Err(Error::malformed(
                &self.name,
                self.why_empty(),
            ));
        };
        let zero = tracks.zero.unwrap_or(0);
        let end = tracks.pictures.shown_to();
        for sound in &mut tracks.sound {
            let end = tracks.clock.convert(end, sound.clock());
            sound.finish(end, &self.name)?;
        }
        let sounds = tracks.sound.len();
        self.tracks = Some(tracks);
        for number in 0..sounds {
            self.drain_sound(number, context)?;
        }
        let (Some(tracks), Some(mut sink)) = (self.tracks, self.sink) else {
            return Err(Code::INVALID.failed(&self.name, "finishing"));
        };
        for (number, sound) in tracks.sound.iter().enumerate() {
            let samples = tracks.clock.convert(end - zero, sound.clock());
            let (behind, shorten) = sound.last(samples, self.container);
            sink.end_at(number + 1, behind, shorten);
        }
        let mut report = self.report;
        report.bytes = sink.finish(context)?;
        let (first, last) = self.origins.unwrap_or_default();
        report.start = first + tracks.clock.timestamp(zero);
        report.end = last + tracks.clock.timestamp(end);
        report.duration = tracks.clock.timestamp(end - zero);
        Ok(report)
    }
}

/// From a segment's ticks to the output's.
#[derive(Debug, Clone, Copy)]
struct Shift {
    from: TimeBase,
    to: TimeBase,
    /// The segment's first frame, in its own ticks.
    first: i64,
    /// The same frame in the output's.
    start: i64,
}

impl Shift {
    fn apply(self, time: i64) -> i64 {
        self.from.convert(time - self.first, self.to) + self.start
    }

    fn apply_to(self, packet: &mut Packet) {
        packet.set_pts(packet.pts().map(|pts| self.apply(pts)));
        packet.set_dts(packet.dts().map(|dts| self.apply(dts)));
        packet.set_duration(self.from.convert(packet.duration(), self.to));
    }
}

/// The output's ticks: the first segment's, made fine enough for others where
/// there are several.
fn output_clock(first: TimeBase, count: usize) -> TimeBase {
    if count == 1 || first.num() != 1 {
        return first;
    }
    let mpeg = 90_000;
    let (mut a, mut b) = (first.den(), mpeg);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    match (first.den() / a).checked_mul(mpeg) {
        Some(common) if common <= 6_000_000 => TimeBase::per_second(common),
        _ => first,
    }
}
