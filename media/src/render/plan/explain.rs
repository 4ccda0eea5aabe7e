//! The plan in words.

use std::fmt;

use super::super::coding::{Coding, Spend};
use super::super::operation::Quality;
use super::{Plan, Stage, Way, Work};
use crate::av::canvas::Canvas;
use crate::av::scale::format_name;
use crate::cut::SoundWish;
use crate::time::Timestamp;

/// What is done, in order. `canvas` is what the source's pictures are, `why` the
/// reason for encoding them.
pub(super) fn stages(work: &Work, canvas: Option<Canvas>, why: Option<String>) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut stage =
        |step, what: String, why: Option<String>| stages.push(Stage { step, what, why });
    if work.writes {
        let part = part(work);
        match &work.pictures {
            Way::None => {}
            Way::Copied => stage(
                "copy",
                format!("pictures{part}"),
                Some(copied(work).to_owned()),
            ),
            Way::Encoded(coding) => {
                stage("decode", format!("pictures{part}, once"), why);
                let mut canvas = canvas;
                for step in &work.steps {
                    let Some(canvas) = &mut canvas else {
                        continue;
                    };
                    let before = *canvas;
                    let filters = step.filters(canvas);
                    let does = filters.is_some() || matches!(step, super::Step::Mark(_));
                    let renames = before.format != canvas.format;
                    if does && let Some(what) = step.describe(canvas) {
                        stage("filter", what, None);
                    } else if does && renames {
                        stage(
                            "filter",
                            format!("pixel format {}", format_name(canvas.format)),
                            None,
                        );
                    }
                }
                for line in encoding(coding) {
                    stage("encode", line, None);
                }
            }
        }
        match work.sound {
            SoundWish::None => {}
            SoundWish::AsItIs => stage(
                "copy",
                "sound".to_owned(),
                Some(format!(
                    "encoded only where {} does not carry it",
                    work.container
                )),
            ),
            SoundWish::Encoded(coding) => {
                stage(
                    "encode",
                    format!("sound as {}", coding.name()),
                    Some("asked for".to_owned()),
                );
            }
        }
    }
    let shared = matches!(work.pictures, Way::Encoded(_)) && work.writes;
    for shot in &work.shots {
        let count = shot.wanted.len();
        let pictures = if count == 1 {
            "thumbnail"
        } else {
            "thumbnails"
        };
        let (step, why) = if shared {
            ("picture", "from the same decode")
        } else {
            ("decode", "only from the keyframe before each")
        };
        let format = shot.options.format.extension();
        stage(
            step,
            format!("{count} {pictures} ({format})"),
            Some(why.to_owned()),
        );
    }
    if work.writes {
        stage("write", format!("{}", work.container), None);
    }
    stages
}

fn part(work: &Work) -> String {
    match (work.from, work.to) {
        (Timestamp::ZERO, Timestamp::MAX) => String::new(),
        (from, Timestamp::MAX) => format!(" from {from} on"),
        (from, to) => format!(" from {from} up to {to}"),
    }
}

fn copied(work: &Work) -> &'static str {
    let whole = work.from == Timestamp::ZERO && work.to == Timestamp::MAX;
    match (whole, work.exact) {
        (true, _) => "no operation changes them, and the container carries them",
        (false, false) => "the cut is at a keyframe",
        (false, true) => "only the frames beside the cut are encoded",
    }
}

fn encoding(coding: &Coding) -> Vec<String> {
    let encoder = coding.encoder();
    let preset = coding
        .preset
        .map_or_else(String::new, |preset| format!(" {}", preset.name()));
    let rate = match coding.spend {
        Spend::Usual => "at its usual quality".to_owned(),
        Spend::Quality(quality) => format!("at quality {quality}"),
        Spend::Word(Quality::Low) => "at low quality".to_owned(),
        Spend::Word(Quality::Medium) => "at medium quality".to_owned(),
        Spend::Word(Quality::High) => "at high quality".to_owned(),
        Spend::Average(bits) => format!("at {bits} bits a second"),
        Spend::Bytes(bytes) => format!("into {bytes} bytes"),
        Spend::Ssim(ssim) => format!("at an SSIM of {ssim}, by trial on samples"),
    };
    let passes =
        coding.two_pass || matches!(coding.spend, Spend::Bytes(_)) && coding.knows_passes();
    let last = format!("{encoder}{preset} {rate}");
    if passes {
        vec![format!("{encoder}{preset}, first pass"), last]
    } else {
        vec![last]
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.input)?;
        for stage in &self.stages {
            write!(f, "  {:<8} {}", stage.step, stage.what)?;
            match &stage.why {
                Some(why) => writeln!(f, "  ({why})")?,
                None => writeln!(f)?,
            }
        }
        for note in &self.notes {
            writeln!(f, "  note     {note}")?;
        }
        Ok(())
    }
}
