//! From transport stream to transport stream: the parameter sets stay in the packets, and an
//! encoded edge must bring its own.

use flatbed_media::cut::{OnMismatch, Options};

use crate::fixture::Source;
use crate::join::{frames, join};

const GOP: &str = "keyint=25:min-keyint=25:scenecut=0";

#[test]
fn a_tail_brings_its_sets_where_the_clip_starts_on_a_keyframe() {
    let source = Source::new()
        .params(&format!("{GOP}:bframes=3"))
        .container("ts");
    let source = [source.build()];
    for to in 60..64 {
        join(&source, "ts", &frames(25, to)).shows(25..to);
        join(&source, "ts", &frames(0, to)).shows(0..to);
    }
}

#[test]
fn so_does_a_segment_that_is_encoded_to_be_like_the_first() {
    let first = Source::new()
        .params(&format!("{GOP}:bframes=3"))
        .container("ts");
    let second = Source::new().params(&format!("{GOP}:bframes=0")).first(100);
    let both = [first.build(), second.container("ts").build()];
    let options = Options {
        on_mismatch: OnMismatch::Reencode,
        ..Options::default()
    };
    join(&both, "ts", &options).shows(0..200);
}

#[test]
fn lossless_pictures_are_not_mixed_with_others() {
    let source = Source::new()
        .pixels("yuv444p")
        .params(&format!("{GOP}:qp=0"));
    let clip = join(&[source.build()], "mp4", &frames(33, 81));
    clip.shows(33..81);
    let notes = clip.report.notes.join("\n");
    assert!(notes.contains("lossless"), "{notes}");
}
