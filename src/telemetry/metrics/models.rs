//! What is asked of models, and what it costs.

use std::fmt;
use std::time::Duration;

use prometheus::{
    Counter, CounterVec, HistogramVec, IntCounterVec, IntGaugeVec, Result, exponential_buckets,
};

use super::adding::Adding;

/// What calls of models report to, by their kind: `transcribe`, `caption`, `embed`,
/// `list`. Clones share it.
#[derive(Clone)]
pub struct ModelMetrics {
    models: IntGaugeVec,
    requests: IntCounterVec,
    retries: IntCounterVec,
    waits: CounterVec,
    durations: HistogramVec,
    tokens: IntCounterVec,
    audio: Counter,
    cost: CounterVec,
}

impl fmt::Debug for ModelMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelMetrics")
    }
}

impl ModelMetrics {
    pub(super) fn new(add: &Adding<'_>) -> Result<Self> {
        Ok(Self {
            models: add.gauges(
                "flatbed_model_info",
                "Which model is asked for what; always 1.",
                &["call", "model"],
            )?,
            requests: add.counters(
                "flatbed_model_requests_total",
                "Requests to models, by what came of them: ok, rate_limited, quota, failing, late, away and so on.",
                &["call", "outcome"],
            )?,
            retries: add.counters(
                "flatbed_model_retries_total",
                "Requests to models that were repeated.",
                &["call"],
            )?,
            waits: add.amounts(
                "flatbed_model_wait_seconds_total",
                "Time that calls of models waited for rate limits and between tries.",
                &["call"],
            )?,
            durations: add.histograms(
                "flatbed_model_request_duration_seconds",
                "How long requests to models took, their answers included.",
                &["call"],
                exponential_buckets(0.05, 2.5, 10)?,
            )?,
            tokens: add.counters(
                "flatbed_model_tokens_total",
                "Tokens that models read (in) and wrote (out), as they count them.",
                &["call", "direction"],
            )?,
            audio: add.amount(
                "flatbed_model_audio_seconds_total",
                "Sound that models listened to.",
            )?,
            cost: add.amounts(
                "flatbed_model_cost_dollars_total",
                "What models cost, by the prices that are set.",
                &["call"],
            )?,
        })
    }

    /// This model is asked for this.
    pub fn model(&self, call: &'static str, model: &str) {
        self.models.with_label_values(&[call, model]).set(1);
    }

    /// A request ended so, after so long.
    pub fn requested(&self, call: &'static str, outcome: &'static str, took: Duration) {
        self.requests.with_label_values(&[call, outcome]).inc();
        let durations = self.durations.with_label_values(&[call]);
        durations.observe(took.as_secs_f64());
    }

    /// A request is repeated.
    pub fn retried(&self, call: &'static str) {
        self.retries.with_label_values(&[call]).inc();
    }

    /// A call waits so long.
    pub fn waited(&self, call: &'static str, pause: Duration) {
        let waits = self.waits.with_label_values(&[call]);
        waits.inc_by(pause.as_secs_f64());
    }

    /// So many tokens were read and written.
    pub fn tokens(&self, call: &'static str, input: u64, output: u64) {
        for (direction, tokens) in [("in", input), ("out", output)] {
            let counted = self.tokens.with_label_values(&[call, direction]);
            counted.inc_by(tokens);
        }
    }

    /// So much sound was listened to.
    pub fn audio(&self, length: Duration) {
        self.audio.inc_by(length.as_secs_f64());
    }

    /// So many US dollars are due; not less than none.
    pub fn spent(&self, call: &'static str, dollars: f64) {
        let cost = self.cost.with_label_values(&[call]);
        cost.inc_by(dollars.max(0.0));
    }
}
