//! What a cut or a join did, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use flatbed_media::Timestamp;
use flatbed_media::cut::Report;
use indicatif::HumanBytes;
use serde::Serialize;

use super::failure::one_line;

/// As many notes as people read; each of many recordings may be worth one.
const NOTES: usize = 20;

/// The JSON object of `cut` and `concat`; times are in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    output: &'a str,
    start: f64,
    end: f64,
    frames: u64,
    frames_copied: u64,
    frames_encoded: u64,
    duration: f64,
    bytes: u64,
    elapsed_ms: u64,
    notes: &'a [String],
    #[serde(skip)]
    span: [Timestamp; 3],
}

impl<'a> Summary<'a> {
    pub(super) fn new(output: &'a str, report: &'a Report, elapsed: Duration) -> Self {
        let span = [report.start, report.end, report.duration];
        let [start, end, duration] = span.map(Timestamp::as_secs_f64);
        Self {
            output,
            start,
            end,
            frames: report.frames,
            frames_copied: report.frames_copied,
            frames_encoded: report.frames_encoded,
            duration,
            bytes: report.bytes,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            notes: &report.notes,
            span,
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let [start, end, duration] = self.span;
        let mut text = one_line(self.output);
        let encoded = match self.frames_encoded {
            0 => "all copied".to_owned(),
            all if all == self.frames => "all encoded".to_owned(),
            some => format!("{} copied, {some} encoded", self.frames_copied),
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            ": {start} to {end}, {duration}, {} {} ({encoded}), {} in {}",
            self.frames,
            if self.frames == 1 { "frame" } else { "frames" },
            HumanBytes(self.bytes),
            seconds(self.elapsed_ms),
        );
        for note in self.notes.iter().take(NOTES) {
            let _ = writeln!(text, "note: {}", one_line(note));
        }
        if let more @ 1.. = self.notes.len().saturating_sub(NOTES) {
            let _ = writeln!(text, "note: and {more} more, which --json tells");
        }
        text
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.start = Timestamp::from_micros(1_000_000);
        report.end = Timestamp::from_micros(3_000_000);
        report.duration = Timestamp::from_micros(2_000_000);
        report.frames = 50;
        report.frames_copied = 40;
        report.frames_encoded = 10;
        report.bytes = 2048;
        report.notes = vec!["the sound\nwas encoded".to_owned()];
        report
    }

    #[test]
    fn people_read_one_line_and_a_line_for_each_note() {
        let report = report();
        let summary = Summary::new("clip.mp4", &report, Duration::from_millis(1234));
        assert_eq!(
            summary.text(),
            "clip.mp4: 00:00:01.000 to 00:00:03.000, 00:00:02.000, 50 frames (40 copied, \
             10 encoded), 2.00 KiB in 1.23 s\nnote: the sound\\nwas encoded\n"
        );
    }

    #[test]
    fn people_are_spared_the_hundredth_note() {
        let mut report = report();
        report.notes = (0..100).map(|number| number.to_string()).collect();
        let summary = Summary::new("clip.mp4", &report, Duration::ZERO);
        let text = summary.text();
        assert_eq!(text.lines().count(), 1 + 20 + 1);
        assert!(text.ends_with("\nnote: 19\nnote: and 80 more, which --json tells\n"));
    }

    #[test]
    fn programs_read_the_fields_of_the_design() {
        let report = report();
        let summary = Summary::new("clip.mp4", &report, Duration::ZERO);
        assert_eq!(
            serde_json::to_string(&summary).expect("JSON"),
            "{\"output\":\"clip.mp4\",\"start\":1.0,\"end\":3.0,\"frames\":50,\
             \"frames_copied\":40,\"frames_encoded\":10,\"duration\":2.0,\"bytes\":2048,\
             \"elapsed_ms\":0,\"notes\":[\"the sound\\nwas encoded\"]}"
        );
    }
}
