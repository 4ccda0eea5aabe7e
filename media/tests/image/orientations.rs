//! EXIF's orientation: all eight come out upright.

use turbojpeg::Subsamp;

use super::files::{BASELINE, Jpeg, by_ffmpeg, exif, jpeg, with_exif};
use super::made::{convert, fine, lossless, made, off, sized};
use super::scene::Scene;

#[test]
fn all_eight_are_upright() {
    let scene = Scene::new(96, 64);
    for orientation in 1..=8 {
        let lying = jpeg(&scene.lying(orientation), BASELINE);
        for big in [false, true] {
            let file = with_exif(&lying, &exif(orientation, big));
            // By planes, by RGB, and with the size measured upright.
            for options in [fine(), lossless(), sized("48x", fine())] {
                let seen = made(&file, &options);
                let width = options.size.map_or(96, |_| 48);
                assert_eq!((seen.width, seen.height), (width, width * 2 / 3));
                let off = off(&seen, &scene, (3, 2));
                assert!(off < 8, "{orientation}: {off}");
            }
        }
    }
}

#[test]
fn odd_sides_and_chroma_of_any_shape() {
    let scene = Scene::new(93, 61);
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
                let seen = made(&file, &options);
                assert_eq!((seen.width, seen.height), size);
                let off = off(&seen, &scene, (3, 2));
                // The smallest patches are 10 pixels wide: some ringing.
                assert!(off < 20, "{subsamp:?} {orientation} {size:?}: {off}");
            }
        }
    }
}

#[test]
fn in_tiff_and_webp_too() {
    let scene = Scene::new(96, 64);
    // ffmpeg's TIFF has no orientation: its first tag is made one. The tag that
    // goes is NewSubfileType or the like, which no reader needs.
    let upright = by_ffmpeg(&scene, "-pix_fmt rgb24 -c:v tiff -compression_algo raw");
    assert!(made(&upright, &fine()).width == 96);
    let (webp, _) = convert(&jpeg(&scene.lying(6), BASELINE), &lossless())
        .expect("a WebP that lies on its side");
    let file = with_webp_exif(&webp, &exif(6, false));
    let seen = made(&file, &fine());
    assert_eq!((seen.width, seen.height), (96, 64));
    let off = off(&seen, &scene, (3, 2));
    assert!(off < 8, "{off}");
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

/// A lossless WebP with EXIF behind it (RFC 9649, section 2.7).
fn with_webp_exif(webp: &[u8], exif: &[u8]) -> Vec<u8> {
    let mut body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0".to_vec();
    body.extend([63, 0, 0, 95, 0, 0]);
    body.extend(&webp[12..]);
    body.extend(b"EXIF");
    body.extend((exif.len() as u32).to_le_bytes());
    body.extend(exif);
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(body);
    file
}
