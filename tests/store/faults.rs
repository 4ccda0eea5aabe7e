//! An S3 that is away, refuses, breaks off or changes; a full disk.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use flatbed::store::{Config, Describe, Error, Store};
use flatbed_media::Cancel;
use tokio::task::spawn_blocking;

use super::bench::{Bench, bucket, key, noise};
use crate::support::s3_server::{SECRET_KEY, Seen};

const LARGE: usize = (20 << 20) + 1;

fn is_part(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.target.contains("partNumber")
}

fn is_completion(seen: &Seen) -> bool {
    seen.method == "POST" && seen.target.contains("uploadId")
}

async fn upload(bench: &Bench, name: &str) -> Result<(), Error> {
    let key = key(name);
    let describe = Describe::default();
    let (upload, mut body) = bench.store.create(&key, describe, None).await?;
    let written = body.write(&noise(LARGE)).await;
    drop(body);
    match written {
        Ok(()) => upload.finish().await.map(drop),
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_and_not_told() {
    let bench = Bench::s3().await;
    let key = bench.put("a", b"a").await;
    let store = bench.with_secret("wrong-and-private");
    let put = store.put(&key, "b", Describe::default()).await;
    for error in [
        store.get(&key).await.unwrap_err(),
        store.check().await.unwrap_err(),
        put.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(matches!(error, Error::Refused { .. }), "{text}");
        assert!(text.contains("s3://videos"), "{text}");
        for secret in ["wrong-and-private", SECRET_KEY, "\n"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(bench.store.get(&key).await.unwrap(), "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_is_named() {
    let bench = Bench::s3().await;
    let store = bench.with(|config| "missing".clone_into(&mut bucket(config).name));
    for error in [
        store.check().await.unwrap_err(),
        store.rehearse().await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(matches!(error, Error::Refused { .. }), "{text}");
        assert!(text.contains("s3://missing"), "{text}");
        assert!(text.contains("create it"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_answer_is_away() {
    let bench = Bench::s3().await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let store = bench.with(|config| bucket(config).endpoint = Some(format!("http://{address}")));
    let error = store.get(&key("a")).await.unwrap_err();
    assert!(matches!(error, Error::Away { .. }), "{error}");
    assert!(error.to_string().starts_with("s3://videos/a: "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_lie_below_the_prefix_and_cloudfront_has_it_too() {
    let bench = Bench::s3().await;
    bench.put("elsewhere", b"x").await;
    let store = bench.with(|config| {
        bucket(config).prefix = Some(key("video-processing/Süd"));
        config.public = Some("https://d1.cloudfront.net".to_owned());
    });
    let clip = key("a b.mp4");
    store.put(&clip, "a", Describe::default()).await.unwrap();
    assert_eq!(store.usage(None).await.unwrap().objects, 1);
    let whole = key("video-processing/Süd/a b.mp4");
    assert_eq!(bench.store.get(&whole).await.unwrap(), "a");
    let link = store
        .link(&clip, Duration::from_secs(60), None)
        .await
        .unwrap();
    assert_eq!(
        link.url,
        "https://d1.cloudfront.net/video-processing/S%C3%BCd/a%20b.mp4"
    );
    assert_eq!(link.expires, None);
    assert_eq!(store.delete_all(&key("a b.mp4")).await, Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_have_one_size_and_go_up_once_each() {
    let bench = Bench::s3().await;
    bench.server().seen();
    upload(&bench, "a").await.unwrap();
    let seen = bench.server().seen();
    let mut sizes: Vec<u64> = seen
        .iter()
        .filter(|seen| is_part(seen))
        .map(|seen| seen.length)
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [LARGE as u64 - (16 << 20), 8 << 20, 8 << 20]);
    // Begin, three parts, complete.
    assert_eq!(seen.len(), 5, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_survives_errors_that_pass() {
    let bench = Bench::s3().await;
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    bench.server().fail(move |seen| {
        let fails = is_part(seen) || is_completion(seen);
        (fails && counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(2)).then_some(503)
    });
    upload(&bench, "a").await.unwrap();
    assert!(count.load(Ordering::Relaxed) >= 4);
    bench.server().mend();
    assert!(bench.store.get(&key("a")).await.unwrap() == noise(LARGE));
}

/// Fault 15: nothing is visible, and no part stays to be paid for.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_upload_that_fails() {
    type Which = fn(&Seen) -> bool;

    let bench = Bench::s3().await;
    let before = bench.files();
    let faults: [(Which, u16); 4] = [
        (
            |seen| is_part(seen) && !seen.target.contains("partNumber=1&"),
            500,
        ),
        (is_part, 403),
        (is_part, 507),
        (is_completion, 503),
    ];
    for (which, status) in faults {
        bench
            .server()
            .fail(move |seen| which(seen).then_some(status));
        let error = upload(&bench, "a").await.unwrap_err();
        let expected = match status {
            403 => matches!(error, Error::Refused { .. }),
            507 => matches!(error, Error::Full { .. }),
            _ => matches!(error, Error::Away { .. }),
        };
        assert!(expected, "{status}: {error}");
        let text = error.to_string();
        assert!(text.starts_with("s3://videos/a: "), "{text}");
        assert!(text.contains("a fault of the test"), "{text}");
        bench.server().mend();
        assert_eq!(bench.keys(None).await, [""; 0]);
        assert_eq!(bench.files(), before, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_survives_errors_that_pass_and_tells_those_that_do_not() {
    let bench = Bench::s3().await;
    let bytes = noise(LARGE);
    let key = bench.put("a", &bytes).await;
    let mut odd = false;
    bench.server().fail(move |seen| {
        odd = !odd && seen.method == "GET";
        odd.then_some(500)
    });
    let cancel = Cancel::new();
    let mut reader = bench.store.open_object(&key, &cancel).await.unwrap();
    let mut reader = spawn_blocking(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert!(all == bytes);
        std::io::Seek::rewind(&mut reader).unwrap();
        reader
    })
    .await
    .unwrap();
    bench.server().fail(|_| Some(403));
    let error =
        spawn_blocking(move || std::io::copy(&mut reader, &mut std::io::sink()).unwrap_err());
    let error = error.await.unwrap();
    let own = Error::within(&error).expect("the store's error");
    assert!(matches!(own, Error::Refused { .. }), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_vanishes_while_it_is_read_is_an_error() {
    let bench = Bench::s3().await;
    let key = bench.put("a", &noise(LARGE)).await;
    let cancel = Cancel::new();
    let mut reader = bench.store.open_object(&key, &cancel).await.unwrap();
    bench.store.delete(&key).await.unwrap();
    let error = spawn_blocking(move || reader.read(&mut [0; 10]).unwrap_err());
    let error = error.await.unwrap();
    assert!(
        matches!(Error::within(&error), Some(Error::Changed { .. })),
        "{error}"
    );
}

/// A cancelled job does not wait for a store that is away.
#[tokio::test(flavor = "multi_thread")]
async fn cancelling_ends_reads_and_writes_that_wait() {
    let bench = Bench::s3().await;
    let key = bench.put("a", &noise(1000)).await;
    let cancel = Cancel::new();
    let mut reader = bench.store.open_object(&key, &cancel).await.unwrap();
    let describe = Describe::default();
    let (upload, body) = bench.store.create(&key, describe, None).await.unwrap();
    let mut writer = body.into_writer(cancel.clone());
    let (waiting, waits) = std::sync::mpsc::channel();
    bench.server().fail(move |_| {
        let _ = waiting.send(());
        Some(503)
    });
    let reading = spawn_blocking(move || reader.read(&mut [0; 10]).unwrap_err());
    let writing = spawn_blocking(move || {
        let piece = noise(1 << 20);
        loop {
            if let Err(error) = writer.write_all(&piece) {
                return error;
            }
        }
    });
    spawn_blocking(move || waits.recv().unwrap()).await.unwrap();
    let begun = Instant::now();
    cancel.cancel();
    for waited in [reading, writing] {
        let error = waited.await.unwrap();
        let own = Error::within(&error);
        assert!(matches!(own, Some(Error::Cancelled { .. })), "{error}");
    }
    // The requests themselves would be tried for longer.
    assert!(begun.elapsed() < Duration::from_secs(3));
    bench.server().mend();
    upload.abort().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_keeps_its_own_to_itself() {
    let bench = Bench::folder();
    bench.put("a", b"a").await;
    let own = key(".flatbed/url-key");
    let describe = Describe::default();
    for error in [
        bench.store.get(&own).await.unwrap_err(),
        bench
            .store
            .put(&own, "x", describe.clone())
            .await
            .unwrap_err(),
        bench.store.delete(&own).await.unwrap_err(),
        bench
            .store
            .create(&own, describe, None)
            .await
            .map(drop)
            .unwrap_err(),
        // A file stands where a folder would have to be.
        bench
            .store
            .put(&key("a/b"), "b", Describe::default())
            .await
            .unwrap_err(),
    ] {
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
    assert_eq!(bench.keys(None).await, ["a"]);
}

const CHILD: &str = "FLATBED_TEST_FULL_DISK";

/// The limit on a file's size holds for a whole process, so it is another one.
#[test]
fn nothing_is_left_where_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "store::faults::child_with_a_full_disk",
            "--exact",
            "--nocapture",
        ])
        .env(CHILD, folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{told}");
    assert!(told.contains("the disk was full"), "{told}");
    let unfinished = folder.path().join(".flatbed/unfinished");
    assert_eq!(std::fs::read_dir(unfinished).unwrap().count(), 0);
    assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"old");
}

/// Run by the test above; by itself it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn child_with_a_full_disk() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let Some(folder) = std::env::var_os(CHILD) else {
        return;
    };
    let store = Store::open(&Config::folder(folder)).unwrap();
    let key = key("a");
    let describe = Describe::default();
    store.put(&key, "old", describe.clone()).await.unwrap();
    // With a handler the signal does not kill, and the write fails.
    let caught = Arc::default();
    signal_hook::flag::register(rustix::process::Signal::XFSZ.as_raw(), caught).unwrap();
    let limit = Rlimit {
        current: Some(1 << 20),
        maximum: Some(1 << 20),
    };
    setrlimit(Resource::Fsize, limit).unwrap();
    let bytes = noise(3 << 20);
    let put = store.put(&key, bytes.clone(), describe.clone()).await;
    let (upload, mut body) = store.create(&key, describe, None).await.unwrap();
    let written = body.write(&bytes).await;
    upload.abort().await;
    for error in [put.unwrap_err(), written.unwrap_err()] {
        assert!(matches!(error, Error::Full { .. }), "{error}");
    }
    println!("the disk was full");
}
