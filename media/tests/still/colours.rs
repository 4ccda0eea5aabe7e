//! Colours: matrices, ranges, depths, light beyond the standard, transparency.

use flatbed_media::still::{Format, Style};

use super::seen::{seen, seen_by};
use super::studio::{picture, pictures};
use crate::fixture::Source;

fn style(format: Format) -> Style {
    Style {
        format,
        quality: 95,
        ..Style::default()
    }
}

const ALL: [Format; 3] = [Format::Jpeg, Format::Png, Format::WebP];

#[test]
fn colours_are_those_that_the_recording_tells() {
    // By another matrix red and green would be some twenty steps off.
    let boxes = "drawbox=y=120:w=160:h=120:c=red:t=fill,drawbox=160:120:160:120:c=lime:t=fill";
    let h264 = |more: &str| {
        Source::new()
            .params(&format!("keyint=25:{more}"))
            .arg("-vf")
            .arg(boxes)
    };
    let bt709 = "colorprim=bt709:transfer=bt709:colormatrix=bt709";
    for source in [
        h264("colormatrix=smpte170m"),
        h264(bt709),
        h264(bt709).full_range(),
        h264(bt709).pixels("yuv422p"),
        h264(bt709).pixels("yuv444p"),
        h264(bt709).pixels("yuv420p10le"),
        h264(bt709).pixels("yuv422p10le"),
        Source::new()
            .codec("prores_ks")
            .pixels("yuv422p10le")
            .container("mov"),
    ] {
        let fixture = source.build();
        let reference = seen_by(
            &["-ss", "2"],
            &fixture.path,
            &["-sws_flags", "accurate_rnd"],
        );
        for format in ALL {
            let seen = picture(&fixture, 2.0, style(format));
            let off = seen.difference(&reference);
            assert!(off < 3.0, "{source:?}, {format}: {off}");
            for part in [(8, 128, 144, 104), (168, 128, 144, 104), (0, 56, 320, 56)] {
                let (seen, reference) = (seen.part(part), reference.part(part));
                for channel in 0..3 {
                    let off = (seen.mean(channel) - reference.mean(channel)).abs();
                    assert!(off < 4.0, "{source:?}, {format}, {part:?} {channel}: {off}");
                }
            }
        }
    }
}

#[test]
fn high_dynamic_range_is_mapped() {
    for (transfer, name) in [("smpte2084", "smpte2084"), ("arib-std-b67", "arib-std-b67")] {
        let source = Source::new()
            .pixels("yuv420p10le")
            .params(&format!(
                "keyint=25:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
            ))
            .args(&format!(
                "-color_primaries bt2020 -color_trc {name} -colorspace bt2020nc"
            ));
        let fixture = source.build();
        let chain = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,\
                     tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=full,format=gbrp";
        let mapped = seen_by(&["-ss", "2"], &fixture.path, &["-vf", chain]);
        let plain = seen_by(&["-ss", "2"], &fixture.path, &[]);
        for format in ALL {
            let seen = picture(&fixture, 2.0, style(format));
            let off = seen.difference(&mapped);
            assert!(off < 4.0, "{transfer}, {format}: {off}");
            assert!(
                seen.difference(&plain) > 2.0 * off,
                "{transfer}: it is mapped"
            );
        }
        // Odd and small as well.
        let small = Style {
            size: "161x".parse().ok(),
            ..style(Format::Jpeg)
        };
        assert_eq!(picture(&fixture, 2.0, small).size(), (161, 121));
    }
}

#[test]
fn what_is_transparent_stays_so_or_becomes_black() {
    let fixture = Source::new()
        .frames(10)
        .codec("png")
        .pixels("rgba")
        .container("mov")
        .arg("-vf")
        .arg("format=rgba,colorchannelmixer=aa=0.5")
        .build();
    let opaque = Source::new()
        .frames(10)
        .codec("png")
        .pixels("rgb24")
        .container("mov")
        .build();
    let opaque = picture(&opaque, 0.2, style(Format::Png));
    for format in ALL {
        let seen = picture(&fixture, 0.2, style(format));
        let alpha = if format == Format::Jpeg { 255.0 } else { 128.0 };
        assert!(
            (seen.mean(3) - alpha).abs() < 1.5,
            "{format}: {}",
            seen.mean(3)
        );
        let light = if format == Format::Jpeg { 0.5 } else { 1.0 };
        let off = (seen.mean(1) - opaque.mean(1) * light).abs();
        assert!(off < 2.0, "{format}: {off}");
    }
}

#[test]
fn quality_is_paid_for() {
    let fixture = Source::new().build();
    let best = picture(&fixture, 2.0, style(Format::Png));
    for format in [Format::Jpeg, Format::WebP] {
        let mut bytes = 0;
        let mut off = 1e9;
        for quality in [1, 20, 50, 80, 100] {
            let style = Style {
                quality,
                ..style(format)
            };
            let taken = pictures(&fixture, &[2.0], style);
            let told = &taken.report.pictures[0];
            let difference = seen(told.name.as_ref()).difference(&best);
            assert!(
                told.bytes > bytes,
                "{format}, {quality}: {} bytes",
                told.bytes
            );
            assert!(difference < off, "{format}, {quality}: {difference}");
            (bytes, off) = (told.bytes, difference);
        }
        assert!(off < 2.0, "{format}: {off} at best");
    }
}
