//! Which parts of the sound a speech recogniser is to hear: those that are not
//! silent, since recognisers invent text over silence, in pieces of a size that
//! it takes.

use crate::time::{Span, TimeBase, Timestamp};
use crate::{Error, Result};

use super::sound::RATE;
use super::wav::{HEADER, SAMPLE};

/// What a recogniser takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeechOptions {
    /// How much of the silence in front of a span and behind it stays with it;
    /// at most a quarter of the longest span.
    pub margin: Timestamp,
    /// Silence up to this length stays between words.
    pub pause: Timestamp,
    /// How long a span is at most; a second at least.
    pub longest: Timestamp,
    /// How many bytes it has at most, as the WAV file that
    /// [`SoundSpan`](super::SoundSpan) makes of it.
    pub most_bytes: Option<u64>,
    /// What is shorter is left out: recognisers refuse it.
    pub least: Timestamp,
}

impl Default for SpeechOptions {
    /// A margin of 0.2 s, pauses up to 2 s, at most 10 minutes and 24 MiB (a
    /// usual limit is 25 MB for all of a request), 0.1 s at least.
    fn default() -> Self {
        Self {
            margin: Timestamp::from_micros(200_000),
            pause: Timestamp::from_micros(2_000_000),
            longest: Timestamp::from_micros(600_000_000),
            most_bytes: Some(24 << 20),
            least: Timestamp::from_micros(100_000),
        }
    }
}

impl SpeechOptions {
    /// The longest span that keeps to all limits.
    fn limit(&self) -> Result<Timestamp> {
        let by_bytes = self.most_bytes.map_or(Timestamp::MAX, |bytes| {
            // A span's ends are rounded to samples: one may come in.
            let samples = bytes.saturating_sub(HEADER.into()) / u64::from(SAMPLE);
            let samples = i64::try_from(samples).unwrap_or(i64::MAX).saturating_sub(1);
            TimeBase::per_second(RATE).timestamp(samples)
        });
        let limit = self.longest.min(by_bytes);
        let refuse = |reason: &str| Err(Error::unsupported("speech", reason));
        if limit < Timestamp::from_micros(1_000_000) {
            return refuse("spans must be allowed a second at least: raise the limit");
        }
        if self.margin < Timestamp::ZERO || self.margin.as_micros() > limit.as_micros() / 4 {
            return refuse("the margin must be from 0 to a quarter of the longest span");
        }
        Ok(limit)
    }
}

/// The spans of sound of this `duration` that a recogniser is to hear, in order
/// and without overlap. `silences` are as [`Sound`](super::Sound) has them.
///
/// Neighbours with a short pause between them are one span. One that is too long
/// ends at the longest silence within its last quarter, and where there is none,
/// so that its pieces are equally long.
///
/// What a recogniser says of a time *t* of a span is about `span.start + t` of
/// the sound, and of the video.
///
/// # Errors
/// [`Unsupported`](Error::Unsupported) where the limits leave nothing.
pub fn speech_spans(
    duration: Timestamp,
    silences: &[Span],
    options: &SpeechOptions,
) -> Result<Vec<Span>> {
    let limit = options.limit()?;
    let margin = options.margin;
    let mut spans = Vec::new();
    for part in joined(sounding(duration, silences), options) {
        let part = Span {
            start: (part.start - margin).max(Timestamp::ZERO),
            end: (part.end + margin).min(duration),
        };
        cut(part, silences, margin, limit, &mut spans);
    }
    spans.retain(|span| span.duration() >= options.least && span.duration() > Timestamp::ZERO);
    Ok(spans)
}

/// What lies between the silences.
fn sounding(duration: Timestamp, silences: &[Span]) -> Vec<Span> {
    let end = Span {
        start: duration,
        end: duration,
    };
    let mut at = Timestamp::ZERO;
    let mut parts = Vec::new();
    for silence in silences.iter().chain(std::iter::once(&end)) {
        let part = Span {
            start: at,
            end: silence.start.min(duration),
        };
        if part.end > part.start {
            parts.push(part);
        }
        at = at.max(silence.end);
    }
    parts
}

/// The same; parts with a short pause between them are one.
fn joined(parts: Vec<Span>, options: &SpeechOptions) -> Vec<Span> {
    let pause = options.pause.max(options.margin + options.margin);
    let mut joined: Vec<Span> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if part.start - last.end <= pause => last.end = part.end,
            _ => joined.push(part),
        }
    }
    joined
}

/// The pieces of a span, none longer than `limit`.
fn cut(
    mut span: Span,
    silences: &[Span],
    margin: Timestamp,
    limit: Timestamp,
    into: &mut Vec<Span>,
) {
    while span.duration() > limit {
        let latest = span.start + limit;
        let (end, next) = quiet(span, silences, margin, latest, limit).unwrap_or_else(|| {
            let length = span.duration().as_micros();
            // So many pieces are needed.
            let pieces = (length - 1) / limit.as_micros() + 1;
            let end = span.start + Timestamp::from_micros(length / pieces);
            (end, end)
        });
        into.push(Span {
            start: span.start,
            end,
        });
        span.start = next;
    }
    into.push(span);
}

/// Where a span can end and the next one begin: in the longest silence that
/// touches the last quarter before `latest`.
fn quiet(
    span: Span,
    silences: &[Span],
    margin: Timestamp,
    latest: Timestamp,
    limit: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let earliest = latest - Timestamp::from_micros(limit.as_micros() / 4);
    let begin = silences.partition_point(|silence| silence.end <= earliest);
    let within = silences.iter().skip(begin);
    let within = within.take_while(|silence| silence.start < latest);
    let longest = within.max_by_key(|silence| {
        silence.end.min(latest).as_micros() - silence.start.max(earliest).as_micros()
    })?;
    let half = Timestamp::from_micros(longest.duration().as_micros() / 2);
    let end = (longest.start + margin.min(half)).min(latest);
    let next = (longest.end - margin.min(half)).max(end);
    (end > span.start && next < span.end).then_some((end, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Span {
        let ms = |time: i64| Timestamp::from_micros(time * 1000);
        Span {
            start: ms(start),
            end: ms(end),
        }
    }

    fn told(duration: i64, silences: &[(i64, i64)], options: &SpeechOptions) -> Vec<(i64, i64)> {
        let silences: Vec<_> = silences.iter().map(|&(from, to)| span(from, to)).collect();
        let duration = Timestamp::from_micros(duration * 1000);
        let spans = speech_spans(duration, &silences, options).expect("spans");
        let ms = |time: Timestamp| time.as_micros() / 1000;
        spans
            .iter()
            .map(|span| (ms(span.start), ms(span.end)))
            .collect()
    }

    fn up_to(seconds: i64) -> SpeechOptions {
        SpeechOptions {
            longest: Timestamp::from_micros(seconds * 1_000_000),
            ..SpeechOptions::default()
        }
    }

    #[test]
    fn silence_is_left_out_but_for_a_margin() {
        let options = SpeechOptions::default();
        let all = [(0, 3_000), (10_000, 14_000), (50_000, 60_000)];
        let spans = told(60_000, &all, &options);
        assert_eq!(spans, [(2_800, 10_200), (13_800, 50_200)]);
        assert_eq!(told(5_000, &[], &options), [(0, 5_000)]);
        assert_eq!(told(5_000, &[(0, 5_000)], &options), []);
        assert_eq!(told(0, &[], &options), []);
    }

    #[test]
    fn short_pauses_stay() {
        let options = SpeechOptions::default();
        assert_eq!(told(9_000, &[(4_000, 6_000)], &options), [(0, 9_000)]);
        let spans = told(9_000, &[(4_000, 6_001)], &options);
        assert_eq!(spans, [(0, 4_200), (5_801, 9_000)]);
    }

    #[test]
    fn long_spans_end_at_the_longest_silence_of_their_last_quarter() {
        let silences = [
            (5_000, 6_900),
            (8_000, 8_600),
            (9_000, 9_900),
            (13_000, 13_700),
        ];
        let spans = told(18_000, &silences, &up_to(10));
        assert_eq!(spans, [(0, 9_200), (9_700, 18_000)]);
        // One that is longer than is left before the limit.
        let spans = told(18_000, &[(9_500, 11_000)], &up_to(10));
        assert_eq!(spans, [(0, 9_700), (10_800, 18_000)]);
        let spans = told(18_000, &[(9_900, 11_000)], &up_to(10));
        assert_eq!(spans, [(0, 10_000), (10_800, 18_000)]);
    }

    #[test]
    fn without_silence_pieces_are_equally_long() {
        assert_eq!(told(12_000, &[], &up_to(10)), [(0, 6_000), (6_000, 12_000)]);
        let spans = told(25_000, &[(1_000, 1_700)], &up_to(10));
        assert_eq!(spans.len(), 3);
    }

    #[test]
    fn a_limit_of_bytes_is_one_of_time() {
        let options = SpeechOptions {
            // Ten seconds of it.
            most_bytes: Some(44 + 320_000),
            ..SpeechOptions::default()
        };
        let spans = told(20_000, &[], &options);
        assert_eq!(spans.len(), 3, "{spans:?}");
    }

    #[test]
    fn what_is_too_short_is_left_out() {
        let spans = told(10_050, &[(5_000, 10_000)], &up_to(10));
        assert_eq!(spans, [(0, 5_200), (9_800, 10_050)]);
        assert_eq!(told(50, &[], &up_to(10)), []);
    }

    #[test]
    fn limits_that_leave_nothing_are_refused() {
        let refused = |options: SpeechOptions| {
            let found = speech_spans(Timestamp::MAX, &[], &options);
            assert!(matches!(found, Err(Error::Unsupported { .. })), "{found:?}");
        };
        refused(up_to(0));
        let bytes = |most_bytes| SpeechOptions {
            most_bytes,
            ..SpeechOptions::default()
        };
        refused(bytes(Some(0)));
        refused(bytes(Some(1000)));
        refused(SpeechOptions {
            margin: Timestamp::from_micros(3_000_000),
            ..up_to(10)
        });
    }

    /// Numbers that look random, the same ones each time.
    struct Random(u64);

    impl Random {
        fn below(&mut self, most: i64) -> i64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33).cast_signed() % most.max(1)
        }
    }

    #[test]
    fn for_all_silences_the_rules_hold() {
        let mut random = Random(1);
        for _ in 0..3000 {
            let (most_sound, most_silence) = (1 + random.below(9_000), 1 + random.below(6_000));
            let options = SpeechOptions {
                margin: Timestamp::from_micros(random.below(300) * 1000),
                pause: Timestamp::from_micros(random.below(3_000) * 1000),
                longest: Timestamp::from_micros((1_200 + random.below(20_000)) * 1000),
                most_bytes: Some(44 + 40_000 + random.below(800_000).unsigned_abs()),
                least: Timestamp::ZERO,
            };
            let limit = options.limit().expect("a limit");
            let mut at = random.below(2) * random.below(3_000);
            let mut silences = Vec::new();
            for _ in 0..random.below(20) {
                let end = at + 500 + random.below(most_silence);
                silences.push(span(at, end));
                at = end + 10 + random.below(most_sound);
            }
            let duration = Timestamp::from_micros(at * 1000);
            let spans = speech_spans(duration, &silences, &options).expect("spans");
            let mut before = Timestamp::ZERO;
            for span in &spans {
                assert!(span.start >= before && span.end > span.start, "{spans:?}");
                assert!(span.duration() <= limit, "{limit} {spans:?}");
                before = span.end;
            }
            assert!(before <= duration);
            // All that can be heard is in one of them, and no long silence is.
            let covered = |of: Span| -> i64 {
                let common = spans.iter().map(|span| {
                    let (start, end) = (span.start.max(of.start), span.end.min(of.end));
                    (end - start).as_micros().max(0)
                });
                common.sum()
            };
            for part in sounding(duration, &silences) {
                let length = part.duration().as_micros();
                assert_eq!(covered(part), length, "{part:?} {silences:?} {spans:?}");
            }
            for silence in silences {
                if silence.duration() > options.pause.max(options.margin + options.margin) {
                    let most = 2 * options.margin.as_micros();
                    assert!(covered(silence) <= most, "{silence:?} {spans:?}");
                }
            }
        }
    }
}
