//! Recordings that lack their head or their tail.

use super::original::Original;
use crate::fixture::Source;

fn source() -> Source {
    Source::new().audio("aac")
}

#[test]
fn a_segment_that_starts_without_a_keyframe() {
    for container in ["ts", "mkv"] {
        // Frames 0 to 9 are missing, so that those up to 24 cannot be decoded.
        let original = Original::despite(&source().container(container).drop_packets(10), &[""]);
        let original = original.starting_at(25);
        let clip = original.cut(25..100, "mp4");
        clip.check_frames();
        clip.check_times();
        assert_eq!(clip.report.frames_encoded, 0);
        let clip = original.cut(31..60, "mp4");
        clip.check_frames();
        clip.check_times();
        clip.check_copied_and_encoded();
    }
}

#[test]
fn a_truncated_tail() {
    for container in ["ts", "mkv", "mpg"] {
        let params = "keyint=25:min-keyint=25:scenecut=0:bframes=0";
        let source = source()
            .audio("mp2")
            .params(params)
            .container(container)
            .keep(0.7);
        let original = Original::despite(&source, &[""]);
        let readable = original
            .frames
            .iter()
            .filter(|frame| frame.number < 1000)
            .count() as u32;
        assert!(
            (50..99).contains(&readable),
            "{container}: {readable} frames"
        );
        let clip = original.cut(31..55, "mp4");
        clip.check_frames();
        // Up to where the file breaks off: what can be shown is there, and in order.
        let shown = original.cut_between(1.24, 100.0, "mp4");
        let whole: Vec<u32> = (31..31 + shown.len() as u32).collect();
        assert!(
            shown == whole && shown.len() as u32 >= readable - 31 - 2,
            "{container}: {shown:?}"
        );
    }
}

#[test]
fn a_truncated_mp4_is_refused() {
    // Its index stood at the end.
    let fixture = source().keep(0.7).build();
    let error = super::original::failed(&fixture.path, 0.0, 1.0);
    assert!(error.to_string().contains("cut off"), "{error}");
}

#[test]
fn a_start_behind_the_end_of_the_recording_is_refused() {
    for container in ["mp4", "mkv", "ts"] {
        let fixture = source().container(container).build();
        let error = super::original::failed(&fixture.path, 4.5, 10.0).to_string();
        assert!(
            error.contains("the recording ends before"),
            "{container}: {error}"
        );
    }
}
