//! What operators of cameras look at, beside what all workloads count.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntCounterVec, Result, exponential_buckets};

use super::adding::Adding;

/// What clips report to. Clones share it.
#[derive(Clone)]
pub struct ClipMetrics {
    clips: IntCounterVec,
    failures: IntCounterVec,
    spooled: IntCounter,
    age: Histogram,
}

impl ClipMetrics {
    pub(super) fn new(add: &Adding<'_>) -> Result<Self> {
        let clips = add.counters(
            "flatbed_clips_total",
            "Clips that were made, by whether the recorder had all that was asked for: full or part.",
            &["coverage"],
        )?;
        for coverage in ["full", "part"] {
            clips.with_label_values(&[coverage]);
        }
        Ok(Self {
            clips,
            failures: add.counters(
                "flatbed_clip_failures_total",
                "Attempts that made no clip, by what was in the way: login, busy, away, no_footage and so on.",
                &["reason"],
            )?,
            spooled: add.counter(
                "flatbed_clips_spooled_total",
                "Clips whose recordings broke off and were fetched anew, to the disk.",
            )?,
            age: add.histogram(
                "flatbed_clip_age_seconds",
                "How long after its last moment a clip was in the bucket.",
                exponential_buckets(10.0, 3.0, 10)?,
            )?,
        })
    }

    /// A clip is in the bucket, so long after its last moment; it shows this part.
    pub fn made(&self, part: f32, age: Duration) {
        let coverage = if part < 1.0 { "part" } else { "full" };
        self.clips.with_label_values(&[coverage]).inc();
        self.age.observe(age.as_secs_f64());
    }

    /// An attempt made none, for this reason.
    pub fn failed(&self, reason: &'static str) {
        self.failures.with_label_values(&[reason]).inc();
    }

    /// Recordings are fetched to the disk because they broke off.
    pub fn spooled(&self) {
        self.spooled.inc();
    }
}
