//! The engine between two objects.

use flatbed::store::engine::Shape;
use flatbed::store::{Describe, Error, Key};
use flatbed_media::cut::{self, Segment};
use flatbed_media::{Cancel, Container, Context, Input, Timestamp, probe};
use tokio::task::spawn_blocking;

use super::bench::{Bench, key};
use super::on_every_store;
use crate::support::{FRAMES, made, shown_frames, shown_frames_of};

on_every_store!(
    a_clip_is_streamed_from_object_to_object,
    a_clip_is_made_whole_with_its_index_in_front,
    nothing_is_left_of_a_cut_that_fails,
);

async fn source(bench: &Bench, name: &str) -> Key {
    let bytes = std::fs::read(made(name)).unwrap();
    bench.put(&format!("videos/{name}"), &bytes).await
}

/// From 1 s to 3 s: 50 frames.
async fn cut(
    bench: &Bench,
    from: &Key,
    to: &Key,
    shape: Shape,
) -> Result<flatbed_media::Result<cut::Report>, Error> {
    let cancel = Cancel::new();
    let input = bench.store.input(from, &cancel).await?;
    let container = Container::of_path(to.file_name().as_ref()).unwrap();
    let describe = Describe::default();
    let (output, pending) = bench
        .store
        .output(to, container, shape, describe, &cancel)
        .await?;
    let done = spawn_blocking(move || {
        let options = cut::Options {
            selection: cut::Selection::between(
                Timestamp::from_micros(1_000_000),
                Timestamp::from_micros(3_000_000),
            ),
            ..cut::Options::default()
        };
        let context = Context::new().with_cancel(cancel);
        cut::cut(vec![Segment::new(input)], output, &options, &context)
    })
    .await
    .unwrap();
    match &done {
        Ok(_) => drop(pending.finish().await?),
        Err(_) => pending.abort().await,
    }
    Ok(done)
}

fn file(bench: &Bench, bytes: &[u8]) -> std::path::PathBuf {
    bench.file("result.mp4", bytes)
}

/// Where the boxes of the first two kinds lie in an MP4.
fn boxes(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 8) {
        let size = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        found.push(String::from_utf8_lossy(&head[4..]).into_owned());
        assert!(size >= 8, "{found:?}");
        at += size;
    }
    found
}

async fn a_clip_is_streamed_from_object_to_object(bench: Bench) {
    let from = source(&bench, "recording.mp4").await;
    let to = key("clips/1/clip.mp4");
    let report = cut(&bench, &from, &to, Shape::Streamed)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(report.frames, 50);
    let bytes = bench.store.get(&to).await.unwrap();
    assert_eq!(bytes.len() as u64, report.bytes);
    assert_eq!(shown_frames(&file(&bench, &bytes)), 50);
    // Without a disk there is no going back to write an index.
    let fragmented = boxes(&bytes).iter().any(|kind| kind == "moof");
    assert_eq!(fragmented, !bench.store.is_folder());
    assert_eq!(bench.keys(Some(&key("clips"))).await, ["clips/1/clip.mp4"]);
    assert!(!bench.temp_dir().exists());

    let to = key("clips/1/clip.ts");
    let report = cut(&bench, &from, &to, Shape::Streamed)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(report.frames, 50);
    let bytes = bench.store.get(&to).await.unwrap();
    assert_eq!(shown_frames_of(&bytes), 50);
}

async fn a_clip_is_made_whole_with_its_index_in_front(bench: Bench) {
    let from = source(&bench, "recording.mp4").await;
    let to = key("clips/1/clip.mp4");
    let shape = Shape::Whole { bytes: 1 << 20 };
    let report = cut(&bench, &from, &to, shape).await.unwrap().unwrap();
    assert_eq!(report.frames, 50);
    let bytes = bench.store.get(&to).await.unwrap();
    let kinds = boxes(&bytes);
    let place = |kind: &str| kinds.iter().position(|found| found == kind);
    assert!(place("moov") < place("mdat"), "{kinds:?}");
    assert_eq!(place("moof"), None);
    assert_eq!(shown_frames(&file(&bench, &bytes)), 50);
    if !bench.store.is_folder() {
        let left = std::fs::read_dir(bench.temp_dir()).unwrap().count();
        assert_eq!(left, 0, "temporary files");
    }
    let huge = Shape::Whole {
        bytes: u64::MAX / 2,
    };
    let error = cut(&bench, &from, &key("b.mp4"), huge).await.unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error}");
}

async fn nothing_is_left_of_a_cut_that_fails(bench: Bench) {
    let mut bytes = std::fs::read(made("recording.mp4")).unwrap();
    bytes.truncate(bytes.len() / 2);
    let from = bench.put("videos/broken.mp4", &bytes).await;
    let before = bench.files();
    for shape in [Shape::Streamed, Shape::Whole { bytes: 1 << 20 }] {
        let to = key("clips/clip.mp4");
        let error = cut(&bench, &from, &to, shape).await.unwrap().unwrap_err();
        assert!(
            matches!(error, flatbed_media::Error::Malformed { .. }),
            "{error}"
        );
        assert_eq!(bench.files(), before);
    }
}

/// An index behind the pictures costs a few requests, and the file is not
/// fetched for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_with_its_index_behind_takes_few_requests() {
    let bench = Bench::s3().await;
    let from = source(&bench, "index-behind.mp4").await;
    let size = bench.store.head(&from).await.unwrap().bytes;
    assert!(size > 8 << 20, "{size}");
    bench.server().seen();
    let input = bench.store.input(&from, &Cancel::new()).await.unwrap();
    let info = spawn_blocking(move || probe(input, &Context::new()));
    let info = info.await.unwrap().unwrap();
    assert!(info.duration.is_some());
    let seen = bench.server().seen();
    assert!(seen.len() <= 6, "{} requests: {seen:?}", seen.len());

    let to = key("clips/clip.mp4");
    let shape = Shape::Streamed;
    let report = cut(&bench, &from, &to, shape).await.unwrap().unwrap();
    assert_eq!(report.frames, 50);
    let seen = bench.server().seen();
    let read = seen.iter().filter(|seen| seen.method != "PUT").count();
    assert!(read <= 20, "{read} requests: {seen:?}");
}

/// A store's error comes out of the engine as what it is.
#[tokio::test(flavor = "multi_thread")]
async fn the_engine_tells_the_stores_error() {
    let bench = Bench::s3().await;
    let from = source(&bench, "recording.mp4").await;
    let input = bench.store.input(&from, &Cancel::new()).await.unwrap();
    bench.put(from.as_str(), b"something else").await;
    let error = spawn_blocking(move || probe(input, &Context::new()).unwrap_err());
    let error = error.await.unwrap();
    let own = Error::within(&error);
    assert!(matches!(own, Some(Error::Changed { .. })), "{error}");
}

/// What can be read again may be gone through twice.
#[test]
fn a_reopening_input_is_opened_as_often_as_it_takes() {
    let bytes = std::fs::read(made("recording.mp4")).unwrap();
    let input = Input::reopening("twice", move || Ok(std::io::Cursor::new(bytes.clone())));
    let options = flatbed_media::cut::Options::default();
    let folder = tempfile::tempdir().unwrap();
    let output = flatbed_media::Output::path(folder.path().join("out.mp4")).unwrap();
    let report = cut::cut(vec![Segment::new(input)], output, &options, &Context::new()).unwrap();
    assert_eq!(report.frames, FRAMES);
}
