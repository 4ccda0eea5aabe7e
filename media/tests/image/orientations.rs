//! EXIF's orientation: all eight come out upright.

use std::io::Cursor;

use ::image::ImageFormat;
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::RGB8;
use tiff::tags::Tag;
use turbojpeg::Subsamp;

use super::files::{BASELINE, Jpeg, chunk, encoded, exif, jpeg, with_exif};
use super::made::{all_made, convert, fine, lossless, made, off, sized};
use super::scene::Scene;

#[test]
fn all_eight_are_upright() {
    let scene = Scene::new(96, 64);
    let mut files = Vec::new();
    for orientation in 1..=8 {
        let lying = jpeg(&scene.lying(orientation), BASELINE);
        for big in [false, true] {
            let file = with_exif(&lying, &exif(orientation, big));
            // By planes, by RGB, and with the size measured upright.
            for options in [fine(), lossless(), sized("48x", fine())] {
                files.push((file.clone(), options));
            }
        }
    }
    for (number, (seen, (_, options))) in all_made(&files).iter().zip(&files).enumerate() {
        let width = options.size.map_or(96, |_| 48);
        assert_eq!((seen.width, seen.height), (width, width * 2 / 3));
        let off = off(seen, &scene, (3, 2));
        assert!(off < 8, "{}: {off}", number / 6 + 1);
    }
}

#[test]
fn odd_sides_and_chroma_of_any_shape() {
    let scene = Scene::new(93, 61);
    let (mut files, mut expected) = (Vec::new(), Vec::new());
    for subsamp in [
        Subsamp::None,
        Subsamp::Sub2x1,
        Subsamp::Sub2x2,
        Subsamp::Sub1x2,
        Subsamp::Sub4x1,
    ] {
        for orientation in [1, 2, 6, 7] {
            let how = Jpeg {
                subsamp,
                progressive: orientation == 2,
            };
            let lying = jpeg(&scene.lying(orientation), how);
            let file = with_exif(&lying, &exif(orientation, true));
            for (size, options) in [
                ((93, 61), fine()),
                ((31, 20), sized("31x", fine())),
                ((46, 30), sized("46x", fine())),
            ] {
                files.push((file.clone(), options));
                expected.push((size, subsamp, orientation));
            }
        }
    }
    for (seen, (size, subsamp, orientation)) in all_made(&files).iter().zip(expected) {
        assert_eq!((seen.width, seen.height), size);
        let off = off(seen, &scene, (3, 2));
        // The smallest patches are 10 pixels wide: some ringing.
        assert!(off < 20, "{subsamp:?} {orientation} {size:?}: {off}");
    }
}

#[test]
fn in_tiff_webp_and_png_too() {
    let scene = Scene::new(96, 64);
    let mut files = Vec::new();
    for orientation in 1..=8 {
        let lying = scene.lying(orientation);
        files.push((tiff(&lying, orientation), lossless()));
        files.push((tiff(&lying, orientation), sized("48x", fine())));
        let (webp, _) = convert(&jpeg(&lying, BASELINE), &lossless()).expect("a WebP");
        files.push((
            with_webp_exif(&webp, &lying, &exif(orientation, false)),
            fine(),
        ));
        let png = encoded(&lying, ImageFormat::Png);
        files.push((with_png_exif(&png, &exif(orientation, true)), lossless()));
    }
    for (number, (seen, (_, options))) in all_made(&files).iter().zip(&files).enumerate() {
        let width = options.size.map_or(96, |_| 48);
        assert_eq!(
            (seen.width, seen.height),
            (width, width * 2 / 3),
            "{number}"
        );
        let off = off(seen, &scene, (3, 2));
        assert!(off < 8, "{number}: {off}");
    }
}

#[test]
fn nonsense_is_upright() {
    let scene = Scene::new(96, 64);
    let plain = jpeg(&scene, BASELINE);
    let broken: [&[u8]; 5] = [
        &exif(0, true),
        &exif(9, false),
        b"",
        b"II*\0",
        b"MM\0*\xff\xff\xff\xff",
    ];
    for exif in broken {
        let seen = made(&with_exif(&plain, exif), &fine());
        assert!(off(&seen, &scene, (3, 2)) < 8);
    }
}

/// A TIFF of RGB with the tag of EXIF's orientation.
fn tiff(scene: &Scene, orientation: u8) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file).expect("a TIFF");
    let (width, height) = (scene.width as u32, scene.height as u32);
    let mut image = encoder.new_image::<RGB8>(width, height).expect("a picture");
    let tag = image
        .encoder()
        .write_tag(Tag::Orientation, u16::from(orientation));
    tag.expect("an orientation");
    image.write_data(&scene.rgb()).expect("a picture");
    file.into_inner()
}

/// A PNG with EXIF in front of its picture (PNG, third edition, `eXIf`).
fn with_png_exif(png: &[u8], exif: &[u8]) -> Vec<u8> {
    let (header, rest) = png.split_at(8 + 25);
    [header, &chunk(b"eXIf", exif), rest].concat()
}

/// A lossless WebP with EXIF behind it (RFC 9649, section 2.7).
fn with_webp_exif(webp: &[u8], scene: &Scene, exif: &[u8]) -> Vec<u8> {
    let mut body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0".to_vec();
    body.extend([scene.width as u8 - 1, 0, 0, scene.height as u8 - 1, 0, 0]);
    body.extend(&webp[12..]);
    body.extend(b"EXIF");
    body.extend((exif.len() as u32).to_le_bytes());
    body.extend(exif);
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(body);
    file
}
