//! Sizes: fitting, growing, and the largest and smallest there are.

use ::image::ImageFormat;
use flatbed_media::image::{Fit, Options};
use turbojpeg::Subsamp;

use super::files::{BASELINE, Jpeg, encoded, jpeg};
use super::made::{convert, fine, made, off, refused, sized};
use super::scene::Scene;

#[test]
fn inside_cover_exact() {
    let scene = Scene::new(300, 200);
    let files = [jpeg(&scene, BASELINE), encoded(&scene, ImageFormat::Png)];
    for (size, fit, enlarge, expected) in [
        ("150x150", Fit::Contain, false, (150, 100)),
        ("x50", Fit::Contain, false, (75, 50)),
        ("600x600", Fit::Contain, false, (300, 200)),
        ("600x600", Fit::Contain, true, (600, 400)),
        ("100x100", Fit::Cover, false, (100, 100)),
        ("400x400", Fit::Cover, false, (200, 200)),
        ("400x400", Fit::Cover, true, (400, 400)),
        ("150x150", Fit::Stretch, false, (150, 150)),
    ] {
        let options = Options {
            fit,
            enlarge,
            ..sized(size, fine())
        };
        for file in &files {
            let seen = made(file, &options);
            assert_eq!((seen.width, seen.height), expected, "{size} {fit:?}");
            if fit != Fit::Cover {
                assert!(off(&seen, &scene, (3, 2)) < 8, "{size} {fit:?}");
            }
        }
    }
}

#[test]
fn cover_shows_the_middle() {
    // A third each; a square of the middle is half the middle patch and a
    // quarter of each of the others: 200 of 300 columns from 50 on.
    let scene = Scene::new(300, 200);
    let middle = Scene::of(200, 200, |x, y| scene.at(x + 50, y));
    let options = Options {
        fit: Fit::Cover,
        ..sized("100x100", fine())
    };
    for file in [jpeg(&scene, BASELINE), encoded(&scene, ImageFormat::Png)] {
        let off = off(&made(&file, &options), &middle, (7, 2));
        assert!(off < 8, "{off}");
    }
}

#[test]
fn halving_while_decoding_shows_the_same() {
    for (width, height) in [(400, 300), (401, 299), (397, 303)] {
        let scene = Scene::new(width, height);
        for subsamp in [Subsamp::None, Subsamp::Sub2x2, Subsamp::Sub2x1] {
            let file = jpeg(
                &scene,
                Jpeg {
                    subsamp,
                    progressive: false,
                },
            );
            // Beside the edge of a patch too: a shift by a pixel would be seen.
            for size in ["199x", "160x", "158x", "100x", "50x"] {
                let seen = made(&file, &sized(size, fine()));
                let off = off(&seen, &scene, (6, 4));
                assert!(off < 16, "{width}x{height} {subsamp:?} {size}: {off}");
            }
        }
    }
}

#[test]
fn one_pixel() {
    let scene = Scene::of(1, 1, |_, _| [200, 100, 50, 255]);
    for file in [
        jpeg(&scene, BASELINE),
        encoded(&scene, ImageFormat::Png),
        encoded(&scene, ImageFormat::Gif),
        encoded(&scene, ImageFormat::WebP),
        encoded(&scene, ImageFormat::Bmp),
        encoded(&scene, ImageFormat::Tiff),
    ] {
        let seen = made(&file, &fine());
        assert_eq!((seen.width, seen.height), (1, 1));
        assert!(off(&seen, &scene, (1, 1)) < 8);
        let grown = Options {
            enlarge: true,
            ..sized("9x9", fine())
        };
        assert_eq!(made(&file, &grown).width, 9);
    }
}

#[test]
fn what_webp_does_not_hold_is_made_smaller_with_a_note() {
    for (width, height, expected) in [
        (16383, 8, (16383, 8)),
        (16384, 8, (16383, 8)),
        (8, 16384, (8, 16383)),
        (65500, 4, (16383, 1)),
    ] {
        let scene = Scene::new(width, height);
        for file in [jpeg(&scene, BASELINE), encoded(&scene, ImageFormat::Png)] {
            let (_, report) = convert(&file, &fine()).expect("a picture");
            assert_eq!((report.width, report.height), expected);
            assert_eq!(report.notes.len(), usize::from(width.max(height) > 16383));
        }
    }
    let widest = encoded(&Scene::new(65535, 1), ImageFormat::Png);
    let (_, report) = convert(&widest, &fine()).expect("a picture");
    assert_eq!((report.width, report.height), (16383, 1));
}

#[test]
fn what_would_become_too_large_is_refused() {
    let file = jpeg(&Scene::new(64, 64), BASELINE);
    let options = Options {
        enlarge: true,
        ..sized("16000x16000", fine())
    };
    let error = refused(&file, &options);
    assert!(
        matches!(error, flatbed_media::Error::Limit { .. }),
        "{error}"
    );
}
