//! Operation after operation becomes one plan.

mod settle;
mod times;
mod tracks;

use super::super::coding::Coding;
use super::super::operation::{AudioCodec, Watermark};
use super::super::step::{Mark, Step};
use super::super::{Operation, Options};
use super::{Opened, Plan, Shot};
use crate::av::canvas::Canvas;
use crate::av::parameters::{CodecId, Parameters};
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
    /// Whether the origin is a time that was asked for, and the first frame may
    /// come a little later.
    loose: bool,
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
            loose: false,
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

    fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
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
