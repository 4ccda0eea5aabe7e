//! Every format that is read, in its odd forms.

use ::image::ImageFormat;
use turbojpeg::Subsamp;

use flatbed_media::image::Format;

use super::files::{BASELINE, Jpeg, by_ffmpeg, encoded, jpeg};
use super::made::{fine, lossless, made, made_and_told, off, refused, sized};
use super::scene::Scene;

#[test]
fn each_is_told_by_its_content() {
    let scene = Scene::new(96, 64);
    for (file, format) in [
        (jpeg(&scene, BASELINE), Format::Jpeg),
        (encoded(&scene, ImageFormat::Png), Format::Png),
        (encoded(&scene, ImageFormat::Gif), Format::Gif),
        (encoded(&scene, ImageFormat::WebP), Format::WebP),
        (encoded(&scene, ImageFormat::Bmp), Format::Bmp),
        (encoded(&scene, ImageFormat::Tiff), Format::Tiff),
    ] {
        let (seen, report) = made_and_told(&file, &fine());
        assert_eq!(report.format, format);
        assert_eq!(report.frames, 1);
        let off = off(&seen, &scene, (3, 2));
        assert!(off < 8, "{format}: {off}");
    }
}

#[test]
fn odd_forms() {
    let scene = Scene::new(96, 64);
    let black_and_white = Scene::of(96, 64, |x, y| {
        let light = if (x / 32 + y / 32) % 2 == 0 { 255 } else { 0 };
        [light, light, light, 255]
    });
    for (scene, arguments, most) in [
        (&scene, "-pix_fmt rgb24 -flags +ildct -c:v png", 1), // interlaced
        (&scene, "-pix_fmt rgba -flags +ildct -c:v png", 1),
        (&black_and_white, "-pix_fmt monob -c:v png", 1),
        (&black_and_white, "-pix_fmt monob -flags +ildct -c:v png", 1),
        (&black_and_white, "-pix_fmt monow -c:v bmp", 1),
        (&scene, "-pix_fmt rgb8 -c:v bmp", 60), // a palette of 3, 3, 2 bits
        (&scene, "-pix_fmt rgb555le -c:v bmp", 9),
        (&scene, "-pix_fmt rgb24 -c:v tiff -compression_algo lzw", 1),
        (
            &scene,
            "-pix_fmt rgb24 -c:v tiff -compression_algo deflate",
            1,
        ),
        (
            &scene,
            "-pix_fmt rgb24 -c:v tiff -compression_algo packbits",
            1,
        ),
        (&black_and_white, "-pix_fmt gray -c:v tiff", 1),
    ] {
        let file = by_ffmpeg(scene, arguments);
        for options in [lossless(), sized("48x", lossless())] {
            let off = off(&made(&file, &options), scene, (3, 2));
            assert!(off <= most, "{arguments}: {off}");
        }
    }
    // A palette, with a pixel that is transparent.
    let file = by_ffmpeg(
        &scene,
        "-filter_complex split[a][b];[a]palettegen=max_colors=16[p];[b][p]paletteuse=dither=none -pix_fmt pal8 -c:v png",
    );
    assert!(file.windows(4).any(|chunk| chunk == b"PLTE"));
    assert!(off(&made(&file, &lossless()), &scene, (3, 2)) < 8);
}

#[test]
fn progressive_and_cut_short() {
    let scene = Scene::noisy(192, 128, 20);
    for progressive in [false, true] {
        let how = Jpeg {
            subsamp: Subsamp::Sub2x2,
            progressive,
        };
        let whole = jpeg(&scene, how);
        let smooth = Scene::new(192, 128);
        let seen = made(&whole, &sized("24x", fine()));
        assert!(off(&seen, &smooth, (3, 2)) < 25);
        for part in [3, 20, whole.len() / 2, whole.len() - 2] {
            let error = refused(&whole[..part], &fine());
            assert!(
                matches!(error, flatbed_media::Error::Malformed { .. }),
                "{part}: {error}"
            );
        }
    }
}

#[test]
fn others_cut_short_are_refused() {
    let scene = Scene::noisy(96, 64, 20);
    for format in [
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::Gif,
    ] {
        let whole = encoded(&scene, format);
        for part in [12, whole.len() / 2] {
            let error = refused(&whole[..part], &fine());
            assert!(
                matches!(
                    error,
                    flatbed_media::Error::Malformed { .. }
                        | flatbed_media::Error::Unsupported { .. }
                ),
                "{format:?} {part}: {error}"
            );
        }
    }
}

#[test]
fn what_lies_behind_the_picture_does_not_matter() {
    let scene = Scene::new(96, 64);
    for file in [
        jpeg(&scene, BASELINE),
        encoded(&scene, ImageFormat::Png),
        encoded(&scene, ImageFormat::Gif),
        encoded(&scene, ImageFormat::WebP),
        encoded(&scene, ImageFormat::Bmp),
    ] {
        let with_tail = [
            &file[..],
            &b"PK\x03\x04\xff\xd8\xff\xd9 and more".repeat(99),
        ]
        .concat();
        assert!(off(&made(&with_tail, &fine()), &scene, (3, 2)) < 8);
    }
}

#[test]
fn what_is_not_read_is_named() {
    for (bytes, word) in [
        (&b"\0\0\0\x1cftypavif\0\0\0\0"[..], "AVIF"),
        (b"\0\0\0\x1cftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x1cftypisom\0\0\0\0", "thumbnail"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"hello", "no image"),
    ] {
        let error = refused(bytes, &fine()).to_string();
        assert!(error.contains(word), "{error}");
    }
    let error = flatbed_media::image::to_bytes(
        flatbed_media::Input::bytes("empty", Vec::new()),
        &fine(),
        &flatbed_media::Context::new(),
    );
    assert!(error.is_err());
}
