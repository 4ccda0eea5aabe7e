//! Faces: any image as a small JPEG, seen by ffmpeg, its markers read here.

use std::fs;
use std::process::Command;

use ::image::ImageFormat;
use flatbed_media::image::{FaceOptions, Format, Pool, PoolSize, Report, face_photo};
use flatbed_media::{Cancel, Context, Error, Input, Limits};
use moxcms::ColorProfile;
use turbojpeg::{PixelFormat, Subsamp};

use super::files::{
    BASELINE, Jpeg, by_ffmpeg, chunk, compressed, encoded, exif, jpeg, with_exif, with_icc,
    with_segment,
};
use super::hostile::memory;
use super::made::off;
use super::scene::Scene;
use crate::io::Folder;
use crate::still::seen::{Seen, all_seen};

fn make(file: &[u8], options: FaceOptions) -> Result<(Vec<u8>, Report), Error> {
    face_photo(Input::bytes("face", file), &options, &Context::new())
}

/// What comes out of each with the options' defaults, as ffmpeg sees it.
#[track_caller]
fn faces(files: &[Vec<u8>]) -> Vec<(Seen, Report)> {
    faces_with(files, FaceOptions::default())
}

#[track_caller]
fn faces_with(files: &[Vec<u8>], options: FaceOptions) -> Vec<(Seen, Report)> {
    let folder = Folder::new();
    let (mut paths, mut reports) = (Vec::new(), Vec::new());
    for (number, file) in files.iter().enumerate() {
        let (made, report) = make(file, options).expect("a face");
        assert_eq!(report.bytes_in, file.len() as u64);
        assert_eq!(report.bytes_out, made.len() as u64);
        is_plain(&made);
        let path = folder.file(&format!("{number}.jpg"));
        fs::write(&path, made).expect("written");
        paths.push(path);
        reports.push(report);
    }
    let seen = all_seen(&paths);
    for (seen, report) in seen.iter().zip(&reports) {
        assert_eq!(seen.size(), (report.width as usize, report.height as usize));
    }
    seen.into_iter().zip(reports).collect()
}

/// ITU-T T.81: one frame, baseline, three components, the second and third of a quarter
/// of the samples; JFIF and no other application's data, no comment, nothing behind it.
#[track_caller]
fn is_plain(jpeg: &[u8]) {
    assert_eq!(jpeg[..4], [0xff, 0xd8, 0xff, 0xe0]);
    assert_eq!(&jpeg[6..11], b"JFIF\0");
    let (mut at, mut frames) = (2, 0);
    loop {
        assert_eq!(jpeg[at], 0xff);
        let marker = jpeg[at + 1];
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        match marker {
            0xc0 => {
                frames += 1;
                let segment = &jpeg[at + 4..at + 2 + length];
                // 8 bits; three components, 2x2, 1x1 and 1x1.
                assert_eq!((segment[0], segment[5]), (8, 3));
                assert_eq!([segment[7], segment[10], segment[13]], [0x22, 0x11, 0x11]);
            }
            0xe0 | 0xdb | 0xc4 => {}
            0xda => break,
            other => panic!("a segment of the kind {other:#x}"),
        }
        at += 2 + length;
    }
    assert_eq!(frames, 1);
    assert_eq!(jpeg[jpeg.len() - 2..], [0xff, 0xd9]);
}

#[test]
fn every_format_becomes_a_plain_jpeg() {
    let scene = Scene::new(96, 64);
    let files = [
        (jpeg(&scene, BASELINE), Format::Jpeg),
        (encoded(&scene, ImageFormat::Png), Format::Png),
        (encoded(&scene, ImageFormat::Gif), Format::Gif),
        (encoded(&scene, ImageFormat::WebP), Format::WebP),
        (encoded(&scene, ImageFormat::Bmp), Format::Bmp),
        (encoded(&scene, ImageFormat::Tiff), Format::Tiff),
    ];
    let bytes: Vec<Vec<u8>> = files.iter().map(|(file, _)| file.clone()).collect();
    for ((seen, report), (_, format)) in faces(&bytes).iter().zip(&files) {
        assert_eq!(report.format, *format);
        assert_eq!((seen.size(), report.quality), ((96, 64), Some(80)));
        let off = off(seen, &scene, (3, 2));
        assert!(off < 10, "{format}: {off}");
        assert!(report.notes.is_empty(), "{:?}", report.notes);
    }
}

#[test]
fn all_eight_orientations_are_upright() {
    // Smaller than it may be, and with a turn while it is made smaller.
    for (width, height, size) in [(96, 64, (96, 64)), (1500, 1000, (500, 333))] {
        let scene = Scene::new(width, height);
        let lying = |orientation| {
            let lying = jpeg(&scene.lying(orientation), BASELINE);
            with_exif(&lying, &exif(orientation, orientation % 2 == 0))
        };
        let files: Vec<Vec<u8>> = (1..=8).map(lying).collect();
        for (number, (seen, _)) in faces(&files).iter().enumerate() {
            assert_eq!(seen.size(), size, "{}", number + 1);
            let off = off(seen, &scene, (3, 2));
            assert!(off < 10, "{}: {off}", number + 1);
        }
    }
}

#[test]
fn inks_sixteen_bits_palettes_gray_and_profiles() {
    let scene = Scene::new(96, 64);
    let gray = scene.map(|[_, light, _, alpha]| [light, light, light, alpha]);
    let inks = compressed(&scene.rgba(), &scene, PixelFormat::CMYK, BASELINE);
    let light: Vec<u8> = gray.pixels.iter().map(|pixel| pixel[0]).collect();
    let how = Jpeg {
        subsamp: Subsamp::Gray,
        progressive: true,
    };
    let p3 = ColorProfile::new_display_p3();
    let written = super::colours::in_profile(&scene, &p3);
    let wide = with_icc(&jpeg(&written, BASELINE), &p3.encode().expect("a profile"));
    let palette = "-filter_complex split[a][b];[a]palettegen=max_colors=16[p];\
                   [b][p]paletteuse=dither=none -pix_fmt pal8 -c:v png";
    let files = [
        (inks, &scene, 10),
        (by_ffmpeg(&scene, "-pix_fmt rgb48be -c:v png"), &scene, 10),
        (by_ffmpeg(&scene, "-pix_fmt rgb48le -c:v tiff"), &scene, 10),
        (by_ffmpeg(&scene, palette), &scene, 12),
        (by_ffmpeg(&gray, "-pix_fmt gray16be -c:v png"), &gray, 4),
        (compressed(&light, &gray, PixelFormat::GRAY, how), &gray, 4),
        (wide, &scene, 12),
    ];
    let bytes: Vec<Vec<u8>> = files.iter().map(|(file, ..)| file.clone()).collect();
    for (number, ((seen, report), (_, scene, most))) in faces(&bytes).iter().zip(&files).enumerate()
    {
        let off = off(seen, scene, (3, 2));
        assert!(off <= *most, "{number}: {off}");
        assert!(report.notes.is_empty(), "{number}: {:?}", report.notes);
    }
}

#[test]
fn what_is_transparent_is_white() {
    let scene = Scene::new(96, 64);
    // From the left: nothing, half, all of it.
    let alpha = |x: usize| [0_u8, 128, 255][x * 3 / 96];
    let clear = Scene::of(96, 64, |x, y| {
        let [red, green, blue, _] = scene.at(x, y);
        [red, green, blue, alpha(x)]
    });
    let expected = Scene::of(96, 64, |x, y| {
        let alpha = u32::from(alpha(x));
        let on_white = |light: u8| ((u32::from(light) * alpha + 255 * (255 - alpha)) / 255) as u8;
        let [red, green, blue, _] = scene.at(x, y).map(on_white);
        [red, green, blue, 255]
    });
    let gray = clear.map(|[_, light, _, alpha]| [light, light, light, alpha]);
    let expected_gray = expected.map(|[_, light, _, alpha]| [light, light, light, alpha]);
    let files = [
        (encoded(&clear, ImageFormat::Png), &expected),
        (by_ffmpeg(&clear, "-pix_fmt rgba64be -c:v png"), &expected),
        (encoded(&clear, ImageFormat::WebP), &expected),
        (by_ffmpeg(&gray, "-pix_fmt ya8 -c:v png"), &expected_gray),
    ];
    let bytes: Vec<Vec<u8>> = files.iter().map(|(file, _)| file.clone()).collect();
    for (number, ((seen, _), (_, expected))) in faces(&bytes).iter().zip(&files).enumerate() {
        let off = off(seen, expected, (3, 2));
        assert!(off < 10, "{number}: {off}");
    }
}

#[test]
fn the_first_picture_of_an_animation() {
    let arguments = "-filter_complex split[a][b];[b]negate[c];[a][c]concat -loop 0 -c:v";
    let scene = Scene::new(96, 64);
    let gif = by_ffmpeg(&scene, &format!("{arguments} gif"));
    let webp = by_ffmpeg(&scene, &format!("{arguments} libwebp_anim -lossless 1"));
    assert!(webp.windows(4).any(|word| word == b"ANMF"));
    // The GIF's palette has 3, 3 and 2 bits; the negative is further away.
    let most = [60, 16];
    for ((seen, report), most) in faces(&[gif, webp]).iter().zip(most) {
        let off = off(seen, &scene, (3, 2));
        assert!(off < most, "{}: {off}", report.format);
    }
}

#[test]
fn it_fits_and_never_grows() {
    let sized = |(width, height)| encoded(&Scene::new(width, height), ImageFormat::Png);
    let sizes = [
        ((1, 1), (1, 1)),
        ((3, 499), (3, 499)),
        ((500, 500), (500, 500)),
        ((501, 500), (500, 499)),
        ((480, 640), (375, 500)),
        ((3000, 2), (500, 1)),
        ((7, 9000), (1, 500)),
    ];
    let files: Vec<Vec<u8>> = sizes.iter().map(|(size, _)| sized(*size)).collect();
    for ((seen, _), (from, to)) in faces(&files).iter().zip(&sizes) {
        assert_eq!(seen.size(), *to, "{from:?}");
    }
    let options = FaceOptions {
        longest: 64,
        ..FaceOptions::default()
    };
    let (_, report) = make(&sized((480, 640)), options).expect("a face");
    assert_eq!((report.width, report.height), (48, 64));
}

#[test]
fn quality_goes_down_and_then_the_size_until_it_fits() {
    let noisy = jpeg(&Scene::noisy(700, 500, 90), BASELINE);
    let plain = make(&noisy, FaceOptions::default()).expect("a face").1;
    assert_eq!(plain.quality, Some(80));
    let mut before = (plain.width, 80, plain.bytes_out);
    let mut steps = Vec::new();
    for part in [95, 80, 60, 45, 20, 5] {
        let max_bytes = plain.bytes_out * part / 100;
        let options = FaceOptions {
            max_bytes,
            ..FaceOptions::default()
        };
        let (made, report) = make(&noisy, options).expect("a face");
        is_plain(&made);
        assert!(report.bytes_out <= max_bytes, "{part}: {report:?}");
        // No smaller than it has to be.
        assert!(report.bytes_out >= max_bytes / 2, "{part}: {report:?}");
        let quality = report.quality.expect("a quality");
        assert!(quality >= 40);
        let after = (report.width, quality, report.bytes_out);
        assert!(
            after.0 <= before.0 && after.2 <= before.2,
            "{before:?} {after:?}"
        );
        let is_smaller = report.width < plain.width;
        assert_eq!(
            report.notes.len(),
            usize::from(is_smaller),
            "{:?}",
            report.notes
        );
        let (width, height) = (f64::from(report.width), f64::from(report.height));
        assert!((width / height - 1.4).abs() < 0.03, "{report:?}");
        steps.push(is_smaller);
        before = after;
    }
    assert!(!steps[0] && steps[5], "{steps:?}");
    for max_bytes in [0, 300] {
        let options = FaceOptions {
            max_bytes,
            ..FaceOptions::default()
        };
        let error = make(&noisy, options).expect_err("too small");
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains(&format!("into {max_bytes} bytes")),
            "{error}"
        );
    }
    for longest in [0, 31, 5000] {
        let options = FaceOptions {
            longest,
            ..FaceOptions::default()
        };
        assert!(make(&noisy, options).is_err(), "{longest}");
    }
}

#[test]
fn the_least_quality_is_not_above_the_one_asked_for() {
    let noisy = jpeg(&Scene::noisy(400, 400, 90), BASELINE);
    let options = FaceOptions {
        quality: 20,
        ..FaceOptions::default()
    };
    let (made, report) = make(&noisy, options).expect("a face");
    assert_eq!(report.quality, Some(20));
    let options = FaceOptions {
        max_bytes: made.len() as u64 - 1,
        ..options
    };
    let (_, report) = make(&noisy, options).expect("a face");
    assert_eq!((report.quality, report.width), (Some(20), 320));
}

#[test]
fn nothing_of_what_it_told_stays() {
    let file = with_exif(&jpeg(&Scene::new(96, 64), BASELINE), &exif(1, true));
    let file = with_segment(&file, 0xfe, b"Ann, at home");
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>Ann</x:xmpmeta>";
    let file = with_segment(&file, 0xe1, xmp);
    let (made, _) = make(&file, FaceOptions::default()).expect("a face");
    is_plain(&made);
    assert!(!made.windows(3).any(|word| word == b"Ann"));
    let again = make(&file, FaceOptions::default()).expect("a face").0;
    assert_eq!(made, again, "the same each time");
}

#[test]
fn reduced_while_it_is_decoded_it_looks_the_same() {
    // Edges and shades that a careless reduction would break, at a quarter and at half.
    let options = FaceOptions {
        longest: 100,
        ..FaceOptions::default()
    };
    for (width, height) in [(800, 600), (401, 301)] {
        let scene = Scene::of(width, height, |x, y| {
            let (x, y) = (x as f64 / width as f64, y as f64 / height as f64);
            let ring = (((x - 0.5).powi(2) + (y - 0.5).powi(2)).sqrt() * 25.0).sin();
            let light = |shift: f64| (127.5 + 100.0 * ring * (x + shift).cos()) as u8;
            [light(0.0), light(1.0), light(2.0), 255]
        });
        let whole = encoded(&scene, ImageFormat::Bmp);
        let photo = Jpeg {
            subsamp: Subsamp::Sub2x2,
            progressive: false,
        };
        let seen = faces_with(&[whole, jpeg(&scene, photo)], options);
        assert_eq!(seen[0].0.size(), (100, 75));
        let difference = seen[0].0.difference(&seen[1].0);
        println!("{width}x{height}: {difference}");
        assert!(difference < 2.0, "{width}x{height}: {difference}");
    }
}

#[test]
fn a_large_png_of_any_kind_looks_the_same_by_its_means() {
    // The same half as large is decoded whole.
    let scene = |scale: usize| Scene::new(1002 * scale, 668 * scale);
    let gray = |scale: usize| scene(scale).map(|[_, light, _, alpha]| [light, light, light, alpha]);
    let clear = |scale: usize| {
        let width = 1002 * scale;
        let scene = scene(scale);
        Scene::of(width, 668 * scale, |x, y| {
            let [red, green, blue, _] = scene.at(x, y);
            // Green that nobody sees lies beside what is seen.
            match x * 6 / width {
                0 | 3 => [0, 255, 0, 0],
                1 | 4 => [red, green, blue, 128],
                _ => [red, green, blue, 255],
            }
        })
    };
    for (make, arguments) in [
        (&scene as &dyn Fn(usize) -> Scene, "-pix_fmt rgb24 -c:v png"),
        (&gray, "-pix_fmt gray16be -c:v png"),
        (&clear, "-pix_fmt rgba64be -c:v png"),
        (&scene, "-pix_fmt rgb24 -flags +ildct -c:v png"),
    ] {
        let files = [1, 2].map(|scale| by_ffmpeg(&make(scale), arguments));
        let seen = faces(&files);
        assert_eq!(seen[0].0.size(), (500, 333));
        let difference = seen[0].0.difference(&seen[1].0);
        assert!(difference < 1.0, "{arguments}: {difference}");
        let edge = |seen: &Seen| {
            (0..333)
                .map(|y| seen.pixels[y * 500 + 499])
                .collect::<Vec<_>>()
        };
        for (one, other) in edge(&seen[0].0).iter().zip(edge(&seen[1].0)) {
            let off = one
                .iter()
                .zip(other)
                .map(|(one, other)| one.abs_diff(other));
            assert!(off.max() < Some(24), "{arguments}: {one:?} {other:?}");
        }
    }
    // And cut short.
    let whole = by_ffmpeg(&scene(2), "-pix_fmt rgb24 -c:v png");
    for part in [whole.len() / 2, whole.len() - 40] {
        let error = make(&whole[..part], FaceOptions::default()).expect_err("cut short");
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
    }
}

#[test]
fn what_is_broken_or_no_image_is_refused() {
    let scene = Scene::noisy(192, 128, 20);
    for whole in [
        jpeg(&scene, BASELINE),
        encoded(&scene, ImageFormat::Png),
        encoded(&scene, ImageFormat::WebP),
        encoded(&scene, ImageFormat::Gif),
    ] {
        for part in [12, whole.len() / 2] {
            let error = make(&whole[..part], FaceOptions::default()).expect_err("cut short");
            let is_told = matches!(error, Error::Malformed { .. } | Error::Unsupported { .. });
            assert!(is_told, "{error}");
        }
    }
    for (bytes, word) in [
        (&b"<!doctype html><title>Sign in</title>"[..], "no image"),
        (b"", "empty"),
        (b"\0\0\0\x1cftypheic\0\0\0\0", "HEIC"),
    ] {
        let error = make(bytes, FaceOptions::default()).expect_err("no image");
        let told = error.to_string();
        assert!(told.contains(word) && told.lines().count() == 1, "{told}");
    }
}

#[test]
fn limits_and_cancel_hold() {
    let file = encoded(&Scene::new(64, 64), ImageFormat::Png);
    let run = |context: Context| {
        let input = Input::bytes("face", file.clone());
        face_photo(input, &FaceOptions::default(), &context)
    };
    let limits = |bytes: u64, pixels: u64| {
        let mut limits = Limits::default();
        limits.image.max_bytes = bytes;
        limits.image.max_pixels = pixels;
        Context::new().with_limits(limits)
    };
    let length = file.len() as u64;
    for context in [limits(length - 1, 1 << 20), limits(length, 64 * 64 - 1)] {
        let error = run(context).expect_err("too large");
        assert!(matches!(error, Error::Limit { .. }), "{error}");
    }
    run(limits(length, 64 * 64)).expect("at the limit");
    let cancel = Cancel::new();
    cancel.cancel();
    let error = run(Context::new().with_cancel(cancel)).expect_err("cancelled");
    assert!(matches!(error, Error::Cancelled), "{error}");
    // A PNG that says it is large, and would be if it were inflated.
    let mut large = file[..16].to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend([0, 0, 0x9c, 0x40, 0, 0, 0x9c, 0x40, 8, 2, 0, 0, 0]);
    large.truncate(8);
    large.extend(chunk(b"IHDR", &header[4..]));
    large.extend(&file[33..]);
    let error = make(&large, FaceOptions::default()).expect_err("too large");
    assert!(matches!(error, Error::Limit { .. }), "{error}");
}

#[test]
fn a_pool_makes_many_within_its_memory() {
    let pool = Pool::new(PoolSize {
        threads: std::num::NonZeroUsize::new(3),
        memory: 1,
    })
    .expect("a pool");
    let file = jpeg(&Scene::new(640, 480), BASELINE);
    let alone = make(&file, FaceOptions::default()).expect("a face").0;
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let input = Input::bytes("face", file.clone());
                let made = pool.face_photo(input, &FaceOptions::default(), &Context::new());
                assert_eq!(made.expect("a face").0, alone);
            });
        }
    });
}

/// Weighs one photo, in a process of its own: the test below starts it.
#[test]
#[ignore = "started by another test"]
fn weigh() {
    let Some(path) = std::env::var_os("FLATBED_TEST_FACE") else {
        return;
    };
    // What a first image sets up does not count.
    let _ = make(&jpeg(&Scene::new(8, 8), BASELINE), FaceOptions::default());
    let (before, _) = memory();
    let made = face_photo(Input::path(path), &FaceOptions::default(), &Context::new());
    let (_, most) = memory();
    println!("weighed: {}", most.saturating_sub(before));
    made.expect("a face");
}

/// 12 million pixels: the most that is in memory beside the program, in KiB, the file
/// itself included.
#[test]
fn twelve_million_pixels_weigh_little() {
    let folder = Folder::new();
    let scene = Scene::new(4000, 3000);
    let photo = |progressive| Jpeg {
        subsamp: Subsamp::Sub2x2,
        progressive,
    };
    let png = by_ffmpeg(&scene, "-pix_fmt rgb24 -c:v png");
    // Of the PNG the file is the most.
    let room = |mib: usize| (mib << 10) + (png.len() >> 10);
    for (name, file, most) in [
        ("a JPEG", jpeg(&scene, photo(false)), 12 << 10),
        ("a progressive JPEG", jpeg(&scene, photo(true)), 48 << 10),
        ("a PNG", png.clone(), room(12)),
    ] {
        let path = folder.file("face");
        fs::write(&path, &file).expect("written");
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args(["image::faces::weigh", "--exact", "--ignored", "--nocapture"])
            .env("FLATBED_TEST_FACE", &path)
            .output()
            .expect("this test starts");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(!complaints.contains("swscaler"), "{complaints}");
        let text = String::from_utf8_lossy(&output.stdout);
        let weighed = text.split("weighed: ").nth(1);
        let weighed = weighed.unwrap_or_else(|| panic!("{name}: {text}"));
        let kib = weighed.split_whitespace().next().expect("a number");
        let kib: usize = kib.parse().expect("a number");
        println!("{name} of {} KiB: {kib} KiB", file.len() >> 10);
        assert!(kib < most, "{name}: {kib} KiB");
    }
}
