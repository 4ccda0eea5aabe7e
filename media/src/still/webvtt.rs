//! The list of cues that players read (`WebVTT`), with the part of the sheet that
//! each stands for (Media Fragments: `#xywh=`).

use std::fmt::Write as _;

use crate::time::Timestamp;

/// One cue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cue {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// The sheet's file name.
    pub(super) sheet: String,
    /// Left, top, width, height.
    pub(super) part: (usize, usize, usize, usize),
}

/// The file's text.
pub(super) fn text(cues: &[Cue]) -> String {
    let mut text = String::from("WEBVTT\n");
    for cue in cues {
        let (left, top, width, height) = cue.part;
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "\n{} --> {}\n{}#xywh={left},{top},{width},{height}\n",
            milliseconds(cue.start),
            milliseconds(cue.end),
            cue.sheet,
        );
    }
    text
}

/// `WebVTT` knows milliseconds and no more; they are rounded up, so that the last
/// frame is in the last cue.
fn milliseconds(time: Timestamp) -> Timestamp {
    let micros = time.as_micros().max(0);
    Timestamp::from_micros(micros.saturating_add(999) / 1000 * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_name_their_part_of_a_sheet() {
        let cue = Cue {
            start: Timestamp::from_micros(3_600_000_000),
            end: Timestamp::from_micros(3_610_000_001),
            sheet: "sprite-2.jpg".to_owned(),
            part: (160, 90, 160, 90),
        };
        assert_eq!(
            text(&[cue]),
            "WEBVTT\n\n01:00:00.000 --> 01:00:10.001\nsprite-2.jpg#xywh=160,90,160,90\n"
        );
    }
}
