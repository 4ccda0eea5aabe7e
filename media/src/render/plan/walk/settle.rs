//! At the end of the list: what is left open is decided.

use std::num::NonZeroUsize;

use super::super::super::Operation;
use super::super::super::coding::{self, Coding};
use super::super::super::operation::FrameRate;
use super::super::super::step::Step;
use super::super::{Opened, Plan, Way, Work, explain};
use super::{Walk, Wish};
use crate::av::canvas::{Canvas, Sampling};
use crate::av::decode::Decoder;
use crate::av::parameters::Parameters;
use crate::av::scale::format_name;
use crate::cut::carriage::{carries_pictures, carries_sound, carries_sound_in};
use crate::cut::{SoundWish, sound};
use crate::time::Timestamp;
use crate::{Container, Error, Result};

/// The longest side that encoders take, in pixels.
const LONGEST: u64 = 16_384;

impl Walk<'_> {
    pub(super) fn finish(mut self, operations: &[Operation]) -> Result<Plan> {
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
            self.note_lost_alpha();
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

    fn note_lost_alpha(&mut self) {
        let Opened::Video(source) = &*self.opened else {
            return;
        };
        let stream = source.stream(source.video);
        if stream.has_alpha_beside {
            let codec = stream.parameters.codec_name();
            self.note(format!(
                "what is transparent in the {codec} pictures is lost: they are encoded opaque"
            ));
        }
    }

    /// What the header does not tell of the pictures, the first of them does:
    /// MP4 and MOV are opened without probing.
    pub(super) fn look(&mut self) -> Result<()> {
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

    pub(super) fn known_end(&self) -> Option<Timestamp> {
        self.end.or_else(|| match &*self.opened {
            Opened::Video(source) => source.known_duration(),
            Opened::Sound(recording) => recording.duration(),
        })
    }

    /// Pictures that the container does not carry are encoded; a container that
    /// nobody chose gives way.
    pub(super) fn settle_pictures(&mut self) -> Result<()> {
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
    pub(super) fn settle_sound(&mut self) -> Result<SoundWish> {
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
    pub(super) fn sound_bits(&self, wish: SoundWish) -> i64 {
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
    pub(super) fn all_steps(&mut self, pictures: &Way) -> Result<(Vec<Step>, usize)> {
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
                let rate = FrameRate::try_from(rate.clamp(1.0, 240.0))
                    .map_err(|reason| Error::unsupported(&self.name, reason))?;
                steps.push(Step::Rate(rate));
            }
        }
        steps.push(Step::Even);
        let (made, cropped) = self.walked(canvas, &steps)?;
        let mut lost = Sampling::of(made.format).loses(canvas.sampling());
        if !notes.is_empty() {
            // The tone map's note says so.
            lost.retain(|&lost| lost != "shades");
        }
        if !lost.is_empty() {
            let (from, to) = (format_name(canvas.format), format_name(made.format));
            let lost = lost.join(" and ");
            notes.push(format!("{lost} are lost: {from} becomes {to}"));
        }
        notes.extend(cropped);
        for note in notes {
            self.note(note);
        }
        Ok((steps, front))
    }

    /// What pictures are behind all steps, and what is cut off them for an even
    /// size. No step may make them larger than the limits allow.
    fn walked(&self, canvas: Canvas, steps: &[Step]) -> Result<(Canvas, Option<String>)> {
        let (mut canvas, mut before) = (canvas, canvas);
        for step in steps {
            before = canvas;
            step.filters(&mut canvas);
            let side = |length: i32| u64::from(length.unsigned_abs());
            let (width, height) = (side(canvas.width), side(canvas.height));
            let most = self.context.limits().max_pixels;
            if width.max(height) > LONGEST || width * height > most {
                return Err(Error::limit(
                    &self.name,
                    format!(
                        "pictures of {width}x{height}; the limits are {LONGEST} a side and \
                         {most} pixels: ask for a smaller resolution"
                    ),
                ));
            }
        }
        let (from, to) = ((before.width, before.height), (canvas.width, canvas.height));
        let cropped = (from.0 > to.0 || from.1 > to.1).then(|| {
            let ((wide, high), (width, height)) = (from, to);
            format!("the pictures are cropped from {wide}x{high} to {width}x{height}: its sides must be even")
        });
        Ok((canvas, cropped))
    }
}
