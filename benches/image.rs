//! Photos to WebP, in process; the throughput is in pixels of the photo.
//!
//! The engine has one call for all of it, so each stage is measured by a call in
//! which little else happens. `scripts/compare image` sets the whole beside other
//! tools.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench ends by a panic; criterion's macros write undocumented items"
)]

#[allow(dead_code, reason = "other benches run on recordings")]
mod recordings;

use std::fs;
use std::process::Command;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flatbed_media::image::{self, Coding, Options};
use flatbed_media::{Context, Input};

use recordings::folder;

/// What a camera of 6 megapixels gives.
const LARGE: (u64, u64) = (2725, 2225);
/// What a page shows.
const SMALL: (u64, u64) = (720, 588);

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(6));
    targets = decode, resize, encode, whole
}
criterion_main!(benches);

/// To so few pixels that the rest costs next to nothing; a JPEG is halved on its
/// way, as it always is where that is enough.
fn decode(criterion: &mut Criterion) {
    for kind in ["jpg", "png", "tiff"] {
        let name = format!("decode {kind}");
        bench(criterion, &name, kind, LARGE, &sized("32x", 0));
    }
}

/// From what needs no decoding, to what is encoded as fast as can be.
fn resize(criterion: &mut Criterion) {
    bench(criterion, "resize", "bmp", LARGE, &sized("720x", 0));
    let linear = Options {
        linear_light: true,
        ..sized("720x", 0)
    };
    bench(criterion, "resize, linear light", "bmp", LARGE, &linear);
}

/// What needs neither.
fn encode(criterion: &mut Criterion) {
    for effort in [0, 2, 4, 6] {
        let name = format!("encode, effort {effort}");
        bench(criterion, &name, "bmp", SMALL, &sized("720x", effort));
    }
    let lossless = Options {
        coding: Coding::Lossless,
        ..sized("720x", 4)
    };
    bench(criterion, "encode, lossless", "bmp", SMALL, &lossless);
}

fn whole(criterion: &mut Criterion) {
    for width in ["720x", "1920x"] {
        bench(
            criterion,
            &format!("photo to {width}"),
            "jpg",
            LARGE,
            &sized(width, 4),
        );
    }
    let small = Options {
        max_bytes: Some(40_000),
        ..sized("720x", 4)
    };
    bench(criterion, "photo to 720x, 40 kB", "jpg", LARGE, &small);
}

fn sized(size: &str, effort: u8) -> Options {
    Options {
        size: size.parse().ok(),
        effort,
        ..Options::default()
    }
}

fn bench(criterion: &mut Criterion, name: &str, kind: &str, size: (u64, u64), options: &Options) {
    let photo = photo(kind, size);
    let mut group = criterion.benchmark_group("image");
    group.throughput(Throughput::Elements(size.0 * size.1));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let input = Input::bytes("photo", photo.as_slice());
            image::to_bytes(input, options, &Context::new()).expect("a WebP")
        });
    });
    group.finish();
}

/// Detail of all sizes, and a sensor's noise; made once.
fn photo(kind: &str, (width, height): (u64, u64)) -> Vec<u8> {
    let path = folder().join(format!("photo-{width}.{kind}"));
    if !path.exists() {
        let unfinished = folder().join(format!("part-photo-{width}.{kind}"));
        let pixels = if kind == "jpg" { "yuvj420p" } else { "rgb24" };
        let pixels = if kind == "bmp" { "bgr24" } else { pixels };
        let picture = format!(
            "mandelbrot=size={width}x{height}:start_scale=0.4:start_x=-0.74:start_y=0.13,\
             noise=alls=6:allf=u,format={pixels}"
        );
        let status = Command::new("ffmpeg")
            .args([
                "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &picture,
            ])
            .args(["-frames:v", "1", "-q:v", "3"])
            .arg(&unfinished)
            .status()
            .expect("ffmpeg, which scripts/setup --bench installs");
        assert!(status.success(), "ffmpeg could not make a photo");
        fs::rename(unfinished, &path).expect("a photo under its name");
    }
    fs::read(path).expect("a photo")
}
