//! Rendering, stills and scenes, in process; the throughput is in frames of the
//! source.
//!
//! `scripts/compare render` and `scripts/compare scenes` set them beside other
//! tools, on longer recordings.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench ends by a panic; criterion's macros write undocumented items"
)]

mod recordings;

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flatbed_media::render::{self, Operation, Outputs};
use flatbed_media::still::{self, Moments, Place, SpriteOptions};
use flatbed_media::{Context, Input, Output, scene};

use recordings::{folder, made};

const SECONDS: i64 = 6;
const FRAMES: u64 = 150;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(8));
    targets = transcode, chain, thumbnails, sprites, scenes
}
criterion_main!(benches);

fn transcode(criterion: &mut Criterion) {
    render_bench(
        criterion,
        "transcode to 360p",
        r#"[{"type": "transcode", "options":
            {"resolution": "x360", "bitrate": "500k", "preset": "veryfast"}}]"#,
    );
}

fn chain(criterion: &mut Criterion) {
    render_bench(
        criterion,
        "trim, resize, resize again",
        r#"[{"type": "trim", "options": {"start": 1}},
            {"type": "transcode", "options": {"resolution": "x480"}},
            {"type": "transcode", "options":
                {"resolution": "x360", "bitrate": "500k", "preset": "veryfast"}}]"#,
    );
}

fn render_bench(criterion: &mut Criterion, name: &str, operations: &str) {
    let recording = made("render.mp4", SECONDS);
    let operations = Operation::list(operations).expect("operations");
    let result = folder().join("rendered.mp4");
    bench(criterion, name, || {
        let output = Output::path(&result).expect("an MP4's name");
        render::render(
            Input::path(&recording),
            &operations,
            Outputs::video(output),
            &render::Options::default(),
            &Context::new(),
        )
        .expect("a render");
    });
}

fn thumbnails(criterion: &mut Criterion) {
    let recording = made("render.mp4", SECONDS);
    let options = still::Options {
        moments: Moments::Spread(4),
        ..still::Options::default()
    };
    bench(criterion, "four thumbnails", || {
        let place = Place::folder(folder(), "thumbnail");
        still::thumbnails(Input::path(&recording), &options, place, &Context::new())
            .expect("thumbnails");
    });
}

fn sprites(criterion: &mut Criterion) {
    let recording = made("render.mp4", SECONDS);
    bench(criterion, "sprites", || {
        let options = SpriteOptions::default();
        still::sprites(Input::path(&recording), &options, folder(), &Context::new())
            .expect("sprites");
    });
}

fn scenes(criterion: &mut Criterion) {
    let recording = made("render.mp4", SECONDS);
    bench(criterion, "scenes", || {
        let options = scene::Options::default();
        scene::detect(Input::path(&recording), &options, &Context::new()).expect("scenes");
    });
}

fn bench(criterion: &mut Criterion, name: &str, mut work: impl FnMut()) {
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::Elements(FRAMES));
    group.bench_function(name, |bencher| bencher.iter(&mut work));
    group.finish();
}
