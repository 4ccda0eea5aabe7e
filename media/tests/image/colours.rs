//! Profiles, CMYK, gray, alpha, 16 bits.

use flatbed_media::image::{Keep, Options};
use moxcms::{ColorProfile, Layout, TransformOptions};
use turbojpeg::{PixelFormat, Subsamp};

use super::files::{BASELINE, by_ffmpeg, compressed, encoded, exif, jpeg, with_exif, with_icc};
use super::made::{convert, fine, look, lossless, made, made_and_told, off, sized};
use super::scene::Scene;

/// The scene's colours written down by another profile.
fn in_profile(scene: &Scene, profile: &ColorProfile) -> Scene {
    let transform = ColorProfile::new_srgb()
        .create_transform_8bit(
            Layout::Rgba,
            profile,
            Layout::Rgba,
            TransformOptions::default(),
        )
        .expect("a transform");
    let mut converted = vec![0; scene.pixels.len() * 4];
    transform
        .transform(&scene.rgba(), &mut converted)
        .expect("converted");
    Scene {
        pixels: converted.as_chunks().0.to_vec(),
        ..*scene
    }
}

#[test]
fn profiles_become_srgb() {
    let scene = Scene::new(96, 64);
    for (name, profile) in [
        ("Display P3", ColorProfile::new_display_p3()),
        ("Adobe RGB", ColorProfile::new_adobe_rgb()),
        ("ProPhoto", ColorProfile::new_pro_photo_rgb()),
        ("sRGB", ColorProfile::new_srgb()),
    ] {
        let icc = profile.encode().expect("a profile");
        let written = in_profile(&scene, &profile);
        let file = with_icc(&jpeg(&written, BASELINE), &icc);
        for options in [fine(), lossless(), sized("48x", fine())] {
            let (seen, report) = made_and_told(&file, &options);
            let off = off(&seen, &scene, (3, 2));
            assert!(off < 9, "{name}: {off}");
            assert!(report.notes.is_empty(), "{:?}", report.notes);
        }
        if name != "sRGB" {
            let plain = made(&jpeg(&written, BASELINE), &fine());
            let off = off(&plain, &scene, (3, 2));
            assert!(off > 9, "{name} would not be seen without: {off}");
        }
    }
}

#[test]
fn a_profile_of_another_kind_or_none_at_all_is_told() {
    let scene = Scene::new(96, 64);
    let plain = jpeg(&scene, BASELINE);
    let gray = ColorProfile::new_gray_with_gamma(2.2)
        .encode()
        .expect("a profile");
    for icc in [&gray[..], b"no profile at all"] {
        let (seen, report) = made_and_told(&with_icc(&plain, icc), &fine());
        assert!(off(&seen, &scene, (3, 2)) < 8);
        assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
    }
}

#[test]
fn gray_with_and_without_profile() {
    let scene = Scene::new(96, 64).map(|[_, light, _, alpha]| [light, light, light, alpha]);
    let samples: Vec<u8> = scene.pixels.iter().map(|pixel| pixel[0]).collect();
    let file = compressed(
        &samples,
        &scene,
        PixelFormat::GRAY,
        super::files::Jpeg {
            subsamp: Subsamp::Gray,
            progressive: false,
        },
    );
    assert!(off(&made(&file, &fine()), &scene, (3, 2)) < 4);
    assert!(off(&made(&file, &sized("31x", lossless())), &scene, (3, 2)) < 4);
    // A gamma of 1 is much lighter in sRGB.
    let icc = ColorProfile::new_gray_with_gamma(1.0)
        .encode()
        .expect("a profile");
    let lighter = scene.map(|pixel| {
        let linear = f64::from(pixel[0]) / 255.0;
        let coded = 1.055 * linear.powf(1.0 / 2.4) - 0.055;
        let light = (coded * 255.0).round() as u8;
        [light, light, light, 255]
    });
    let (seen, report) = made_and_told(&with_icc(&file, &icc), &fine());
    let off = off(&seen, &lighter, (3, 2));
    assert!(off < 6, "{off} {:?}", report.notes);
}

#[test]
fn inks() {
    let scene = Scene::new(96, 64);
    // As a press without a profile would: all of the gray by black.
    let inks: Vec<u8> = scene
        .pixels
        .iter()
        .flat_map(|&[red, green, blue, _]| {
            let most = red.max(green).max(blue);
            let ink = |light: u8| 255 - (u32::from(light) * 255 / u32::from(most)) as u8;
            [ink(red), ink(green), ink(blue), 255 - most]
        })
        .collect();
    // libjpeg writes Adobe's marker, and inks upside down as Adobe does.
    let upside_down: Vec<u8> = inks.iter().map(|ink| !ink).collect();
    let file = compressed(&upside_down, &scene, PixelFormat::CMYK, BASELINE);
    assert!(file.windows(5).any(|word| word == b"Adobe"));
    for options in [fine(), lossless(), sized("48x", fine())] {
        let off = off(&made(&file, &options), &scene, (3, 2));
        assert!(off < 10, "{off}");
    }
}

#[test]
fn sixteen_bits_gray_and_alpha() {
    let scene = Scene::new(96, 64);
    let gray = scene.map(|[_, light, _, alpha]| [light, light, light, alpha]);
    let clear = scene.map(|[red, green, blue, _]| [red, green, blue, red]);
    let clear_gray = gray.map(|[light, _, _, _]| [light, light, light, 255 - light]);
    for (scene, arguments) in [
        (&scene, "-pix_fmt rgb48be -c:v png"),
        (&clear, "-pix_fmt rgba64be -c:v png"),
        (&gray, "-pix_fmt gray16be -c:v png"),
        (&clear_gray, "-pix_fmt ya8 -c:v png"),
        (&clear_gray, "-pix_fmt ya16be -c:v png"),
        (&clear, "-pix_fmt rgba -c:v png"),
        (&gray, "-pix_fmt gray -c:v png"),
        (&scene, "-pix_fmt rgb48le -c:v tiff"),
    ] {
        let file = by_ffmpeg(scene, arguments);
        for (options, most) in [(lossless(), 3), (fine(), 8), (sized("48x", lossless()), 3)] {
            let seen = made(&file, &options);
            let off = off(&seen, scene, (3, 2));
            assert!(off <= most, "{arguments}: {off}");
        }
    }
}

#[test]
fn what_is_transparent_does_not_bleed() {
    // Green that nobody sees beside red that all see.
    let scene = Scene::of(64, 64, |x, _| {
        if x < 32 {
            [255, 0, 0, 255]
        } else {
            [0, 255, 0, 0]
        }
    });
    let file = encoded(&scene, ::image::ImageFormat::Png);
    let seen = made(&file, &sized("16x", lossless()));
    for pixel in seen.pixels.iter().filter(|pixel| pixel[3] > 8) {
        assert!(pixel[0] > 240 && pixel[1] < 16, "{pixel:?}");
    }
}

#[test]
fn linear_light_keeps_how_bright_fine_detail_is() {
    let checks = Scene::of(64, 64, |x, y| {
        let light = if (x + y) % 2 == 0 { 255 } else { 0 };
        [light, light, light, 255]
    });
    let file = encoded(&checks, ::image::ImageFormat::Png);
    let options = sized("16x", lossless());
    let light = |options: &Options| made(&file, options).pixels[8 * 16 + 8][0];
    assert!(light(&options).abs_diff(128) < 6);
    let linear = Options {
        linear_light: true,
        ..options
    };
    // Half the light is 188 in sRGB.
    assert!(light(&linear).abs_diff(188) < 6, "{}", light(&linear));
}

#[test]
fn nothing_is_kept_unless_it_is_asked_for() {
    let scene = Scene::new(96, 64);
    let profile = ColorProfile::new_display_p3();
    let icc = profile.encode().expect("a profile");
    let written = in_profile(&scene, &profile);
    let file = with_exif(
        &with_icc(&jpeg(&written.lying(6), BASELINE), &icc),
        &exif(6, true),
    );
    let has = |webp: &[u8], word: &[u8]| webp.windows(word.len()).any(|bytes| bytes == word);
    let (webp, _) = convert(&file, &fine()).expect("a picture");
    assert!(!has(&webp, b"Ann") && !has(&webp, b"ICCP") && !has(&webp, b"EXIF"));
    let keep = Options {
        keep: Keep {
            icc: true,
            exif: true,
        },
        ..fine()
    };
    for options in [
        keep.clone(),
        Options {
            coding: lossless().coding,
            ..keep
        },
    ] {
        let (webp, report) = convert(&file, &options).expect("a picture");
        assert_eq!((report.width, report.height), (96, 64));
        assert!(has(&webp, b"Ann") && has(&webp, &icc));
        // Colours and profile as they were: ffmpeg shows the numbers.
        let off = off(&look(&webp), &written, (3, 2));
        assert!(off < 8, "{off}");
        // Upright, it says so, and stays so.
        let again = made(&webp, &fine());
        assert_eq!((again.width, again.height), (96, 64));
    }
}
