//! Quality, bytes, likeness, lossless.

use ::image::ImageFormat;
use flatbed_media::Error;
use flatbed_media::image::{Coding, Options};

use super::files::{BASELINE, encoded, jpeg};
use super::made::{convert, lossless, made, refused, sized};
use super::scene::Scene;
use crate::observe::Luma;
use crate::still::seen::Seen;

fn noisy() -> Vec<u8> {
    jpeg(&Scene::noisy(256, 192, 24), BASELINE)
}

#[test]
fn lossless_is_without_loss() {
    let scene =
        Scene::noisy(61, 47, 40).map(|[red, green, blue, _]| [red, green, blue, 255 - red / 2]);
    let seen = made(&encoded(&scene, ImageFormat::Png), &lossless());
    assert_eq!(seen.pixels, scene.pixels);
}

#[test]
fn better_is_larger() {
    let file = noisy();
    let mut before = 0;
    for quality in [1, 30, 60, 80, 95, 100] {
        let options = Options {
            coding: Coding::Quality(quality),
            ..Options::default()
        };
        let (_, report) = convert(&file, &options).expect("a picture");
        assert!(report.bytes_out > before, "{quality}");
        assert_eq!(report.quality, Some(quality));
        before = report.bytes_out;
    }
}

#[test]
fn it_fits_and_fills() {
    for file in [
        noisy(),
        encoded(&Scene::noisy(256, 192, 24), ImageFormat::Png),
    ] {
        let whole = convert(&file, &Options::default()).expect("a picture").1;
        for percent in [100, 90, 60, 35] {
            let most = whole.bytes_out * percent / 100;
            let options = Options {
                max_bytes: Some(most),
                ..Options::default()
            };
            let (webp, report) = convert(&file, &options).expect("a picture");
            assert!(webp.len() as u64 <= most);
            assert!(
                report.bytes_out * 100 >= most * 93,
                "{} of {most}",
                report.bytes_out
            );
            assert!(report.quality <= Some(80));
        }
    }
}

#[test]
fn what_cannot_fit_says_so() {
    let options = Options {
        max_bytes: Some(100),
        ..Options::default()
    };
    for options in [
        options.clone(),
        Options {
            coding: Coding::Lossless,
            ..options
        },
    ] {
        let error = refused(&noisy(), &options);
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(error.to_string().contains("100 bytes"), "{error}");
    }
}

#[test]
fn as_like_as_was_asked_for_and_not_much_more() {
    let scene = Scene::noisy(256, 192, 24);
    let png = encoded(&scene, ImageFormat::Png);
    for (file, size) in [(&png, "256x"), (&noisy(), "128x"), (&noisy(), "256x")] {
        let original = coded_luma(&made(file, &sized(size, lossless())));
        for wanted in [0.85, 0.93, 0.97] {
            let options = Options {
                coding: Coding::Ssim(wanted),
                ..sized(size, Options::default())
            };
            let luma = coded_luma(&made(file, &options));
            let seen = crate::observe::ssim(&original, &luma);
            // Luma that went through RGB is rounded once more.
            let off = (seen - wanted).abs();
            assert!(off < 0.2 * (1.0 - wanted), "{size} {wanted}: {seen}");
        }
    }
}

/// Luma as a WebP holds it and as FFmpeg's `ssim` reads it: from 16 to 235. In the
/// full range contrasts are larger, and the same picture measures less alike.
fn coded_luma(seen: &Seen) -> Luma {
    let mut luma = seen.luma();
    for sample in &mut luma.pixels {
        *sample = (16.0 + f64::from(*sample) * 219.0 / 255.0).round() as u8;
    }
    luma
}
