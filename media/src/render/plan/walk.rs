//! Operation after operation becomes one plan.

use std::num::NonZeroUsize;

use super::super::coding::{self, Coding, Spend};
use super::super::operation::{
    AudioCodec, Compress, Convert, Moment, Thumbnail, Transcode, Trim, TrimMode, VideoCodec,
    Watermark,
};
use super::super::shots::Wanted;
use super::super::step::{Mark, Step};
use super::super::{Operation, Options};
use super::{Opened, Plan, Shot, Way, Work, explain};
use crate::av::canvas::Canvas;
use crate::av::decode::Decoder;
use crate::av::parameters::{CodecId, Parameters};
use crate::cut::SoundWish;
use crate::cut::carriage::{carries_pictures, carries_sound, carries_sound_in};
use crate::cut::sound;
use crate::time::Timestamp;
use crate::{Container, Context, Error, Result};

/// The plan of `operations` on an opened input.
pub(in super::super) fn plan(
    name: &str,
    opened: &mut Opened,
    operations: &[Operation],
    options: &Options,
    context: &Context,
) -> Result<Plan> {
    if operations.is_empty() {
        return Err(Error::unsupported(name, "no operation is asked for"));
    }
    let mut walk = Walk::begin(name, opened, options, context)?;
    for (number, operation) in operations.iter().enumerate() {
        operation
            .validate()
            .and_then(|()| walk.take(operation))
            .map_err(|reason| {
                let kind = operation.name();
                Error::unsupported(name, format!("operation {} ({kind}): {reason}", number + 1))
            })?;
        if let Some(error) = walk.error.take() {
            return Err(error);
        }
    }
    walk.finish(operations)
}

/// Why something cannot be done, in words.
type Refused = String;

/// What is known on the way through the list.
struct Walk<'a> {
    name: String,
    opened: &'a mut Opened,
    context: &'a Context,
    /// What the pictures of the source are.
    source: Option<Source>,
    sound: Vec<CodecId>,
    container: Container,
    /// Whether somebody chose the container.
    chosen: bool,
    /// The container that the output's place has.
    fixed: Option<Container>,
    /// The source's time at the zero of the timeline as it is by now.
    origin: Timestamp,
    to: Timestamp,
    exact: bool,
    /// The timeline's end in the source, once it was asked for.
    end: Option<Timestamp>,
    coding: Option<(Coding, String)>,
    pixel_format: Option<String>,
    /// Where the shape and rate of frames were changed.
    steps: Vec<Step>,
    /// The origin at the first change of the frame rate.
    paced: Option<Timestamp>,
    sound_wish: Wish,
    shots: Vec<Shot>,
    pictures: usize,
    /// Whether the source no longer stands at its beginning as it was opened.
    moved: bool,
    notes: Vec<String>,
    error: Option<Error>,
}

/// The pictures of the source.
struct Source {
    codec: CodecId,
    canvas: Canvas,
    rotation: i32,
    parameters: Parameters,
}

/// What was asked of the sound.
#[derive(Debug, Clone, Copy)]
enum Wish {
    AsItIs,
    Copied,
    Encoded(Option<AudioCodec>, Option<i64>, Option<i32>),
    None,
}

impl<'a> Walk<'a> {
    fn begin(
        name: &str,
        opened: &'a mut Opened,
        options: &Options,
        context: &'a Context,
    ) -> Result<Self> {
        let mut notes = Vec::new();
        let (source, sound, format, left_out) = match opened {
            Opened::Video(source) => {
                let parameters = source
                    .parameters()
                    .try_clone()
                    .map_err(|code| code.failed(name, "planning"))?;
                let pictures = Source {
                    codec: parameters.codec(),
                    canvas: Canvas::of_stream(&parameters),
                    rotation: source.stream(source.video).rotation,
                    parameters,
                };
                let sound = source.audio.iter();
                let sound = sound.map(|&at| source.stream(at).parameters.codec());
                (
                    Some(pictures),
                    sound.collect(),
                    source.format(),
                    &source.left_out,
                )
            }
            Opened::Sound(recording) => {
                let sound = recording.audio.iter();
                let sound = sound.filter_map(|&at| recording.stream(at));
                let sound = sound.map(|stream| stream.parameters.codec());
                (
                    None,
                    sound.collect(),
                    recording.format(),
                    &recording.left_out,
                )
            }
        };
        if !left_out.is_empty() {
            notes.push(format!("{} left out", left_out.join(", ")));
        }
        Ok(Self {
            name: name.to_owned(),
            container: options.container.unwrap_or(container_of(format, name)),
            chosen: options.container.is_some(),
            fixed: options.container,
            opened,
            context,
            source,
            sound,
            origin: Timestamp::ZERO,
            to: Timestamp::MAX,
            exact: false,
            end: None,
            coding: None,
            pixel_format: None,
            steps: Vec::new(),
            paced: None,
            sound_wish: Wish::AsItIs,
            shots: Vec::new(),
            pictures: 0,
            moved: false,
            notes,
            error: None,
        })
    }

    fn take(&mut self, operation: &Operation) -> std::result::Result<(), Refused> {
        match operation {
            Operation::Transcode(transcode) => self.transcode(transcode),
            Operation::Convert(convert) => self.convert(convert),
            Operation::Compress(compress) => self.compress(compress),
            Operation::Watermark(watermark) => self.watermark(watermark),
            Operation::Trim(trim) => self.trim(trim),
            Operation::Thumbnail(thumbnail) => self.thumbnail(thumbnail),
        }
    }

    /// The coding as it is by now, or the usual one for the source's codec.
    fn coding(&self) -> Coding {
        match (&self.coding, &self.source) {
            (Some((coding, _)), _) => coding.clone(),
            (None, Some(source)) => Coding::usual(coding::successor(source.codec, self.container)),
            (None, None) => Coding::usual(VideoCodec::H264),
        }
    }

    fn encode(&mut self, coding: Coding, why: impl Into<String>) {
        self.coding = Some((coding, why.into()));
    }

    fn transcode(&mut self, asked: &Transcode) -> std::result::Result<(), Refused> {
        if asked.codec == Some(VideoCodec::Copy) && self.coding.is_some() {
            return Err(
                "codec copy: the pictures are encoded already by an operation before".into(),
            );
        }
        let sound = asked.audio_codec.is_some()
            || asked.audio_bitrate.is_some()
            || asked.audio_channels.is_some();
        let silent = Transcode {
            audio_codec: None,
            audio_bitrate: None,
            audio_channels: None,
            ..asked.clone()
        };
        let only_sound = sound && silent == Transcode::default();
        if asked.codec != Some(VideoCodec::Copy) && !only_sound {
            self.transcode_pictures(asked)?;
        }
        if sound {
            let bits = asked
                .audio_bitrate
                .map(super::super::operation::BitRate::signed);
            let channels = asked
                .audio_channels
                .map(|most| i32::try_from(most).unwrap_or(i32::MAX));
            self.wish_sound(asked.audio_codec, bits, channels);
        }
        Ok(())
    }

    fn transcode_pictures(&mut self, asked: &Transcode) -> std::result::Result<(), Refused> {
        if self.source.is_none() {
            self.note("there are no pictures to transcode, the sound alone is taken");
            return Ok(());
        }
        let mut coding = self.coding();
        let why = match asked.codec {
            Some(codec) => {
                check_codec(codec)?;
                if codec != coding.codec {
                    coding = Coding {
                        preset: coding.preset,
                        ..Coding::usual(codec)
                    };
                }
                "transcode asks for it"
            }
            None => "transcode asks for it",
        };
        coding.spend = match (asked.bitrate, asked.crf) {
            (Some(bits), _) => Spend::Average(bits.signed()),
            (None, Some(crf)) => Spend::Quality(crf),
            (None, None) => Spend::Usual,
        };
        coding.most = asked
            .max_bitrate
            .map(super::super::operation::BitRate::signed);
        coding.preset = asked.preset.or(coding.preset);
        coding.keyframe_every = asked.keyframe_interval;
        coding.two_pass = asked.two_pass;
        if asked.two_pass && !coding.knows_passes() {
            coding.two_pass = false;
            self.note(format!("{} encodes in one pass", coding.encoder()));
        }
        if let Some(format) = &asked.pixel_format {
            let number = crate::av::scale::format_number(format.name());
            if let Some(reason) = coding.refuses(number) {
                return Err(reason);
            }
            self.pixel_format = Some(format.name().to_owned());
        }
        if let Some(resolution) = asked.resolution {
            self.steps.push(Step::Resize(resolution, asked.fit));
        }
        if let Some(fps) = asked.fps {
            self.paced.get_or_insert(self.origin);
            self.steps.push(Step::Rate(fps));
        }
        self.encode(coding, why);
        Ok(())
    }

    fn wish_sound(&mut self, codec: Option<AudioCodec>, bits: Option<i64>, channels: Option<i32>) {
        if self.sound.is_empty() {
            if codec != Some(AudioCodec::None) {
                self.note("there is no sound");
            }
            return;
        }
        self.sound_wish = match codec {
            Some(AudioCodec::None) => Wish::None,
            Some(AudioCodec::Copy) => Wish::Copied,
            // The same codec and nothing more: it need not be encoded anew.
            Some(codec) if bits.is_none() && channels.is_none() && self.sounds_like(codec) => {
                Wish::AsItIs
            }
            codec => Wish::Encoded(codec, bits, channels),
        };
    }

    fn sounds_like(&self, codec: AudioCodec) -> bool {
        matches!(self.sound_wish, Wish::AsItIs | Wish::Copied)
            && coding::sound_encoder(codec).is_some_and(|encoder| {
                let id = coding::sound_id(encoder);
                self.sound.iter().all(|&codec| codec == id)
            })
    }

    fn convert(&mut self, asked: &Convert) -> std::result::Result<(), Refused> {
        if let Some(container) = asked.format {
            if self.fixed.is_some_and(|fixed| fixed != container) {
                return Err(format!("the output is {}, not {container}", self.container));
            }
            self.container = container;
            self.chosen = true;
        }
        match asked.video_codec {
            Some(VideoCodec::Copy) if self.coding.is_some() => {
                return Err("videoCodec copy: an operation before encodes the pictures".into());
            }
            None | Some(VideoCodec::Copy) => {}
            Some(codec) => {
                let now = match (&self.coding, &self.source) {
                    (Some((coding, _)), _) => Some(coding::id(coding.codec)),
                    (None, source) => source.as_ref().map(|source| source.codec),
                };
                if now.is_some() && now != Some(coding::id(codec)) {
                    check_codec(codec)?;
                    self.encode(Coding::usual(codec), "convert asks for another codec");
                }
            }
        }
        if asked.video_codec == Some(VideoCodec::Copy)
            && let Some(source) = &self.source
            && !carries_pictures(self.container, &source.parameters)
        {
            let codec = source.parameters.codec_name();
            return Err(format!(
                "videoCodec copy: {} does not carry {codec}",
                self.container
            ));
        }
        if asked.audio_codec.is_some() {
            self.wish_sound(asked.audio_codec, None, None);
        }
        Ok(())
    }

    fn compress(&mut self, asked: &Compress) -> std::result::Result<(), Refused> {
        if self.source.is_none() {
            return Err(
                "there are no pictures to compress; transcode the sound with audioBitrate".into(),
            );
        }
        let mut coding = self.coding();
        coding.spend = match (
            asked.crf,
            asked.quality,
            asked.target_bytes,
            asked.target_ssim,
        ) {
            (Some(crf), ..) => Spend::Quality(crf),
            (_, Some(quality), ..) => Spend::Word(quality),
            (_, _, Some(bytes), _) => Spend::Bytes(bytes),
            (_, _, _, Some(ssim)) => Spend::Ssim(ssim),
            (None, None, None, None) => Spend::Word(super::super::operation::Quality::Medium),
        };
        coding.most = asked
            .max_bitrate
            .map(super::super::operation::BitRate::signed);
        coding.preset = asked.preset.or(coding.preset);
        coding.two_pass = false;
        self.encode(coding, "compress asks for fewer bits");
        Ok(())
    }

    fn watermark(&mut self, asked: &Watermark) -> std::result::Result<(), Refused> {
        if self.source.is_none() {
            return Err("there are no pictures to put it on".into());
        }
        let from = asked.start.map(|start| self.time(start)).transpose()?;
        let to = asked.end.map(|end| self.time(end)).transpose()?;
        let mark = Mark {
            watermark: asked.clone(),
            from,
            to,
        };
        self.steps.push(Step::Mark(Box::new(mark)));
        if self.coding.is_none() {
            self.encode(self.coding(), "a watermark changes every picture it is on");
        }
        Ok(())
    }

    /// A moment of the timeline as it is by now, on the source's.
    fn time(&mut self, moment: Moment) -> std::result::Result<Timestamp, Refused> {
        let duration = if moment.is_percent() {
            Some(self.duration()?)
        } else {
            None
        };
        let time = moment.resolve(duration).unwrap_or_default();
        Ok(self.origin + time)
    }

    /// How long the timeline is by now.
    fn duration(&mut self) -> std::result::Result<Timestamp, Refused> {
        if self.end.is_none() {
            self.end = Some(self.source_end()?);
        }
        let end = self.end.unwrap_or_default().min(self.to);
        if end <= self.origin {
            return Err(format!("nothing is left: the recording ends at {end}"));
        }
        Ok(end - self.origin)
    }

    fn source_end(&mut self) -> std::result::Result<Timestamp, Refused> {
        self.moved = true;
        match &mut *self.opened {
            Opened::Video(source) => match source.end(self.context) {
                Ok(end) => Ok(source.clock().timestamp(end - source.zero)),
                Err(Error::Unsupported { reason, .. }) => Err(reason),
                Err(error) => {
                    self.error = Some(error);
                    Ok(Timestamp::MAX)
                }
            },
            Opened::Sound(recording) => recording.duration().ok_or_else(|| {
                "the duration is not known; give times instead of percentages".into()
            }),
        }
    }

    fn trim(&mut self, asked: &Trim) -> std::result::Result<(), Refused> {
        let start = match asked.start {
            Some(start) => self.time(start)?,
            None => self.origin,
        };
        let end = match (asked.end, asked.duration) {
            (Some(end), _) => self.time(end)?,
            (None, Some(length)) => start + (self.time(length)? - self.origin),
            (None, None) => Timestamp::MAX,
        };
        if end <= start {
            return Err(format!("its end ({end}) is not behind its start ({start})"));
        }
        let start = match asked.mode {
            TrimMode::Exact => {
                self.exact = true;
                start
            }
            TrimMode::Copy if self.coding.is_some() => {
                self.note("trim: the frames are encoded anyway, so the cut is exact");
                start
            }
            TrimMode::Copy => self.keyframe(start),
        };
        self.origin = start;
        self.to = self.to.min(end);
        if self.to <= self.origin {
            return Err(format!(
                "nothing is left: it begins at {start}, behind the end"
            ));
        }
        // What was done before sees frames that are cut off here.
        let paced = self.steps.iter().any(|step| matches!(step, Step::Rate(_)));
        if paced || !self.shots.is_empty() {
            self.steps.push(Step::Window(self.origin, self.to));
        }
        Ok(())
    }

    /// The last keyframe at or before a time, on the source's timeline.
    fn keyframe(&mut self, time: Timestamp) -> Timestamp {
        let origin = self.origin;
        let Opened::Video(source) = &mut *self.opened else {
            return time;
        };
        let tick = source.clock().first_tick_at(time) + source.zero;
        self.moved |= !source.is_live();
        match source.keyframe_before(tick, self.context) {
            Ok(Some(key)) => source.clock().timestamp(key - source.zero).max(origin),
            Ok(None) => time,
            Err(error) => {
                self.error = Some(error);
                time
            }
        }
    }

    fn thumbnail(&mut self, asked: &Thumbnail) -> std::result::Result<(), Refused> {
        if self.source.is_none() {
            return Err("there are no pictures to take one of".into());
        }
        let mut wanted = Vec::new();
        for moment in asked.moments() {
            let time = self.time(moment)?;
            let end = self.known_end().unwrap_or(Timestamp::MAX).min(self.to);
            if time > end {
                let end = end - self.origin;
                return Err(format!("{moment} is behind the end at {end}"));
            }
            self.pictures += 1;
            wanted.push(Wanted {
                number: self.pictures,
                time,
            });
        }
        self.shots.push(Shot {
            place: self.steps.len(),
            options: asked.clone(),
            wanted,
            origin: self.origin,
        });
        Ok(())
    }

    fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn finish(mut self, operations: &[Operation]) -> Result<Plan> {
        let writes = !operations
            .iter()
            .all(|operation| matches!(operation, Operation::Thumbnail(_)));
        if writes {
            self.settle_pictures()?;
        }
        let sound = self.settle_sound()?;
        let pictures = match (&self.source, &self.coding) {
            (None, _) => Way::None,
            (Some(_), None) => Way::Copied,
            (Some(_), Some((coding, _))) => Way::Encoded(coding.clone()),
        };
        if self.coding.is_some() {
            self.look()?;
        }
        let why = self.coding.as_ref().map(|(_, why)| why.clone());
        let total = match self.to {
            Timestamp::MAX => self.known_end().map(|end| end - self.origin),
            to => Some(self.known_end().map_or(to, |end| end.min(to)) - self.origin),
        };
        let (steps, moved) = self.all_steps(&pictures)?;
        let heaviest = [
            "transcode",
            "compress",
            "watermark",
            "convert",
            "trim",
            "thumbnail",
        ];
        let operation = heaviest
            .into_iter()
            .find(|name| operations.iter().any(|operation| operation.name() == *name))
            .unwrap_or("render");
        for shot in &mut self.shots {
            shot.place = if steps.is_empty() {
                0
            } else {
                shot.place + moved
            };
        }
        let work = Work {
            container: self.container,
            writes,
            from: self.origin,
            to: self.to,
            exact: self.exact,
            pictures,
            sound,
            sound_bits: self.sound_bits(sound),
            size: self.source.as_ref().map_or((0, 0), |source| {
                let side = |side: i32| u32::try_from(side).unwrap_or(0);
                (side(source.canvas.width), side(source.canvas.height))
            }),
            steps,
            shift: self.paced.unwrap_or(self.origin),
            shots: self.shots,
            total: total.filter(|total| *total > Timestamp::ZERO),
            operation,
            moved: self.moved,
        };
        let stages = explain::stages(&work, self.source.as_ref().map(|source| source.canvas), why);
        Ok(Plan {
            input: self.name,
            stages,
            notes: self.notes,
            work,
        })
    }

    /// What the header does not tell of the pictures, the first of them does:
    /// MP4 and MOV are opened without probing.
    fn look(&mut self) -> Result<()> {
        let (Opened::Video(opened), Some(source)) = (&*self.opened, &mut self.source) else {
            return Ok(());
        };
        let aspect = opened.stream(opened.video).aspect;
        if source.canvas.format < 0 {
            let one = NonZeroUsize::MIN;
            let context = &self.context.at_most_threads(one);
            let clock = opened.clock();
            let mut decoder = Decoder::open(&source.parameters, clock, &self.name, context)?;
            let mut packets = opened.packets(opened.video);
            let mut first = None;
            while first.is_none() {
                let packet = packets.next();
                let _ = decoder.send(packet);
                first = decoder.receive()?;
                if packet.is_none() {
                    break;
                }
            }
            if let Some(first) = first {
                source.canvas = Canvas::of_frame(&first);
            }
        }
        if let Some(aspect) = aspect {
            source.canvas.aspect = aspect;
        }
        Ok(())
    }

    fn known_end(&self) -> Option<Timestamp> {
        self.end.or_else(|| match &*self.opened {
            Opened::Video(source) => source.known_duration(),
            Opened::Sound(recording) => recording.duration(),
        })
    }

    /// Pictures that the container does not carry are encoded; a container that
    /// nobody chose gives way.
    fn settle_pictures(&mut self) -> Result<()> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        if let Some((coding, _)) = &self.coding {
            if coding::takes(self.container, coding.codec) {
                return Ok(());
            }
            let (container, codec) = (self.container, coding.encoder());
            if self.chosen {
                return Err(Error::unsupported(
                    &self.name,
                    format!("{container} does not carry what {codec} makes; write mp4 or mkv"),
                ));
            }
            self.container = if coding::takes(Container::Mp4, coding.codec) {
                Container::Mp4
            } else {
                Container::Mkv
            };
            self.note(format!(
                "the result is {}, as {container} does not carry what {codec} makes",
                self.container
            ));
            return Ok(());
        }
        if !carries_pictures(self.container, &source.parameters) {
            let codec = source.parameters.codec_name();
            let why = format!("{} does not carry {codec}", self.container);
            self.encode(self.coding(), why);
        }
        Ok(())
    }

    /// What becomes of the sound, now that the container is known.
    fn settle_sound(&mut self) -> Result<SoundWish> {
        let container = self.container;
        if self.sound.is_empty() {
            return Ok(SoundWish::None);
        }
        let carried = match &*self.opened {
            Opened::Video(source) => source
                .audio
                .iter()
                .all(|&at| carries_sound(container, &source.stream(at).parameters)),
            Opened::Sound(recording) => recording
                .audio
                .iter()
                .filter_map(|&at| recording.stream(at))
                .all(|stream| carries_sound(container, &stream.parameters)),
        };
        match self.sound_wish {
            Wish::None => Ok(SoundWish::None),
            Wish::AsItIs => Ok(SoundWish::AsItIs),
            Wish::Copied if carried => Ok(SoundWish::AsItIs),
            Wish::Copied => Err(Error::unsupported(
                &self.name,
                format!("audioCodec copy: {container} does not carry this sound; write mkv"),
            )),
            Wish::Encoded(codec, bit_rate, channels) => {
                let usual = coding::usual_sound(container);
                let encoder = codec
                    .and_then(coding::sound_encoder)
                    .unwrap_or(usual.encoder);
                if !carries_sound_in(container, coding::sound_id(encoder)) {
                    return Err(Error::unsupported(
                        &self.name,
                        format!("{container} does not carry what {encoder} makes; write mkv"),
                    ));
                }
                Ok(SoundWish::Encoded(sound::Coding {
                    encoder,
                    bit_rate,
                    channels,
                }))
            }
        }
    }

    /// About how many bits a second the sound takes.
    fn sound_bits(&self, wish: SoundWish) -> i64 {
        let told = |parameters: &Parameters| parameters.bit_rate().unwrap_or(128_000);
        let each: Vec<(i64, i32)> = match &*self.opened {
            Opened::Video(source) => source
                .audio
                .iter()
                .map(|&at| &source.stream(at).parameters)
                .map(|parameters| (told(parameters), parameters.channels()))
                .collect(),
            Opened::Sound(_) => Vec::new(),
        };
        let bits = each.into_iter().map(|(told, channels)| match wish {
            SoundWish::None => 0,
            SoundWish::AsItIs => told,
            SoundWish::Encoded(coding) => coding
                .bit_rate
                .unwrap_or(96_000 * i64::from(channels.max(1))),
        });
        bits.sum()
    }

    /// All that decoded pictures go through, and by how many places the steps
    /// that were asked for moved.
    fn all_steps(&mut self, pictures: &Way) -> Result<(Vec<Step>, usize)> {
        let (Way::Encoded(coding), Some(source)) = (pictures, &self.source) else {
            return Ok((Vec::new(), 0));
        };
        let canvas = source.canvas;
        let format = coding.pixel_format(&canvas, self.pixel_format.as_deref());
        if let Some(reason) = coding.refuses(format) {
            return Err(Error::unsupported(&self.name, reason));
        }
        let mut steps = Vec::new();
        if source.rotation != 0 {
            steps.push(Step::Upright(source.rotation));
        }
        if canvas.interlaced {
            steps.push(Step::Deinterlace);
        }
        let mut notes = Vec::new();
        if canvas.high_dynamic_range && Coding::is_standard_range(format) {
            steps.push(Step::Standard);
            notes.push(
                "the pictures are tone mapped: high dynamic range does not fit 8 bits".to_owned(),
            );
        }
        steps.push(Step::Format(format));
        let front = steps.len();
        steps.append(&mut self.steps);
        if self.container == Container::Avi {
            let paced = steps.iter().any(|step| matches!(step, Step::Rate(_)));
            if !paced && let Opened::Video(source) = &*self.opened {
                let frame = source.frame_rate();
                let rate = f64::from(frame.den()) / f64::from(frame.num());
                let rate = super::super::operation::FrameRate::try_from(rate.clamp(1.0, 240.0))
                    .map_err(|reason| Error::unsupported(&self.name, reason))?;
                steps.push(Step::Rate(rate));
            }
        }
        steps.push(Step::Even);
        for note in notes {
            self.note(note);
        }
        Ok((steps, front))
    }
}

fn check_codec(codec: VideoCodec) -> std::result::Result<(), Refused> {
    if coding::is_there(codec) {
        return Ok(());
    }
    let name = Coding::usual(codec).encoder();
    Err(format!("the linked FFmpeg has no encoder {name}"))
}

/// The container to write for an input that a demuxer of this name reads.
fn container_of(format: &str, name: &str) -> Container {
    let by_name = Container::of_path(std::path::Path::new(name));
    match format {
        "mpegts" => Container::Ts,
        "avi" => Container::Avi,
        "matroska,webm" if by_name == Some(Container::WebM) => Container::WebM,
        "matroska,webm" => Container::Mkv,
        _ if format.starts_with("mov") && by_name == Some(Container::Mov) => Container::Mov,
        _ => Container::Mp4,
    }
}
