//! Which quality reaches a likeness: tried on samples of the filtered pictures.

use crossbeam_channel::bounded;

use super::carry::Carrier;
use super::coding::Coding;
use super::plan::Work;
use super::run::run;
use super::ssim::ssim;
use crate::av::decode::Decoder;
use crate::av::encode::{Encoder, Video};
use crate::av::frame::Frame;
use crate::av::parameters::Parameters;
use crate::time::{TimeBase, Timestamp};
use crate::{Container, Context, Error, Result};

/// How many samples, and how many frames of each.
const SAMPLES: i64 = 4;
const FRAMES: usize = 24;

/// A quality and how like the original it looks.
pub(super) struct Found {
    pub(super) quality: f32,
    pub(super) ssim: f64,
}

/// The worst quality that is still as like the original as asked.
pub(super) fn quality_for(
    carrier: &mut Carrier<'_>,
    coding: &Coding,
    context: &Context,
) -> Result<Found> {
    let super::coding::Spend::Ssim(target) = coding.spend else {
        return Err(Error::unsupported(&carrier.name, "there is no target"));
    };
    let context = &context.doing(carrier.plan.work.operation, (1, 1));
    let samples = samples(carrier, context)?;
    if samples.iter().all(Vec::is_empty) {
        return Err(Error::malformed(&carrier.name, "no frame to try on"));
    }
    let (best, worst) = coding.qualities();
    let (mut low, mut high) = (best, worst);
    #[allow(clippy::cast_precision_loss)] // at most 63
    let scale = |quality: i32| quality as f32;
    let mut found: Option<Found> = None;
    while low <= high {
        let middle = i32::midpoint(low, high);
        let ssim = likeness(
            &samples,
            &coding.at_quality(scale(middle)),
            &carrier.name,
            context,
        )?;
        tracing::debug!(quality = middle, ssim, "a trial");
        if ssim >= target {
            found = Some(Found {
                quality: scale(middle),
                ssim,
            });
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    if let Some(found) = found {
        return Ok(found);
    }
    let quality = scale(best);
    let coding = coding.at_quality(quality);
    let ssim = likeness(&samples, &coding, &carrier.name, context)?;
    carrier
        .report
        .note(format!("an SSIM of {target} is not reached"));
    Ok(Found { quality, ssim })
}

/// Filtered frames from several places.
fn samples(carrier: &mut Carrier<'_>, context: &Context) -> Result<Vec<Vec<Frame>>> {
    let work = carrier.plan.work.clone();
    let total = work.total.map_or(0, Timestamp::as_micros);
    let places: Vec<Timestamp> = if total > 0 {
        let part = |number| total * (2 * number + 1) / (2 * SAMPLES);
        (0..SAMPLES)
            .map(|number| work.from + Timestamp::from_micros(part(number)))
            .collect()
    } else {
        vec![work.from]
    };
    let mut samples = Vec::new();
    for place in places {
        context.check()?;
        samples.push(sample(carrier, &work, place, context)?);
    }
    Ok(samples)
}

/// Frames from a time of the source on.
fn sample(
    carrier: &mut Carrier<'_>,
    work: &Work,
    place: Timestamp,
    context: &Context,
) -> Result<Vec<Frame>> {
    let work = Work {
        from: place,
        shots: Vec::new(),
        ..work.clone()
    };
    let opened = carrier.open(context)?;
    let (sender, frames) = bounded(FRAMES);
    let mut job = carrier.job(None, None);
    job.work = &work;
    job.shoots = false;
    job.collect = Some(sender);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| run(job, opened, context));
        let taken: Vec<Frame> = frames.iter().take(FRAMES).map(|(frame, _)| frame).collect();
        // The run ends when nobody takes more.
        drop(frames);
        match running.join() {
            Ok(Ok(_)) => Ok(taken),
            Ok(Err(error)) => Err(error),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// How like themselves the samples look when they are encoded so.
fn likeness(samples: &[Vec<Frame>], coding: &Coding, name: &str, context: &Context) -> Result<f64> {
    let mut total = 0.0;
    let mut count = 0.0;
    for sample in samples.iter().filter(|sample| !sample.is_empty()) {
        let (sum, frames) = trial(sample, coding, name, context)?;
        total += sum;
        count += frames;
    }
    Ok(total / f64::max(count, 1.0))
}

fn trial(sample: &[Frame], coding: &Coding, name: &str, context: &Context) -> Result<(f64, f64)> {
    let Some(first) = sample.first() else {
        return Ok((0.0, 0.0));
    };
    let failed = |code: crate::av::code::Code| code.failed(name, "trying a quality");
    let mut like = Parameters::new();
    like.set_picture(first);
    let options = coding.options(Container::Mp4, None);
    let clock = TimeBase::per_second(25);
    let video = Video {
        encoder: coding.encoder(),
        like: &like,
        pixel_format: first.format(),
        time_base: clock,
        frame: clock,
        rate: coding.rate(1.0),
        header_apart: true,
        options: &options,
    };
    let mut encoder = Encoder::video(&video, name, context)?;
    let mut decoder = Decoder::open(&encoder.parameters()?, clock, name, context)?;
    let mut originals = sample.iter();
    let (mut total, mut count) = (0.0, 0.0);
    let mut compare = |decoder: &mut Decoder| -> Result<()> {
        while let Some(frame) = decoder.receive()? {
            if let Some(original) = originals.next() {
                total += ssim(original, &frame).map_err(failed)?;
                count += 1.0;
            }
        }
        Ok(())
    };
    let frames = sample.iter().map(Some).chain([None]);
    for (number, frame) in frames.enumerate() {
        context.check()?;
        match frame {
            Some(frame) => {
                let mut frame = frame.another().map_err(failed)?;
                frame.set_pts(i64::try_from(number).ok());
                frame.forget_coding(false);
                encoder.send(Some(&frame))?;
            }
            None => encoder.send(None)?,
        }
        while let Some(packet) = encoder.receive()? {
            let _ = decoder.send(Some(&packet));
            compare(&mut decoder)?;
        }
    }
    let _ = decoder.send(None);
    compare(&mut decoder)?;
    Ok((total, count))
}
