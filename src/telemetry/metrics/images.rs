//! What is counted of images that are asked for over HTTP, beside their jobs.

use std::time::{Duration, Instant};

use prometheus::{Histogram, IntCounterVec, IntGauge, Result, exponential_buckets};

use super::adding::Adding;

/// How a request for an image was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// With the image.
    Image,
    /// With a job's id.
    Job,
    /// It was refused: the request, or the image in it.
    Refused,
    /// There was too much to do.
    Busy,
    /// Something on this side failed.
    Failed,
    /// Nobody waited for it any more.
    Abandoned,
}

impl Answered {
    const ALL: [Self; 6] = [
        Self::Image,
        Self::Job,
        Self::Refused,
        Self::Busy,
        Self::Failed,
        Self::Abandoned,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Job => "job",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What requests for images report to. Clones share it.
#[derive(Clone)]
pub struct ImageMetrics {
    requests: IntCounterVec,
    durations: Histogram,
    running: IntGauge,
}

impl ImageMetrics {
    pub(super) fn new(add: &Adding<'_>) -> Result<Self> {
        let requests = add.counters(
            "flatbed_image_requests_total",
            "Requests for images, by answer: image, job, refused, busy, failed or abandoned.",
            &["answer"],
        )?;
        for answer in Answered::ALL {
            requests.with_label_values(&[answer.as_str()]);
        }
        Ok(Self {
            requests,
            durations: add.histogram(
                "flatbed_image_request_duration_seconds",
                "How long a request for an image took from its head to its answer's, the upload included.",
                exponential_buckets(0.01, 3.0, 10)?,
            )?,
            running: add.gauge(
                "flatbed_image_requests_running",
                "Requests for images that are not answered yet.",
            )?,
        })
    }

    /// A request came. It is counted when the value is dropped.
    pub fn request(&self) -> ImageRequest {
        self.running.inc();
        ImageRequest {
            metrics: self.clone(),
            begun: Instant::now(),
            answered: Answered::Abandoned,
        }
    }
}

/// A request for an image.
pub struct ImageRequest {
    metrics: ImageMetrics,
    begun: Instant,
    answered: Answered,
}

impl ImageRequest {
    /// It is answered so.
    pub fn answered(mut self, answered: Answered) {
        self.answered = answered;
    }
}

impl Drop for ImageRequest {
    fn drop(&mut self) {
        let took: Duration = self.begun.elapsed();
        self.metrics.running.dec();
        self.metrics.durations.observe(took.as_secs_f64());
        let answer = self.answered.as_str();
        self.metrics.requests.with_label_values(&[answer]).inc();
    }
}
