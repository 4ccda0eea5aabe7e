//! What a video can be: odd and tiny sizes, pixel formats, rotation, fields, light, and what
//! lies beside the pictures.

use std::path::Path;

use super::workshop::{codecs, fact, lumas, make, refused, run, size};
use crate::fixture::Source;

const FAST: &str =
    r#"[{"type":"transcode","options":{"codec":"h264","preset":"ultrafast","crf":10}}]"#;

/// The mean of a frame's quarter: left or right, upper or lower.
fn quarter(path: &Path, right: bool, lower: bool) -> f64 {
    let frame = &lumas(path)[0];
    let (width, height) = (frame.width / 2, frame.height / 2);
    let (left, top) = (usize::from(right) * width, usize::from(lower) * height);
    let rows = (top..top + height).flat_map(|y| {
        let start = y * frame.width + left;
        &frame.pixels[start..start + width]
    });
    rows.map(|&pixel| f64::from(pixel)).sum::<f64>() / (width * height) as f64
}

#[test]
fn odd_and_tiny_sizes_become_even() {
    let folder = tempfile::tempdir().expect("a folder");
    for (given, expected) in [
        ("161x121", (160, 120)),
        ("64x49", (64, 48)),
        ("17x9", (16, 8)),
        ("2x2", (2, 2)),
    ] {
        let arguments =
            format!("-f lavfi -i testsrc2=s={given}:r=5:d=1 -c:v ffv1 -pix_fmt yuv444p");
        let source = make(folder.path(), "odd.mkv", &arguments);
        assert_eq!(size(&run(&source, FAST).video()), expected, "{given}");
    }
}

#[test]
fn every_sampling_becomes_what_players_show() {
    let folder = tempfile::tempdir().expect("a folder");
    for (format, encoder) in [
        ("yuv422p", "ffv1"),
        ("yuv444p", "ffv1"),
        ("yuv410p", "ffv1"),
        ("yuv420p10le", "ffv1"),
        ("yuva444p", "ffv1"),
        ("rgb24", "png"),
        ("rgba", "png"),
        ("gray", "ffv1"),
        ("pal8", "png"),
        ("yuvj422p", "mjpeg"),
    ] {
        let arguments =
            format!("-f lavfi -i testsrc2=s=64x48:r=5:d=1 -c:v {encoder} -pix_fmt {format}");
        let source = make(folder.path(), "sampled.mkv", &arguments);
        let done = run(&source, FAST);
        let made = fact(&done.video(), "v", "pix_fmt");
        assert!(made == "yuv420p" || made == "yuvj420p", "{format}: {made}");
        assert_eq!(lumas(&done.video()).len(), 5, "{format}");
    }
}

#[test]
fn ten_bits_stay_where_the_codec_has_them() {
    let source = Source::new()
        .size(160, 120)
        .frames(10)
        .pixels("yuv420p10le")
        .build();
    let json = r#"[{"type":"transcode","options":{"codec":"hevc","preset":"ultrafast"}}]"#;
    assert_eq!(
        fact(&run(&source.path, json).video(), "v", "pix_fmt"),
        "yuv420p10le"
    );
    assert_eq!(
        fact(&run(&source.path, FAST).video(), "v", "pix_fmt"),
        "yuv420p"
    );
}

#[test]
fn a_turned_video_is_turned() {
    let folder = tempfile::tempdir().expect("a folder");
    // White in the left upper quarter.
    let plain = make(
        folder.path(),
        "plain.mp4",
        "-f lavfi -i color=black:s=64x48:r=5:d=1,drawbox=0:0:32:24:white:fill -c:v libx264 -crf 5",
    );
    // ffmpeg's metadata counts the other way round.
    for (degrees, expected, right, lower) in [
        ("90", (48, 64), false, true),
        ("180", (64, 48), true, true),
        ("270", (48, 64), true, false),
    ] {
        let arguments = format!(
            "-i {} -c copy -metadata:s:v:0 rotate={degrees}",
            plain.display()
        );
        let turned = make(folder.path(), "turned.mp4", &arguments);
        let done = run(&turned, FAST);
        assert_eq!(size(&done.video()), expected, "{degrees}");
        let light = quarter(&done.video(), right, lower);
        assert!(light > 200.0, "{degrees}: {light}");
    }
}

#[test]
fn wide_samples_become_square_where_the_size_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = make(
        folder.path(),
        "wide.mp4",
        "-f lavfi -i testsrc2=s=72x58:r=5:d=1,setsar=64/45 -c:v libx264",
    );
    let done = run(&source, FAST);
    assert_eq!(size(&done.video()), (72, 58));
    assert_eq!(fact(&done.video(), "v", "sample_aspect_ratio"), "64:45");
    let json = r#"[{"type":"transcode","options":{"resolution":"x58"}}]"#;
    let done = run(&source, json);
    assert_eq!(size(&done.video()), (102, 58));
    assert_eq!(fact(&done.video(), "v", "sample_aspect_ratio"), "1:1");
}

#[test]
fn fields_become_pictures() {
    let source = Source::new()
        .interlaced()
        .params("tff=1")
        .frames(25)
        .build();
    let done = run(&source.path, FAST);
    assert_eq!(fact(&done.video(), "v", "field_order"), "progressive");
    assert_eq!(done.report.frames, 25);
}

#[test]
fn high_dynamic_range_is_tone_mapped_for_8_bits_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = make(
        folder.path(),
        "hdr.mp4",
        "-f lavfi -i testsrc2=s=128x96:r=5:d=1 -pix_fmt yuv420p10le -c:v libx265 -x265-params \
         log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc -color_primaries \
         bt2020 -color_trc smpte2084 -colorspace bt2020nc",
    );
    let done = run(&source, FAST);
    assert_eq!(fact(&done.video(), "v", "color_transfer"), "bt709");
    assert_eq!(fact(&done.video(), "v", "color_space"), "bt709");
    assert!(
        done.report
            .notes
            .iter()
            .any(|note| note.contains("tone mapped"))
    );
    let json = r#"[{"type":"transcode","options":{"codec":"hevc","preset":"ultrafast"}}]"#;
    let done = run(&source, json);
    assert_eq!(fact(&done.video(), "v", "color_transfer"), "smpte2084");
    assert_eq!(fact(&done.video(), "v", "pix_fmt"), "yuv420p10le");
}

#[test]
fn colour_tags_stay() {
    let source = Source::new()
        .params("colorprim=bt709:transfer=bt709:colormatrix=bt709")
        .frames(5)
        .build();
    let done = run(&source.path, FAST);
    for tag in ["color_space", "color_transfer", "color_primaries"] {
        assert_eq!(fact(&done.video(), "v", tag), "bt709", "{tag}");
    }
}

#[test]
fn no_sound_and_sound_alone() {
    let silent = Source::new().frames(10).build();
    assert_eq!(codecs(&run(&silent.path, FAST).video()), ["h264"]);

    let folder = tempfile::tempdir().expect("a folder");
    let sound = make(folder.path(), "tone.wav", "-f lavfi -i sine=d=2:r=44100");
    let json = r#"[{"type":"trim","options":{"start":0.5,"end":1.5}},
                   {"type":"transcode","options":{"audioCodec":"mp3","audioBitrate":"96k"}}]"#;
    let done = run(&sound, json);
    assert_eq!(codecs(&done.video()), ["mp3"]);
    let seconds: f64 = fact(&done.video(), "a", "duration")
        .parse()
        .expect("seconds");
    assert!((seconds - 1.0).abs() < 0.06, "{seconds}");
    // PCM does not go into MP4.
    let done = run(&sound, r#"[{"type":"convert","options":{"format":"mp4"}}]"#);
    assert_eq!(codecs(&done.video()), ["aac"]);
    for json in [
        r#"[{"type":"thumbnail","options":{}}]"#,
        r#"[{"type":"watermark","options":{"image":"x.png"}}]"#,
        r#"[{"type":"compress","options":{}}]"#,
    ] {
        assert!(refused(&sound, json).to_string().contains("no pictures"));
    }
}

#[test]
fn six_channels_become_as_many_as_the_codec_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = make(
        folder.path(),
        "six.mkv",
        "-f lavfi -i testsrc2=s=64x48:r=5:d=1 -f lavfi -i anoisesrc=d=1,aformat=channel_layouts=5.1 \
         -c:v libx264 -c:a pcm_s16le",
    );
    for (codec, channels) in [
        ("aac", "6"),
        ("ac3", "6"),
        ("mp3", "2"),
        ("opus", "6"),
        ("flac", "6"),
    ] {
        let json = format!(r#"[{{"type":"convert","options":{{"audioCodec":"{codec}"}}}}]"#);
        let done = run(&source, &json);
        assert_eq!(fact(&done.video(), "a", "channels"), channels, "{codec}");
    }
}

#[test]
fn what_lies_beside_pictures_and_sound_is_left_out_with_a_note() {
    let folder = tempfile::tempdir().expect("a folder");
    let cover = make(
        folder.path(),
        "cover.png",
        "-f lavfi -i color=red:s=32x32 -frames:v 1",
    );
    let video = make(
        folder.path(),
        "video.mp4",
        "-f lavfi -i testsrc2=s=64x48:r=5:d=1 -f lavfi -i sine=d=1 -c:v libx264",
    );
    let text = folder.path().join("note.txt");
    std::fs::write(&text, "attached").expect("written");
    let covered = make(
        folder.path(),
        "covered.mp4",
        &format!(
            "-i {} -i {} -map 1 -map 0 -c copy -disposition:v:0 attached_pic",
            video.display(),
            cover.display()
        ),
    );
    let attached = make(
        folder.path(),
        "attached.mkv",
        &format!(
            "-i {} -c copy -attach {} -metadata:s:t mimetype=text/plain",
            video.display(),
            text.display()
        ),
    );
    for source in [covered, attached] {
        let done = run(&source, FAST);
        assert_eq!(
            codecs(&done.video()),
            ["h264", "aac"],
            "{}",
            source.display()
        );
        assert_eq!(size(&done.video()), (64, 48));
        assert!(
            done.report
                .notes
                .iter()
                .any(|note| note.contains("left out")),
            "{:?}",
            done.report
        );
    }
}
