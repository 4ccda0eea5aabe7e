//! Where nothing is to be heard.

use crate::time::{Span, TimeBase, Timestamp};

use super::options::Silence;

/// Listens to sound of one channel as it comes.
pub(super) struct Listener {
    clock: TimeBase,
    /// The mean square below which a window is silent.
    threshold: f64,
    least: Timestamp,
    /// Samples that are judged together: 10 ms.
    window: u32,
    /// Of the window that is not full yet.
    held: u32,
    sum: f64,
    /// The sample where the window begins.
    at: i64,
    /// Where the silence began that has not ended yet.
    since: Option<i64>,
    spans: Vec<Span>,
}

impl Listener {
    /// To sound of `rate` samples a second.
    pub(super) fn new(rate: u32, silence: Silence) -> Self {
        Self {
            clock: TimeBase::per_second(rate),
            // A level in dB is 20 log of an amplitude, 10 log of its square.
            threshold: 10f64.powf(silence.threshold / 10.0),
            least: silence.least,
            window: (rate / 100).max(1),
            held: 0,
            sum: 0.0,
            at: 0,
            since: None,
            spans: Vec::new(),
        }
    }

    /// Takes the next samples, from -1 to 1.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        for &sample in samples {
            self.sum += f64::from(sample) * f64::from(sample);
            self.held += 1;
            if self.held == self.window {
                self.judge();
            }
        }
    }

    /// The silences, in order.
    pub(super) fn finish(mut self) -> Vec<Span> {
        if self.held > 0 {
            self.judge();
        }
        self.end(self.at);
        self.spans
    }

    fn judge(&mut self) {
        if self.sum < self.threshold * f64::from(self.held) {
            self.since.get_or_insert(self.at);
        } else {
            self.end(self.at);
        }
        self.at += i64::from(self.held);
        self.held = 0;
        self.sum = 0.0;
    }

    fn end(&mut self, at: i64) {
        if let Some(since) = self.since.take() {
            let span = Span {
                start: self.clock.timestamp(since),
                end: self.clock.timestamp(at),
            };
            if span.duration() >= self.least && at > since {
                self.spans.push(span);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The silences of sound whose parts have a length in ms and a level.
    fn silences(parts: &[(usize, f32)]) -> Vec<(i64, i64)> {
        let mut listener = Listener::new(1000, Silence::default());
        for &(length, level) in parts {
            let samples: Vec<f32> = (0..length)
                .map(|at| if at % 2 == 0 { level } else { -level })
                .collect();
            listener.hear(&samples);
        }
        let spans = listener.finish();
        spans
            .iter()
            .map(|span| (span.start.as_micros() / 1000, span.end.as_micros() / 1000))
            .collect()
    }

    #[test]
    fn long_silences_are_told() {
        let found = silences(&[
            (700, 0.0),
            (1000, 0.3),
            (499, 0.0),
            (301, 0.3),
            (800, 0.002),
        ]);
        assert_eq!(found, [(0, 700), (2500, 3300)]);
        assert_eq!(silences(&[(3000, 0.0)]), [(0, 3000)]);
        assert_eq!(silences(&[]), []);
    }

    #[test]
    fn the_threshold_is_a_level() {
        // -50 dBFS is 0.00316 of full scale.
        assert_eq!(silences(&[(1000, 0.0033)]), []);
        assert_eq!(silences(&[(1000, 0.0030)]), [(0, 1000)]);
    }
}
