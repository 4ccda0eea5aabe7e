//! Sizes, rotation, pixels that are not square, fields.

use std::process::Command;

use flatbed_media::still::{Fit, Format, Style};

use super::seen::seen_by;
use super::studio::{check_numbers, picture};
use crate::fixture::Source;
use crate::io::Folder;

fn sized(size: &str, fit: Fit) -> Style {
    Style {
        size: size.parse().ok(),
        fit,
        format: Format::Png,
        ..Style::default()
    }
}

#[test]
fn the_size_is_fitted() {
    let fixture = Source::new().build(); // 320x240
    for (size, fit, expected) in [
        ("", Fit::Contain, (320, 240)),
        ("160x", Fit::Contain, (160, 120)),
        ("x360", Fit::Contain, (480, 360)),
        ("200x200", Fit::Contain, (200, 150)),
        ("200x200", Fit::Cover, (200, 200)),
        ("200x100", Fit::Stretch, (200, 100)),
        ("161x121", Fit::Stretch, (161, 121)),
    ] {
        let seen = picture(&fixture, 2.0, sized(size, fit));
        assert_eq!(seen.size(), expected, "{size} {fit:?}");
        if fit != Fit::Cover {
            assert_eq!(seen.number(), 50, "{size} {fit:?}");
        }
    }
}

#[test]
fn cover_shows_the_middle() {
    let fixture = Source::new().build();
    let seen = picture(&fixture, 2.0, sized("120x240", Fit::Cover));
    let reference = seen_by(&["-ss", "2"], &fixture.path, &["-vf", "crop=120:240"]);
    let off = seen.difference(&reference);
    assert!(off < 2.0, "{off}");
}

#[test]
fn odd_and_tiny_pictures_in_every_format() {
    let fixture = Source::new().build();
    for format in [Format::Jpeg, Format::Png, Format::WebP] {
        for size in ["1x1", "2x3", "17x9", "101x57", "161x121"] {
            let style = Style {
                format,
                ..sized(size, Fit::Stretch)
            };
            let seen = picture(&fixture, 2.0, style);
            assert_eq!(format!("{}x{}", seen.width, seen.height), size);
        }
    }
}

#[test]
fn odd_recordings() {
    check_numbers(&Source::new().size(322, 242), &[0, 50, 99]);
    let hevc = Source::new().codec("libx265").size(322, 242);
    check_numbers(&hevc, &[0, 50, 99]);
    // 4:4:4 of odd sides.
    let odd = Source::new()
        .pixels("yuv444p")
        .args("-vf crop=319:239:0:0:exact=1")
        .build();
    for format in [Format::Jpeg, Format::WebP] {
        let style = Style {
            format,
            ..Style::default()
        };
        let seen = picture(&odd, 2.0, style);
        assert_eq!((seen.size(), seen.number()), ((319, 239), 50));
    }
}

#[test]
fn pictures_are_upright() {
    for degrees in ["90", "180", "270"] {
        let mut turned = Source::new().build();
        let folder = Folder::new();
        let path = folder.file("turned.mp4");
        // This ffmpeg turns what it copies, and nothing that it encodes.
        let rotate = format!("rotate={degrees}");
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(&turned.path)
            .args(["-c", "copy", "-metadata:s:v:0", &rotate])
            .arg(&path)
            .status();
        assert!(status.expect("ffmpeg starts").success());
        turned.path = path;
        let reference = seen_by(&["-ss", "2"], &turned.path, &[]);
        let upright = if degrees == "180" {
            (320, 240)
        } else {
            (240, 320)
        };
        assert_eq!(reference.size(), upright);
        for format in [Format::Jpeg, Format::Png, Format::WebP] {
            let style = Style {
                format,
                quality: 95,
                ..Style::default()
            };
            let off = picture(&turned, 2.0, style).difference(&reference);
            assert!(off < 5.0, "{degrees}, {format}: {off}");
        }
        let style = sized("160x160", Fit::Contain);
        let half = (upright.0 / 2, upright.1 / 2);
        assert_eq!(picture(&turned, 2.0, style).size(), half);
    }
}

#[test]
fn pixels_are_square() {
    for container in ["mp4", "mkv", "ts"] {
        let wide = Source::new()
            .args("-vf setsar=4/3")
            .container(container)
            .build();
        let seen = picture(&wide, 2.0, sized("", Fit::Contain));
        assert_eq!((seen.size(), seen.number()), ((427, 240), 50));
        let seen = picture(&wide, 2.0, sized("x120", Fit::Contain));
        assert_eq!((seen.size(), seen.number()), ((213, 120), 50));
    }
    let high = Source::new().args("-vf setsar=1/2").build();
    let seen = picture(&high, 2.0, sized("", Fit::Contain));
    assert_eq!((seen.size(), seen.number()), ((320, 480), 50));
}

#[test]
fn of_two_fields_the_first_is_shown() {
    for (order, params) in [("top", "tff=1:bframes=2"), ("bottom", "bff=1:bframes=0")] {
        for container in ["mp4", "ts"] {
            // Frame n holds the lines of frames 2n and 2n + 1.
            let source = Source::new()
                .params(&format!("keyint=25:scenecut=0:{params}"))
                .args(&format!(
                    "-vf tinterlace=interleave_{order} -flags:v +ildct+ilme"
                ))
                .container(container);
            let fixture = source.build();
            let seen = picture(&fixture, 1.0, Style::default());
            assert_eq!(
                (seen.size(), seen.number()),
                ((320, 240), 24),
                "{order} {container}"
            );
        }
    }
}
