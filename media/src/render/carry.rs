//! A plan is carried out: by a cut where nothing need be encoded, else in one
//! pass, or as many as a target takes.

use std::path::PathBuf;

use super::chain::{Images, share};
use super::coding::{Coding, Spend};
use super::plan::{Opened, Plan, Shot, Way, Work};
use super::report::{Kind, Report, Written};
use super::run::{Done, Job, run};
use super::step::Step;
use super::target::Target;
use super::{Options, Outputs, image};
use crate::av::mux::Closed;
use crate::cut::{self, Segment, Selection, Until};
use crate::still::{self, Batch, Made};
use crate::time::Timestamp;
use crate::{Context, Error, Input, Output, Result};

/// What is at hand on the way.
pub(super) struct Carrier<'a> {
    pub(super) name: String,
    pub(super) plan: &'a Plan,
    pub(super) images: Images,
    input: Input,
    /// The input as it was opened for the plan, where that can still be used.
    opened: Option<Opened>,
    pub(super) report: Report,
}

/// Does what the plan says.
pub(super) fn carry_out(
    plan: &Plan,
    input: Input,
    opened: Opened,
    mut outputs: Outputs,
    options: &Options,
    context: &Context,
) -> Result<Report> {
    let work = &plan.work;
    if !work.shots.is_empty() {
        outputs.folder_of_pictures()?;
    }
    let mut images = Vec::new();
    for step in &work.steps {
        if let Step::Mark(mark) = step {
            images.push(image::read(options.image(&mark.watermark.image)?, context)?);
        }
    }
    let fresh = !(work.moved && input.reopens());
    let mut carrier = Carrier {
        name: plan.input.clone(),
        plan,
        images,
        input,
        opened: fresh.then_some(opened),
        report: Report::default(),
    };
    for note in &plan.notes {
        carrier.report.note(note.clone());
    }
    if !work.writes {
        let batch = carrier.stills(&outputs, context)?;
        batch.keep()?;
        return Ok(carrier.report);
    }
    let (output, path) = outputs.take_video(work.container)?;
    match &work.pictures {
        Way::Copied => carrier.copy(output, path, &outputs, context)?,
        Way::None => carrier.encode(None, output, path, &outputs, context)?,
        Way::Encoded(coding) => carrier.encode(Some(coding), output, path, &outputs, context)?,
    }
    Ok(carrier.report)
}

impl<'a> Carrier<'a> {
    /// The input at its beginning.
    pub(super) fn open(&mut self, context: &Context) -> Result<Opened> {
        match self.opened.take() {
            Some(opened) => Ok(opened),
            None => Opened::open(&mut self.input, context),
        }
    }

    /// Whether the input can be gone through more than once.
    pub(super) fn reopens(&self) -> bool {
        self.input.reopens()
    }

    /// The pictures are copied: a cut does it.
    fn copy(
        &mut self,
        output: Output,
        path: Option<PathBuf>,
        outputs: &Outputs,
        context: &Context,
    ) -> Result<()> {
        let work = &self.plan.work;
        let context = &context.doing(work.operation, (1, 1));
        // A live input cannot be read for thumbnails and for the copy.
        if !self.input.reopens() && !work.shots.is_empty() {
            return Err(Error::unsupported(
                &self.name,
                "thumbnails beside a copy need a file, and this is a stream that is read once",
            ));
        }
        let batch = self.stills(outputs, context)?;
        let segment = match (self.input.again(), self.opened.take()) {
            (Some(input), _) => Segment::new(input),
            (None, Some(Opened::Video(source))) => {
                Segment::opened(Input::bytes(&self.name, Vec::new()), *source)
            }
            (None, _) => {
                return Err(Error::unsupported(
                    &self.name,
                    "this stream was read already; open it again",
                ));
            }
        };
        let end = match work.to {
            Timestamp::MAX => Until::End,
            to => Until::At(cut::Position::Time(to)),
        };
        let starts = work.from > Timestamp::ZERO;
        let options = cut::Options {
            selection: Selection {
                start: starts.then_some(cut::Position::Time(work.from)),
                end,
            },
            mode: if work.exact || (!starts && work.to == Timestamp::MAX) {
                cut::Mode::Exact
            } else {
                cut::Mode::Copy
            },
            ..cut::Options::default()
        };
        let (done, written) = cut::cut_with(vec![segment], output, &options, work.sound, context)?;
        keep(written, batch)?;
        let report = &mut self.report;
        report.frames = done.frames;
        report.frames_copied = done.frames_copied;
        report.frames_encoded = done.frames_encoded;
        report.frames_decoded = done.frames_encoded;
        report.duration = done.duration;
        report.passes = 1;
        for note in done.notes {
            report.note(note);
        }
        report
            .outputs
            .insert(0, Written::video(path, done.bytes, work.size));
        Ok(())
    }

    /// The pictures are encoded, or there are none.
    fn encode(
        &mut self,
        coding: Option<&Coding>,
        output: Output,
        path: Option<PathBuf>,
        outputs: &Outputs,
        context: &Context,
    ) -> Result<()> {
        let done = match coding {
            Some(coding) if matches!(coding.spend, Spend::Bytes(_) | Spend::Ssim(_)) => {
                Target::of(coding, self, output, context)?.reach()?
            }
            Some(coding) if coding.two_pass => {
                let passes = super::passes::Passes::new(coding, context)?;
                passes.both(self, coding, output, (1, 2), context)?
            }
            coding => {
                let context = &context.doing(self.plan.work.operation, (1, 1));
                let job = self.job(coding, Some(output));
                let opened = self.open(context)?;
                run(job, opened, context)?
            }
        };
        self.finish(done, path, outputs)
    }

    /// A job that is one pass of everything.
    pub(super) fn job<'j>(&self, coding: Option<&'j Coding>, output: Option<Output>) -> Job<'j>
    where
        'a: 'j,
    {
        Job {
            name: &self.plan.input,
            work: &self.plan.work,
            images: share(&self.images),
            coding,
            pass: None,
            output,
            collect: None,
            shoots: true,
            reserve: true,
        }
    }

    fn finish(&mut self, mut done: Done, path: Option<PathBuf>, outputs: &Outputs) -> Result<()> {
        let batch = self.pictures(std::mem::take(&mut done.taken), &done.missing, outputs)?;
        let Some(written) = done.written.take() else {
            return Err(Error::malformed(&self.name, "nothing was written"));
        };
        let bytes = written.bytes();
        keep(written, batch)?;
        let size = (done.width.unsigned_abs(), done.height.unsigned_abs());
        let report = &mut self.report;
        report.frames = done.frames_encoded;
        report.frames_decoded += done.frames_decoded;
        report.frames_encoded = done.frames_encoded;
        report.duration = done.duration;
        report.passes += 1;
        for note in done.notes {
            report.note(note);
        }
        report.outputs.insert(0, Written::video(path, bytes, size));
        Ok(())
    }

    /// Writes the thumbnails that were taken on the way, without their names yet.
    fn pictures(
        &mut self,
        mut taken: Vec<Made>,
        missing: &[usize],
        outputs: &Outputs,
    ) -> Result<Batch> {
        let mut batch = Batch::new();
        let work = &self.plan.work;
        if let Some(number) = missing.first() {
            return Err(Error::malformed(
                &self.name,
                format!("thumbnail {number}: no frame is shown then"),
            ));
        }
        if work.shots.is_empty() {
            return Ok(batch);
        }
        let folder = outputs.folder_of_pictures()?;
        batch.folder(folder)?;
        taken.sort_by_key(|taken| taken.number);
        for taken in taken {
            let Some(shot) = shot_of(work, taken.number) else {
                continue;
            };
            let extension = shot.options.format.extension();
            let path = folder.join(format!("thumbnail-{}.{extension}", taken.number));
            batch.add(path.clone(), &taken.bytes)?;
            let time = taken.time + work.shift - shot.origin;
            if taken.black {
                self.report.note(format!("all is black from {time} on"));
            }
            self.report.outputs.push(Written {
                kind: Kind::Thumbnail,
                path: Some(path),
                bytes: taken.bytes.len() as u64,
                width: taken.width.unsigned_abs(),
                height: taken.height.unsigned_abs(),
                time: Some(time),
            });
        }
        Ok(batch)
    }

    /// Thumbnails where nothing is decoded for a video: each by the shortest
    /// decode.
    fn stills(&mut self, outputs: &Outputs, context: &Context) -> Result<Batch> {
        let mut all = Batch::new();
        let work = &self.plan.work;
        for shot in &work.shots {
            let folder = outputs.folder_of_pictures()?;
            let Some(input) = self.input.again() else {
                return Err(Error::unsupported(
                    &self.name,
                    "thumbnails without a video need a file, and this is a stream that is read \
                     once",
                ));
            };
            let times = shot.wanted.iter();
            let times = times.map(|wanted| cut::Position::Time(wanted.time));
            let options = still::Options {
                moments: still::Moments::At(times.collect()),
                style: shot.options.style(),
                skip_black: shot.options.skip_black,
                skip_until: (shot.until < Timestamp::MAX).then_some(shot.until),
                ..still::Options::default()
            };
            let first = shot.wanted.first().map_or(1, |wanted| wanted.number);
            let context = &context.doing("thumbnail", (1, 1));
            let (batch, report) = still::into_batch(input, &options, folder, first, context)?;
            all.join(batch);
            for note in report.notes {
                self.report.note(note);
            }
            self.report.passes += u32::from(!work.writes);
            for picture in report.pictures {
                self.report.outputs.push(Written {
                    kind: Kind::Thumbnail,
                    path: Some(PathBuf::from(picture.name)),
                    bytes: picture.bytes,
                    width: picture.width,
                    height: picture.height,
                    time: Some(picture.time - shot.origin),
                });
            }
        }
        Ok(all)
    }
}

/// Gives the video and the pictures their names: all of them, or on an error none.
fn keep(video: Closed, pictures: Batch) -> Result<()> {
    let mut video = video.name()?;
    pictures.keep()?;
    if let Some(video) = &mut video {
        video.settle();
    }
    Ok(())
}

fn shot_of(work: &Work, number: usize) -> Option<&Shot> {
    let has = |shot: &&Shot| shot.wanted.iter().any(|wanted| wanted.number == number);
    work.shots.iter().find(has)
}
