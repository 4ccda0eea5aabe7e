//! The main path: segment after segment, from the first frame wanted to the
//! last.

mod duration;
mod reading;
mod writing;

use crate::av::code::Code;
use crate::av::mux::Closed;
use crate::output::Output;
use crate::time::{Span, TimeBase, Timestamp};
use crate::{Container, Context, Error, Result};

use super::SoundWish;
use super::index_size::Expected;
use super::options::{Bounds, Mode, OnMismatch, Options, Segment};
use super::pictures::Pictures;
use super::report::Report;
use super::sink::Sink;
use super::soundtrack::Sound;
use super::source::{Layout, Source};
use super::timeline::{Placer, output_clock};
use super::video::{NO_TIMES, Window};
use duration::total_duration;
use reading::Shift;

pub(super) fn run(
    mut segments: Vec<Segment>,
    output: Output,
    options: &Options,
    sound: SoundWish,
    context: &Context,
) -> Result<(Report, Closed)> {
    let most = context.limits().max_inputs;
    if segments.is_empty() {
        return Err(Error::malformed(
            output.name(),
            "there is no input to cut from",
        ));
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
    // What cannot be copied may show only in the middle of a file.
    let again = segments
        .iter()
        .all(|segment| segment.input.reopens())
        .then(|| output.again())
        .flatten();
    let mut cut = Cut::new(output, bounds, options, sound);
    let done = cut.segments(&mut segments, context);
    match (done, again) {
        (Err(_), Some(output)) if cut.needs_encoding() => {
            let name = std::mem::take(&mut cut.name);
            // Removes what was written.
            drop(cut);
            let options = Options {
                mode: Mode::Reencode,
                ..options.clone()
            };
            let mut cut = Cut::new(output, bounds, &options, sound);
            cut.report
                .note(format!("{name}: the video is encoded whole, {NO_TIMES}"));
            cut.segments(&mut segments, context)?;
            cut.finish(context)
        }
        (done, _) => done.and_then(|()| cut.finish(context)),
    }
}

/// A cut in the making.
struct Cut<'a> {
    options: &'a Options,
    sound: SoundWish,
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
    /// How long before it is shown the first segment decodes a frame.
    lead: Option<i64>,
}

impl Tracks {
    /// By how much the segment's decoding times are moved, so that it decodes
    /// as early as the first one and none is out of turn at the seam.
    fn realign(&mut self, source: &Source) -> i64 {
        let Some(delay) = source.delay() else {
            return 0;
        };
        let convert = |ticks| source.clock().convert(ticks, self.clock);
        let (lead, slack) = (convert(delay.lead), convert(delay.slack));
        (lead - *self.lead.get_or_insert(lead)).min(slack)
    }
}

impl<'a> Cut<'a> {
    fn new(output: Output, bounds: Bounds, options: &'a Options, sound: SoundWish) -> Self {
        Self {
            options,
            sound,
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

    fn segments(&mut self, segments: &mut [Segment], context: &Context) -> Result<()> {
        let count = segments.len();
        for (number, segment) in segments.iter_mut().enumerate() {
            context.check()?;
            self.segment(segment, number + 1 == count, count, context)?;
            if self.is_over {
                break;
            }
        }
        Ok(())
    }

    /// Whether the cut failed on frames that only a decoder can order.
    fn needs_encoding(&self) -> bool {
        let lacks_times = |tracks: &Tracks| tracks.pictures.lacks_times();
        self.options.mode == Mode::Exact && self.tracks.as_ref().is_some_and(lacks_times)
    }

    fn segment(
        &mut self,
        segment: &mut Segment,
        is_last: bool,
        count: usize,
        context: &Context,
    ) -> Result<()> {
        let like = match self.options.on_mismatch {
            OnMismatch::Refuse => self.tracks.as_ref().map(|tracks| &tracks.layout),
            // What differs must be known before anything is written.
            OnMismatch::Reencode => None,
        };
        let splice =
            self.options.mode != Mode::Reencode && self.options.on_mismatch == OnMismatch::Refuse;
        let mut source = match segment.opened.take() {
            Some(source) => *source,
            None => Source::open(&mut segment.input, like, splice, context)?,
        };
        source.name().clone_into(&mut self.name);
        if !source.left_out.is_empty() {
            let streams = source.left_out.join(", ");
            self.report
                .note(format!("{}: {streams} left out", source.name()));
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
        let place = tracks
            .placer
            .place(segment, source.first_time(), zero, frame);
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
            from: clock
                .first_tick_at(self.bounds.start - origin)
                .max(place.from),
            to: if self.bounds.end == Timestamp::MAX {
                i64::MAX
            } else {
                clock.first_tick_at(self.bounds.end - origin)
            },
        };
        if place.start > i64::MAX / 4 {
            return Err(Error::limit(
                source.name(),
                "it begins too far from the first recording",
            ));
        }
        if place.start >= window.to {
            self.is_over = true;
            return Ok(());
        }
        let shift = Shift {
            from: ticks,
            to: clock,
            first: source.first,
            start: place.start,
            decoding: tracks.realign(&source),
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
        let before = self.shown_to();
        self.copy_segment(&mut source, window, shift, place, context)?;
        if self.report.frames > 0 {
            let first = self.origins.map_or(origin, |(first, _)| first);
            self.origins = Some((first, origin));
        }
        self.note_shown(before, place.from, origin);
        Ok(())
    }

    /// When the last frame so far has been shown.
    fn shown_to(&self) -> i64 {
        let tracks = self.tracks.as_ref();
        tracks.map_or(i64::MIN, |tracks| tracks.pictures.shown_to())
    }

    /// Reports what a segment has added to what was shown up to `before`: it begins
    /// no earlier than `from`, but for the frames that a copy begins with.
    fn note_shown(&mut self, before: i64, from: i64, origin: Timestamp) {
        let Some(tracks) = self.tracks.as_ref().filter(|_| self.bounds.by_clock) else {
            return;
        };
        let (clock, end) = (tracks.clock, tracks.pictures.shown_to());
        if end <= before {
            return;
        }
        let is_first = self.report.shown.is_empty();
        let start = if is_first { tracks.zero } else { None };
        let start = start.unwrap_or_else(|| from.max(before));
        self.report.shows(Span {
            start: origin + clock.timestamp(start),
            end: origin + clock.timestamp(end),
        });
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
            if self.sound == SoundWish::None {
                break;
            }
            let stream = source.stream(index);
            sound.push(Sound::choose(
                stream,
                source.first_packet(index),
                self.container,
                (self.options, self.sound),
                source.name(),
                &mut self.report,
            )?);
            languages.push(stream.language.clone());
        }
        Ok(Tracks {
            expected: self.expect(source, &sound, count, clock),
            rotation: source.stream(source.video).rotation,
            placer: Placer::new(clock, self.options),
            layout: source.layout(),
            clock,
            frame,
            pictures,
            sound,
            languages,
            zero: None,
            lead: None,
        })
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

    fn finish(mut self, context: &Context) -> Result<(Report, Closed)> {
        if let Some(tracks) = &mut self.tracks {
            tracks.pictures.finish()?;
        }
        self.drain(context)?;
        let (Some(mut tracks), Some(_)) = (self.tracks.take(), &self.sink) else {
            return Err(Error::malformed(&self.name, self.why_empty()));
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
            let (behind, tail) = sound.last(samples, self.container);
            sink.end_at(number + 1, behind, tail)?;
        }
        let mut report = self.report;
        let written = sink.close(context)?;
        report.bytes = written.bytes();
        let (first, last) = self.origins.unwrap_or_default();
        report.start = first + tracks.clock.timestamp(zero);
        report.end = last + tracks.clock.timestamp(end);
        report.duration = tracks.clock.timestamp(end - zero);
        if self.bounds.by_clock {
            // An encoder may have held the last frames until now.
            match report.shown.last_mut() {
                Some(last) => last.end = last.end.max(report.end),
                None => report.shows(Span {
                    start: report.start,
                    end: report.end,
                }),
            }
        }
        Ok((report, written))
    }
}
