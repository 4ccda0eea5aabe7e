//! Targets that a codec has no option for: a size in bytes, a likeness.

use super::carry::Carrier;
use super::coding::{Coding, Spend};
use super::passes::Passes;
use super::run::{Done, run};
use super::sample;
use crate::time::Timestamp;
use crate::{Context, Error, Output, Result};

/// A search for the rate or quality that reaches a target.
pub(super) struct Target<'t, 'a> {
    coding: Coding,
    carrier: &'t mut Carrier<'a>,
    output: Output,
    context: &'t Context,
}

/// How often the whole is encoded at most.
const TRIALS: u32 = 5;
/// The least part of the target that is good enough.
const ENOUGH: f64 = 0.96;
/// What is aimed at, as a part of the target.
const AIM: f64 = 0.985;
/// The operation of the error with which an encoder refuses its settings.
const OPENING: &str = "opening the encoder";
/// Less than this is no picture, in bits a second.
const LEAST: i64 = 1_000;

impl<'t, 'a> Target<'t, 'a> {
    pub(super) fn of(
        coding: &Coding,
        carrier: &'t mut Carrier<'a>,
        output: Output,
        context: &'t Context,
    ) -> Result<Self> {
        if !carrier.reopens() || output.again().is_none() {
            return Err(Error::unsupported(
                &carrier.name,
                "a target needs files on both sides: it is reached by trial",
            ));
        }
        Ok(Self {
            coding: coding.clone(),
            carrier,
            output,
            context,
        })
    }

    pub(super) fn reach(self) -> Result<Done> {
        match self.coding.spend {
            Spend::Bytes(bytes) => self.bytes(bytes),
            Spend::Ssim(_) => self.ssim(),
            _ => Err(Error::unsupported(&self.carrier.name, "there is no target")),
        }
    }

    /// The quality is found on samples, then all is encoded once.
    fn ssim(self) -> Result<Done> {
        let found = sample::quality_for(self.carrier, &self.coding, self.context)?;
        self.carrier.report.note(format!(
            "quality {} reaches an SSIM of {:.4} on samples",
            found.quality, found.ssim
        ));
        let coding = self.coding.at_quality(found.quality);
        let context = &self.context.doing(self.carrier.plan.work.operation, (1, 1));
        let opened = self.carrier.open(context)?;
        let job = self.carrier.job(Some(&coding), Some(self.output));
        run(job, opened, context)
    }

    /// The rate follows from the size; what the first trial misses is corrected.
    #[allow(clippy::cast_precision_loss)] // sizes of files
    fn bytes(self, limit: u64) -> Result<Done> {
        let most = limit as f64;
        let two_pass = self.coding.knows_passes();
        let known = self.carrier.plan.work.total;
        let mut duration = known
            .map(Timestamp::as_secs_f64)
            .filter(|&seconds| seconds > 0.0);
        let mut passes = Passes::new(&self.coding, self.context)?;
        if two_pass {
            // Its rate matters little: what it learns is scaled.
            let guess = duration.map_or(1e6, |seconds| most * 8.0 / seconds);
            let coding = self.coding.at_rate(bits(guess), true);
            let done = passes.learn(self.carrier, &coding, (1, 2), self.context)?;
            duration = Some(done.duration.as_secs_f64());
        }
        let seconds = duration.filter(|&seconds| seconds > 0.0).ok_or_else(|| {
            Error::unsupported(
                &self.carrier.name,
                "its duration is not known, so no rate follows",
            )
        })?;
        let sound = self.carrier.plan.work.sound_bits as f64;
        let mut rate = (most * AIM * 8.0 / seconds - sound - 2_000.0).max(most * 2.0 / seconds);
        let mut best: Option<Done> = None;
        let mut least = f64::MAX;
        // As far as it is known before the first trial.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive
        let mut heard = (sound * seconds / 8.0).max(0.0) as u64;
        for trial in 0..TRIALS {
            let coding = self.coding.at_rate(bits(rate), two_pass);
            let output = self.output.again().ok_or_else(|| {
                Error::unsupported(&self.carrier.name, "the output can be written once only")
            })?;
            let pass = (2, 2);
            let written = if two_pass {
                passes.write(self.carrier, &coding, output, pass, false, self.context)
            } else {
                let context = &self.context.doing(self.carrier.plan.work.operation, pass);
                let opened = self.carrier.open(context)?;
                let mut job = self.carrier.job(Some(&coding), Some(output));
                job.reserve = false;
                run(job, opened, context)
            };
            let done = match written {
                // x264 does not begin a second pass that cannot come out.
                Err(Error::Ffmpeg { operation, .. }) if operation == OPENING => break,
                written => written?,
            };
            let size = done
                .written
                .as_ref()
                .map_or(0, crate::av::mux::Closed::bytes);
            tracing::debug!(trial, rate, size, limit, "a trial");
            let (size, pictures) = (size as f64, done.picture_bytes as f64);
            least = least.min(size);
            heard = done.sound_bytes;
            if heard >= limit {
                break;
            }
            let fits = size <= most;
            if fits {
                let better = best
                    .as_ref()
                    .is_none_or(|best| best.picture_bytes < done.picture_bytes);
                if better {
                    best = Some(done);
                }
            }
            if fits && size >= most * ENOUGH {
                break;
            }
            if trial + 1 < TRIALS {
                self.carrier.report.passes += 1;
            }
            // What is not pictures stays as it is.
            let room = (most * AIM - (size - pictures)).max(most * 0.01);
            // An encoder at its worst does not become smaller, nor at its best larger.
            let step = (room / pictures.max(1.0)).clamp(0.25, 4.0);
            let next = (rate * step).max(1.0);
            if bits(next) == bits(rate) {
                break;
            }
            rate = next;
        }
        best.ok_or_else(|| {
            if heard >= limit {
                return Error::unsupported(
                    &self.carrier.name,
                    format!(
                        "targetBytes {limit}: its sound alone takes {heard}; encode that with \
                         fewer bits (transcode's audioBitrate), or leave it out (audioCodec none)"
                    ),
                );
            }
            let reached = if least < f64::MAX {
                format!("the smallest that was reached is {least:.0}")
            } else {
                "its pictures do not fit into that".to_owned()
            };
            let reason = format!("targetBytes {limit}: {reached}; scale it down or cut it");
            Error::unsupported(&self.carrier.name, reason)
        })
    }
}

#[allow(clippy::cast_possible_truncation)] // clamped
fn bits(rate: f64) -> i64 {
    (rate.clamp(0.0, 1e12) as i64).max(LEAST)
}
