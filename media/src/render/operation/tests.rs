//! What JSON says is what is read, and what it does not know is refused by name.

use super::*;
use crate::Timestamp;

fn refused(json: &str) -> String {
    Operation::list(json).expect_err(json).to_string()
}

#[test]
fn the_requirements_example_is_read() {
    let list = Operation::list(
        r#"[{"type":"transcode","options":{"codec":"h264","bitrate":"1000k","resolution":"1920x1080"}},
            {"type":"thumbnail","options":{"timestamps":["50%", 2.5, "00:00:10"],"size":"320x240"}}]"#,
    )
    .expect("a list");
    let [
        Operation::Transcode(transcode),
        Operation::Thumbnail(thumbnail),
    ] = &list[..]
    else {
        panic!("{list:?}");
    };
    assert_eq!(transcode.codec, Some(VideoCodec::H264));
    assert_eq!(transcode.bitrate.map(BitRate::bits), Some(1_000_000));
    assert_eq!(thumbnail.timestamps[0], Moment::Percent(50.0));
    assert_eq!(
        thumbnail.timestamps[2],
        Moment::Time(Timestamp::from_micros(10_000_000))
    );
    let again = serde_json::to_string(&list).expect("JSON");
    assert_eq!(Operation::list(&again).expect("a list"), list);
}

#[test]
fn every_operation_survives_a_round_trip() {
    let json = r#"[
        {"type":"convert","options":{"format":"webm","videoCodec":"vp9","audioCodec":"opus"}},
        {"type":"compress","options":{"targetBytes":100000,"preset":"slow"}},
        {"type":"watermark","options":{"image":"logo.png","position":{"x":3,"y":-4},"opacity":0.5,
            "scale":0.2,"margin":0,"start":"10%","end":90}},
        {"type":"watermark","options":{"image":"logo.png","position":"top-right"}},
        {"type":"trim","options":{"start":1.5,"duration":"250ms","mode":"copy"}},
        {"type":"transcode","options":{"fps":29.97,"pixelFormat":"yuv422p","twoPass":true,
            "bitrate":2500000,"audioCodec":"none","fit":"pad","resolution":"64x64"}},
        {"type":"thumbnail"}]"#;
    let list = Operation::list(json).expect("a list");
    let again = serde_json::to_string(&list).expect("JSON");
    assert_eq!(Operation::list(&again).expect("a list"), list);
    assert!(again.contains("30000/1001"), "{again}");
}

#[test]
fn unknown_fields_and_types_are_named() {
    assert!(refused(r#"[{"type":"trim","options":{"begin":1}}]"#).contains("`begin`"));
    assert!(refused(r#"[{"type":"blur"}]"#).contains("`blur`"));
    assert!(refused(r#"[{"type":"trim","option":{}}]"#).contains("`option`"));
    assert!(refused(r#"[{"options":{}}]"#).contains("type"));
    assert!(refused(r#"{"type":"trim"}"#).contains("array"));
    let second = r#"[{"type":"thumbnail"},{"type":"transcode","options":{"codec":"divx"}}]"#;
    let message = refused(second);
    assert!(
        message.contains("operation 2: transcode") && message.contains("divx"),
        "{message}"
    );
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (options, word) in [
        (r#""trim","options":{}"#, "start"),
        (r#""trim","options":{"end":2,"duration":1}"#, "not both"),
        (r#""trim","options":{"start":2,"end":1}"#, "behind"),
        (
            r#""compress","options":{"crf":20,"quality":"low"}"#,
            "not both",
        ),
        (r#""compress","options":{"targetSsim":2}"#, "targetSsim"),
        (r#""transcode","options":{"twoPass":true}"#, "bitrate"),
        (r#""transcode","options":{"codec":"copy","crf":20}"#, "copy"),
        (r#""transcode","options":{"bitrate":"fast"}"#, "bit rate"),
        (r#""transcode","options":{"bitrate":"-1k"}"#, "bit rate"),
        (r#""transcode","options":{"resolution":"x"}"#, "1920x1080"),
        (r#""transcode","options":{"resolution":"99999x1"}"#, "16384"),
        (r#""transcode","options":{"pixelFormat":"rgb"}"#, "rgb"),
        (r#""transcode","options":{"fps":0}"#, "frame rate"),
        (r#""watermark","options":{}"#, "image"),
        (
            r#""watermark","options":{"image":"a.png","opacity":3}"#,
            "opacity",
        ),
        (
            r#""watermark","options":{"image":"a.png","position":"nowhere"}"#,
            "top-left",
        ),
        (r#""thumbnail","options":{"count":0}"#, "count"),
        (r#""thumbnail","options":{"timestamps":["101%"]}"#, "101%"),
        (r#""thumbnail","options":{"quality":0}"#, "quality"),
        (r#""convert","options":{"format":"wmv"}"#, "wmv"),
    ] {
        let message = refused(&format!(r#"[{{"type":{options}}}]"#));
        assert!(message.contains(word), "{options}: {message}");
    }
}

#[test]
fn bit_rates_are_read_in_every_form() {
    for (text, bits) in [
        ("1000k", 1_000_000),
        ("2.5M", 2_500_000),
        ("800000", 800_000),
    ] {
        assert_eq!(text.parse::<BitRate>().map(BitRate::bits), Ok(bits));
    }
    assert_eq!("fast".parse(), Ok(Preset::Fast));
    assert_eq!("contain".parse(), Ok(Fit::Contain));
}

#[test]
fn sizes_keep_the_pictures_shape() {
    let sizes = |text: &str, picture, fit| {
        let resolution: Resolution = text.parse().expect("a size");
        let (scaled, whole) = resolution.sizes(picture, fit);
        ((scaled.width, scaled.height), (whole.width, whole.height))
    };
    assert_eq!(sizes("x720", (1920, 1080), Fit::Contain).0, (1280, 720));
    assert_eq!(sizes("640x", (1920, 1080), Fit::Contain).0, (640, 360));
    assert_eq!(sizes("640x640", (1920, 1080), Fit::Contain).0, (640, 360));
    assert_eq!(sizes("640x640", (1920, 1080), Fit::Stretch).0, (640, 640));
    let (scaled, whole) = sizes("640x640", (1920, 1080), Fit::Cover);
    assert_eq!((scaled, whole), ((1138, 640), (640, 640)));
    let (scaled, whole) = sizes("640x640", (1920, 1080), Fit::Pad);
    assert_eq!((scaled, whole), ((640, 360), (640, 640)));
}
