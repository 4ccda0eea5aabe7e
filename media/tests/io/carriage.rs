//! Codecs that a container does not carry: encoded with a note, or refused by a copy.

use flatbed_media::Error;
use flatbed_media::cut::{Mode, Options};

use crate::fixture::Source;
use crate::join::{cut, frames, join, segments};

#[test]
fn what_mp4_does_not_carry_is_encoded_or_refused() {
    let source = Source::new()
        .codec("ffv1")
        .audio("pcm_s16le")
        .container("mkv")
        .build();
    let source = [source];
    let copy = Options {
        mode: Mode::Copy,
        ..frames(30, 80)
    };
    let refused = cut(segments(&source), "mp4", &copy).map(|made| made.report);
    assert!(
        matches!(refused, Err(Error::Unsupported { .. })),
        "{refused:?}"
    );

    let clip = join(&source, "mp4", &frames(30, 80));
    clip.shows(30..80);
    let notes = clip.report.notes.join("\n");
    assert!(notes.contains("ffv1 does not go into mp4"), "{notes}");
    assert!(notes.contains("pcm_s16le"), "{notes}");
}
