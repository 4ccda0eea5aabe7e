//! Profiles, CMYK, gray, alpha, 16 bits.

use std::io::Cursor;

use flatbed_media::image::{Keep, Options};
use moxcms::{ColorProfile, Layout, TransformOptions};
use tiff::encoder::colortype::{CMYK8, CMYK16, ColorType, RGB8};
use tiff::encoder::{TiffEncoder, TiffValue};
use tiff::tags::Tag;
use turbojpeg::{PixelFormat, Subsamp};

use super::files::{
    BASELINE, by_ffmpeg, chunk, compressed, deflated, encoded, exif, jpeg, with_exif, with_icc,
};
use super::made::{convert, fine, look, lossless, made, made_and_told, off, sized};
use super::scene::Scene;

/// The scene's colours written down by another profile.
pub fn in_profile(scene: &Scene, profile: &ColorProfile) -> Scene {
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

/// A press whose cyan is all the black there is, and whose other inks leave no
/// trace (ICC.1:2004, `lut8Type`): nobody has such a one, so that it is seen
/// whether it is followed.
fn odd_press() -> Vec<u8> {
    let mut table = b"mft1\0\0\0\0\x04\x03\x02\0".to_vec();
    for number in [1_u32, 0, 0, 0, 1, 0, 0, 0, 1] {
        table.extend((number << 16).to_be_bytes());
    }
    let identity: Vec<u8> = (0..=255).collect();
    table.extend(identity.repeat(4));
    // The first ink varies least rapidly. L*, a* and b*, of which 128 is none.
    for corner in 0..16 {
        table.extend([if corner < 8 { 255 } else { 0 }, 128, 128]);
    }
    table.extend(identity.repeat(3));
    let mut profile = ((128 + 4 + 12 + table.len()) as u32).to_be_bytes().to_vec();
    profile.extend(b"\0\0\0\0\x02\x40\0\0prtrCMYKLab ");
    profile.extend([7, 234, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    profile.extend(b"acsp");
    profile.resize(68, 0);
    // D50.
    profile.extend([0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d]);
    profile.resize(128, 0);
    profile.extend(1_u32.to_be_bytes());
    profile.extend(b"A2B0");
    profile.extend(144_u32.to_be_bytes());
    profile.extend((table.len() as u32).to_be_bytes());
    profile.extend(table);
    profile
}

/// A TIFF of samples that have the scene's size.
fn tiff<C>(scene: &Scene, inks: &[C::Inner], icc: Option<&[u8]>) -> Vec<u8>
where
    C: ColorType,
    [C::Inner]: TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).expect("a TIFF");
    let (width, height) = (scene.width as u32, scene.height as u32);
    let mut image = encoder.new_image::<C>(width, height).expect("a picture");
    if let Some(icc) = icc {
        let written = image.encoder().write_tag(Tag::IccProfile, icc);
        written.expect("a profile");
    }
    image.write_data(inks).expect("a picture");
    file.into_inner()
}

#[test]
fn inks_of_a_tiff_with_and_without_profile() {
    let scene = Scene::new(96, 64);
    let inks: Vec<u8> = scene
        .pixels
        .iter()
        .flat_map(|&[red, green, blue, _]| [255 - red, 255 - green, 255 - blue, 0])
        .collect();
    let wide: Vec<u16> = inks.iter().map(|&ink| u16::from(ink) * 257).collect();
    // CIE 1976 L* of what is not cyan, as sRGB has it.
    let pressed = scene.map(|[red, ..]| {
        let lightness = f64::from(red) / 255.0 * 100.0;
        let linear = if lightness > 8.0 {
            ((lightness + 16.0) / 116.0).powi(3)
        } else {
            lightness / 903.3
        };
        let gray = ((1.055 * linear.powf(1.0 / 2.4) - 0.055) * 255.0).round() as u8;
        [gray, gray, gray, 255]
    });
    let icc = odd_press();
    for options in [lossless(), sized("48x", lossless())] {
        for (icc, expected, most) in [(None, &scene, 2), (Some(&icc[..]), &pressed, 4)] {
            for file in [
                tiff::<CMYK8>(&scene, &inks, icc),
                tiff::<CMYK16>(&scene, &wide, icc),
            ] {
                let (seen, report) = made_and_told(&file, &options);
                let off = off(&seen, expected, (3, 2));
                assert!(off <= most, "{off} {:?}", report.notes);
                assert!(report.notes.is_empty(), "{:?}", report.notes);
            }
        }
    }
    // A JPEG's inks take the same way.
    let file = compressed(
        &inks.iter().map(|ink| !ink).collect::<Vec<_>>(),
        &scene,
        PixelFormat::CMYK,
        BASELINE,
    );
    let (seen, report) = made_and_told(&with_icc(&file, &icc), &lossless());
    assert!(off(&seen, &pressed, (3, 2)) < 6, "{:?}", report.notes);
}

#[test]
fn a_tiff_has_a_profile_too() {
    let scene = Scene::new(96, 64);
    let profile = ColorProfile::new_display_p3();
    let icc = profile.encode().expect("a profile");
    let written = in_profile(&scene, &profile);
    let file = tiff::<RGB8>(&written, &written.rgb(), Some(&icc));
    assert!(off(&made(&file, &lossless()), &scene, (3, 2)) < 4);
}

/// The PNG with chunks in front of its picture.
fn with_chunks(png: &[u8], chunks: &[(&[u8], &[u8])]) -> Vec<u8> {
    let (header, rest) = png.split_at(8 + 25);
    let mut file = header.to_vec();
    for (name, content) in chunks {
        file.extend(chunk(name, content));
    }
    file.extend(rest);
    file
}

#[test]
fn what_a_png_tells_of_its_colours() {
    let scene = Scene::new(96, 64);
    let written = in_profile(&scene, &ColorProfile::new_display_p3());
    let p3 = encoded(&written, ::image::ImageFormat::Png);
    // ITU-T H.273: primaries 12 (P3), transfer 13 (sRGB), no matrix, all of the range.
    let code: (&[u8], &[u8]) = (b"cICP", &[12, 13, 0, 1]);
    // It counts before a profile, and is followed where profiles are kept, too.
    let wrong = [
        &b"a\0\0"[..],
        &deflated(&ColorProfile::new_adobe_rgb().encode().expect("ICC")),
    ]
    .concat();
    let keep = Options {
        keep: Keep {
            icc: true,
            exif: false,
        },
        ..lossless()
    };
    for (chunks, options) in [
        (vec![code], lossless()),
        (vec![code, (b"iCCP", &wrong[..])], lossless()),
        (vec![code, (b"iCCP", &wrong[..])], keep),
    ] {
        let (seen, report) = made_and_told(&with_chunks(&p3, &chunks), &options);
        let off = off(&seen, &scene, (3, 2));
        assert!(off < 4, "{off}");
        assert!(report.notes.is_empty(), "{:?}", report.notes);
    }
    // High dynamic range (PQ) is not understood, and told.
    let hdr = with_chunks(&p3, &[(b"cICP", &[9, 16, 0, 1])]);
    let (seen, report) = made_and_told(&hdr, &lossless());
    assert_eq!(off(&seen, &written, (3, 2)), 0);
    assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
    // A gamma of 1, and sRGB: as libvips does, the samples are taken as they are.
    let plain = encoded(&scene, ::image::ImageFormat::Png);
    for chunks in [
        (&b"gAMA"[..], &100_000_u32.to_be_bytes()[..]),
        (b"sRGB", &[0]),
    ] {
        let seen = made(&with_chunks(&plain, &[chunks]), &lossless());
        assert_eq!(off(&seen, &scene, (3, 2)), 0);
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
