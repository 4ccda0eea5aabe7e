//! What the worker tells about itself: log lines and metrics.
//!
//! | file | what it does |
//! |---|---|
//! | [`log`] | log lines on standard error, as text or JSON |
//! | [`metrics`] | the Prometheus registry and every metric in it |

pub mod log;
pub mod metrics;

pub use metrics::{
    AccessMetrics, Answered, ClipMetrics, Finished, ImageMetrics, ImageRequest, JobMetrics,
    Metrics, ModelMetrics, PersonStep, Photo, Stage,
};
