//! A transcript as subtitles: `WebVTT` (<https://www.w3.org/TR/webvtt1/>) and SRT.

use std::fmt::Write as _;

use flatbed_media::Timestamp;

use super::model::Segment;

/// As `WebVTT`.
pub fn webvtt(segments: &[Segment]) -> String {
    let mut text = String::from("WEBVTT\n");
    for segment in shown(segments) {
        let (start, end) = (clock(segment.start, '.'), clock(segment.end, '.'));
        let words = escaped(&segment.text);
        let _ = write!(text, "\n{start} --> {end}\n{words}\n");
    }
    text
}

/// As SRT, which knows no escapes.
pub fn srt(segments: &[Segment]) -> String {
    let mut text = String::new();
    for (number, segment) in (1..).zip(shown(segments)) {
        let (start, end) = (clock(segment.start, ','), clock(segment.end, ','));
        let separator = if number > 1 { "\n" } else { "" };
        let words = one_block(&segment.text).replace("-->", "->");
        let _ = write!(text, "{separator}{number}\n{start} --> {end}\n{words}\n");
    }
    text
}

/// Those with words and with time to read them: players drop a cue that ends before
/// it begins.
fn shown(segments: &[Segment]) -> impl Iterator<Item = &Segment> {
    segments
        .iter()
        .filter(|segment| segment.end > segment.start && !segment.text.trim().is_empty())
}

/// `HH:MM:SS.mmm`
fn clock(time: Timestamp, point: char) -> String {
    let millis = (time.as_micros().max(0) + 500) / 1000;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{millis:03}")
}

/// Without empty lines, which would end the cue.
fn one_block(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    one_block(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start: i64, end: i64, text: &str) -> Segment {
        Segment {
            start: Timestamp::from_micros(start),
            end: Timestamp::from_micros(end),
            text: text.to_owned(),
        }
    }

    #[test]
    fn cues_have_the_form_of_their_formats() {
        let segments = [
            segment(0, 1_500_000, " Good morning "),
            segment(1_500_000, 1_500_000, "no time"),
            segment(3_599_999_600, 3_601_000_000, "a --> b & <c>\n\nd"),
        ];
        assert_eq!(
            webvtt(&segments),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nGood morning\n\n\
             01:00:00.000 --> 01:00:01.000\na --&gt; b &amp; &lt;c&gt;\nd\n"
        );
        assert_eq!(
            srt(&segments),
            "1\n00:00:00,000 --> 00:00:01,500\nGood morning\n\n\
             2\n01:00:00,000 --> 01:00:01,000\na -> b & <c>\nd\n"
        );
        assert_eq!(webvtt(&[]), "WEBVTT\n");
        assert_eq!(srt(&[]), "");
    }
}
