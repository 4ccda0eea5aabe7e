//! Files with wrong bits: no panic and no hang; what comes out is a picture.

use ::image::ImageFormat;
use turbojpeg::Subsamp;

use flatbed_media::image::{Options, to_bytes};
use flatbed_media::{Context, Input, Limits};

use super::files::{BASELINE, Jpeg, by_ffmpeg, encoded, exif, jpeg, with_exif, with_icc};
use super::made::sized;
use super::scene::Scene;
use crate::io::mutation::{Dice, mutate};

/// One of each kind, small, so that mutations hit what matters.
pub fn seeds() -> Vec<Vec<u8>> {
    let scene = Scene::noisy(48, 32, 30);
    let progressive = Jpeg {
        subsamp: Subsamp::Sub2x2,
        progressive: true,
    };
    let icc = moxcms::ColorProfile::new_display_p3()
        .encode()
        .expect("a profile");
    let mut film = Vec::new();
    let mut encoder = gif::Encoder::new(&mut film, 24, 16, &[]).expect("a GIF");
    for seed in 0..3 {
        let scene = Scene::noisy(24, 16, seed * 20);
        let mut frame = gif::Frame::from_rgb(24, 16, &scene.rgb());
        frame.delay = 5;
        encoder.write_frame(&frame).expect("a frame");
    }
    drop(encoder);
    let context = Context::new();
    let (animated, _) = to_bytes(
        Input::bytes("a", film.clone()),
        &Options::default(),
        &context,
    )
    .expect("a WebP");
    vec![
        with_exif(&jpeg(&scene, BASELINE), &exif(6, true)),
        with_icc(&jpeg(&scene, progressive), &icc),
        encoded(&scene, ImageFormat::Png),
        by_ffmpeg(&scene, "-pix_fmt rgba64be -flags +ildct -c:v png"),
        encoded(&scene, ImageFormat::Gif),
        film,
        encoded(&scene, ImageFormat::WebP),
        to_bytes(
            Input::bytes("a", jpeg(&scene, BASELINE)),
            &Options::default(),
            &context,
        )
        .expect("a WebP")
        .0,
        animated,
        encoded(&scene, ImageFormat::Bmp),
        by_ffmpeg(&scene, "-pix_fmt rgb24 -c:v tiff -compression_algo lzw"),
        encoded(&scene, ImageFormat::Tiff),
    ]
}

#[test]
fn wrong_bits() {
    let mut limits = Limits::default();
    // Mutated sizes should be refused, not worked through.
    limits.image.max_pixels = 200_000;
    limits.image.max_animation_pixels = 2_000_000;
    let context = Context::new().with_limits(limits);
    let options = Options {
        effort: 0,
        ..sized("20x20", Options::default())
    };
    let mut dice = Dice(11);
    let mut pictures = 0;
    for seed in seeds() {
        for _ in 0..120 {
            let mut file = seed.clone();
            mutate(&mut file, &mut dice);
            match to_bytes(Input::bytes("mutated", file), &options, &context) {
                Ok((webp, report)) => {
                    assert!(webp.starts_with(b"RIFF"));
                    assert!(report.width <= 20 && report.height <= 20);
                    pictures += 1;
                }
                Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
            }
        }
    }
    assert!(
        pictures > 100,
        "{pictures}: the files are not worth mutating"
    );
}
