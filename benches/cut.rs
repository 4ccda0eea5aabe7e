//! Join and cut, in process; the throughput is in bytes of the sources, whole.
//!
//! `scripts/compare cut` sets them beside other tools, on longer recordings.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench ends by a panic; criterion's macros write undocumented items"
)]

mod recordings;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flatbed_media::cut::{self, Mode, Options, Segment, Selection};
use flatbed_media::{Context, Input, Output, Timestamp};

use recordings::{folder, made};

const SEGMENTS: usize = 4;
const SEGMENT_SECONDS: i64 = 5;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    targets = copy_cut, exact_cut, join
}
criterion_main!(benches);

fn copy_cut(criterion: &mut Criterion) {
    let recording = recording();
    bench(
        criterion,
        "copy cut",
        &[recording],
        &between(3_100, 17_100, Mode::Copy),
    );
}

fn exact_cut(criterion: &mut Criterion) {
    let recording = recording();
    bench(
        criterion,
        "exact cut",
        &[recording],
        &between(3_100, 17_100, Mode::Exact),
    );
}

fn join(criterion: &mut Criterion) {
    let segments = segments();
    bench(
        criterion,
        "join",
        &segments,
        &options(Selection::default(), Mode::Copy),
    );
}

/// What a cut at these milliseconds is.
fn between(start: i64, end: i64, mode: Mode) -> Options {
    let time = |millis: i64| Timestamp::from_micros(millis * 1_000);
    options(Selection::between(time(start), time(end)), mode)
}

fn options(selection: Selection, mode: Mode) -> Options {
    Options {
        selection,
        mode,
        ..Options::default()
    }
}

fn bench(criterion: &mut Criterion, name: &str, sources: &[PathBuf], options: &Options) {
    let output = folder().join("result.mp4");
    let context = Context::new();
    let mut group = criterion.benchmark_group("cut");
    group.throughput(Throughput::Bytes(
        sources.iter().map(|path| size(path)).sum(),
    ));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let segments = sources.iter().map(|path| Segment::new(Input::path(path)));
            let output = Output::path(&output).expect("an MP4's name");
            cut::cut(segments.collect(), output, options, &context).expect("a cut")
        });
    });
    group.finish();
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("a recording that was made").len()
}

/// One MP4 as long as all the segments together.
fn recording() -> PathBuf {
    let seconds = SEGMENT_SECONDS * i64::try_from(SEGMENTS).expect("few segments");
    made("recording.mp4", seconds)
}

/// Transport streams that each start at their own zero.
fn segments() -> Vec<PathBuf> {
    (0..SEGMENTS)
        .map(|n| made(&format!("segment-{n}.ts"), SEGMENT_SECONDS))
        .collect()
}
