//! Any bytes as an image: a WebP of the size asked for, or an error of one line.
//!
//! A panic inside a decoder is caught by the engine, and found here all the
//! same: libFuzzer's hook ends the process at once.
#![no_main]

use flatbed_media::image::{Coding, Keep, Options, to_bytes};
use flatbed_media::{Context, Input, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut limits = Limits::default();
    // Large pictures take time and show nothing that small ones do not.
    limits.image.max_pixels = 100_000;
    limits.image.max_animation_pixels = 500_000;
    let context = Context::new().with_limits(limits);
    let lossy = Options {
        size: "20x20".parse().ok(),
        effort: 0,
        ..Options::default()
    };
    let all = Options {
        coding: Coding::Lossless,
        linear_light: true,
        still: true,
        keep: Keep {
            icc: true,
            exif: true,
        },
        ..lossy.clone()
    };
    for options in [lossy, all] {
        match to_bytes(Input::bytes("fuzzed", bytes), &options, &context) {
            Ok((webp, report)) => {
                assert!(webp.starts_with(b"RIFF"));
                assert!(report.width <= 20 && report.height <= 20, "{report:?}");
            }
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
        }
    }
});
