//! `transcode` and `convert`: what is asked for is what comes out.

use super::workshop::{codecs, fact, run, size};
use crate::fixture::Source;

#[test]
fn size_codec_rate_and_sound_are_as_asked() {
    let source = Source::new().frames(50).audio("aac").build();
    let done = run(
        &source.path,
        r#"[{"type":"transcode","options":{"codec":"h264","resolution":"160x","bitrate":"200k",
            "preset":"ultrafast","keyframeInterval":10,"audioCodec":"aac","audioBitrate":"64k",
            "audioChannels":1}}]"#,
    );
    let video = done.video();
    assert_eq!(size(&video), (160, 120));
    assert_eq!(done.numbers(), (0..50).collect::<Vec<_>>());
    assert_eq!(fact(&video, "a", "channels"), "1");
    assert_eq!(done.report.frames_encoded, 50);
    assert_eq!(done.report.passes, 1);
    let keys = crate::observe::packets(&video);
    let keys = keys.iter().filter(|packet| packet.key).count();
    assert!(keys >= 5, "{keys} keyframes");
    let report = serde_json::to_value(&done.report).expect("JSON");
    assert_eq!(report["framesEncoded"], 50);
}

#[test]
fn a_frame_rate_is_constant_and_keeps_the_length() {
    let source = Source::new().frames(50).build();
    let done = run(
        &source.path,
        r#"[{"type":"transcode","options":{"fps":10,"preset":"ultrafast"}}]"#,
    );
    let packets = crate::observe::packets(&done.video());
    crate::observe::check_even(&packets, (10, 1));
    assert_eq!(done.numbers().len(), 20);
    let done = run(
        &source.path,
        r#"[{"type":"transcode","options":{"fps":50}}]"#,
    );
    assert_eq!(done.numbers().len(), 100);
}

#[test]
fn a_variable_frame_rate_stays() {
    let times: Vec<u64> = (0..30).map(|n| n * 40_000 + n % 3 * 7_000).collect();
    let source = Source::new().times(&times).container("mkv").build();
    let done = run(
        &source.path,
        r#"[{"type":"transcode","options":{"crf":20}}]"#,
    );
    let shown = crate::observe::shown(&done.video());
    for (frame, time) in shown.iter().zip(&times) {
        assert!(
            (frame.pts - shown[0].pts - *time as f64 / 1e6).abs() < 0.002,
            "{frame:?}"
        );
    }
    assert_eq!(shown.len(), 30);
}

#[test]
fn pixel_formats_are_as_asked_and_others_refused() {
    let source = Source::new().frames(5).build();
    for format in ["yuv444p", "yuv422p10le"] {
        let json = format!(r#"[{{"type":"transcode","options":{{"pixelFormat":"{format}"}}}}]"#);
        assert_eq!(
            fact(&run(&source.path, &json).video(), "v", "pix_fmt"),
            format
        );
    }
    let json = r#"[{"type":"transcode","options":{"pixelFormat":"gray16le"}}]"#;
    let error = super::workshop::refused(&source.path, json).to_string();
    assert!(
        error.contains("gray16le") && error.contains("yuv420p"),
        "{error}"
    );
}

#[test]
fn a_size_of_another_shape_is_fitted() {
    let source = Source::new().frames(3).build();
    for (fit, expected) in [
        ("contain", (160, 120)),
        ("cover", (160, 160)),
        ("stretch", (160, 160)),
        ("pad", (160, 160)),
    ] {
        let json = format!(
            r#"[{{"type":"transcode","options":{{"resolution":"160x160","fit":"{fit}"}}}}]"#
        );
        assert_eq!(size(&run(&source.path, &json).video()), expected, "{fit}");
    }
}

#[test]
fn a_container_alone_copies_all() {
    let source = Source::new().frames(50).audio("aac").build();
    for container in ["mov", "mkv", "ts"] {
        let json = format!(r#"[{{"type":"convert","options":{{"format":"{container}"}}}}]"#);
        let done = run(&source.path, &json);
        assert_eq!(done.report.frames_copied, 50, "{container}");
        assert_eq!(done.report.frames_encoded, 0, "{container}");
        assert_eq!(codecs(&done.video()), ["h264", "aac"], "{container}");
        assert_eq!(done.numbers(), (0..50).collect::<Vec<_>>(), "{container}");
    }
}

#[test]
fn only_what_a_container_does_not_carry_is_encoded() {
    let source = Source::new().size(160, 120).frames(25).audio("aac").build();
    let done = run(
        &source.path,
        r#"[{"type":"convert","options":{"format":"webm"}}]"#,
    );
    assert_eq!(codecs(&done.video()), ["vp9", "opus"]);
    assert_eq!(done.numbers().len(), 25);
    let done = run(
        &source.path,
        r#"[{"type":"convert","options":{"format":"avi"}}]"#,
    );
    assert_eq!(codecs(&done.video())[1], "mp3");
    assert_eq!(done.numbers().len(), 25);
    let again = run(
        &done.video(),
        r#"[{"type":"convert","options":{"format":"mkv"}}]"#,
    );
    assert_eq!(again.report.frames_encoded, 0);
}

#[test]
fn sound_alone_can_change() {
    let source = Source::new().frames(50).audio("aac").build();
    let json = r#"[{"type":"convert","options":{"audioCodec":"mp3"}}]"#;
    let done = run(&source.path, json);
    assert_eq!(codecs(&done.video()), ["h264", "mp3"]);
    assert_eq!(done.report.frames_encoded, 0);
    let done = run(
        &source.path,
        r#"[{"type":"transcode","options":{"audioCodec":"none"}}]"#,
    );
    assert_eq!(codecs(&done.video()), ["h264"]);
    assert_eq!(done.report.frames_copied, 50);
    let error = super::workshop::refused(
        &source.path,
        r#"[{"type":"convert","options":{"audioCodec":"pcm"}}]"#,
    );
    assert!(error.to_string().contains("mkv"), "{error}");
}

#[test]
fn sound_stays_in_step() {
    let source = Source::new()
        .frames(100)
        .audio("pcm_s16le")
        .container("mkv")
        .build();
    let json = r#"[{"type":"trim","options":{"start":1,"end":3.4}},
                   {"type":"transcode","options":{"preset":"ultrafast","audioCodec":"flac"}}]"#;
    let done = run(&source.path, json);
    let steps = crate::observe::in_step(&source.path, &done.video(), &[30, 50, 70]);
    for step in steps {
        assert!(step.ms.abs() < 3.0, "{step:?}");
    }
}
