//! Uploads and readers, of every store.

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use flatbed::store::{Describe, Error};
use flatbed_media::Cancel;
use tokio::task::spawn_blocking;

use super::bench::{Bench, key, noise};
use super::on_every_store;

on_every_store!(
    an_upload_is_seen_when_it_is_finished,
    small_and_empty_uploads_are_objects_too,
    nothing_is_left_of_an_aborted_upload,
    nothing_is_left_of_a_dropped_upload,
    an_upload_replaces_what_was_there,
    a_thread_writes_an_upload,
    a_reader_goes_anywhere,
    a_reader_keeps_to_one_version,
);

/// More than two parts, and not a whole number of them.
const LARGE: usize = (20 << 20) + 12_345;

async fn an_upload_is_seen_when_it_is_finished(bench: Bench) {
    let bytes = noise(LARGE);
    let key = key("live/clip.ts");
    let describe = Describe::default();
    let (upload, mut body) = bench.store.create(&key, describe, None).await.unwrap();
    for piece in bytes.chunks(1_000_003) {
        body.write(piece).await.unwrap();
    }
    drop(body);
    assert_eq!(bench.keys(None).await, [""; 0]);
    let object = upload.finish().await.unwrap();
    assert_eq!(object.bytes, LARGE as u64);
    assert_eq!(bench.keys(None).await, ["live/clip.ts"]);
    assert!(bench.store.get(&key).await.unwrap() == bytes);
    let head = bench.store.head(&key).await.unwrap();
    assert_eq!((head.bytes, head.version), (object.bytes, object.version));
}

async fn small_and_empty_uploads_are_objects_too(bench: Bench) {
    for (name, bytes) in [("empty", &b""[..]), ("small", b"a few bytes")] {
        let key = key(name);
        let describe = Describe::default();
        let (upload, mut body) = bench.store.create(&key, describe, None).await.unwrap();
        body.write(bytes).await.unwrap();
        drop(body);
        assert_eq!(upload.finish().await.unwrap().bytes, bytes.len() as u64);
        assert_eq!(bench.store.get(&key).await.unwrap(), bytes);
    }
}

async fn nothing_is_left_of_an_aborted_upload(bench: Bench) {
    let before = bench.files();
    for length in [0, 1000, LARGE] {
        let describe = Describe::default();
        let created = bench.store.create(&key("a"), describe, None).await;
        let (upload, mut body) = created.unwrap();
        body.write(&noise(length)).await.unwrap();
        drop(body);
        upload.abort().await;
        assert_eq!(bench.keys(None).await, [""; 0]);
        assert_eq!(bench.files(), before, "{length}");
    }
}

async fn nothing_is_left_of_a_dropped_upload(bench: Bench) {
    let before = bench.files();
    let describe = Describe::default();
    let created = bench.store.create(&key("a"), describe, None).await;
    let (upload, mut body) = created.unwrap();
    body.write(&noise(LARGE)).await.unwrap();
    drop(upload);
    drop(body);
    let mut tries = 0;
    while bench.files() != before {
        tries += 1;
        assert!(tries < 300, "left: {:?}", bench.files());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.keys(None).await, [""; 0]);
}

async fn an_upload_replaces_what_was_there(bench: Bench) {
    let key = bench.put("a", b"old").await;
    let describe = Describe::default();
    let (upload, mut body) = bench.store.create(&key, describe, None).await.unwrap();
    body.write(&noise(LARGE)).await.unwrap();
    drop(body);
    assert_eq!(bench.store.get(&key).await.unwrap(), "old");
    upload.finish().await.unwrap();
    assert_eq!(bench.store.head(&key).await.unwrap().bytes, LARGE as u64);
}

async fn a_thread_writes_an_upload(bench: Bench) {
    let bytes = noise(LARGE);
    let key = key("a");
    let describe = Describe::default();
    let (upload, body) = bench.store.create(&key, describe, None).await.unwrap();
    let mut writer = body.into_writer(Cancel::new());
    let written = bytes.clone();
    spawn_blocking(move || {
        for piece in written.chunks(32 << 10) {
            writer.write_all(piece).unwrap();
        }
        writer.flush().unwrap();
    })
    .await
    .unwrap();
    upload.finish().await.unwrap();
    assert!(bench.store.get(&key).await.unwrap() == bytes);
}

async fn a_reader_goes_anywhere(bench: Bench) {
    let bytes = noise(LARGE);
    let key = bench.put("a", &bytes).await;
    let empty = bench.put("empty", b"").await;
    let cancel = Cancel::new();
    let mut nothing = bench.store.open_object(&empty, &cancel).await.unwrap();
    let mut reader = bench.store.open_object(&key, &cancel).await.unwrap();
    spawn_blocking(move || {
        assert_eq!(nothing.read(&mut [0; 10]).unwrap(), 0);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert!(all == bytes);
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
        // Here and there, as a demuxer with two tracks far apart.
        let mut piece = vec![0; 50_000];
        let mut check = |reader: &mut flatbed::store::Content, at: usize| {
            let at = at.min(bytes.len());
            reader.seek(SeekFrom::Start(at as u64)).unwrap();
            let count = piece.len().min(bytes.len() - at);
            reader.read_exact(&mut piece[..count]).unwrap();
            assert!(piece[..count] == bytes[at..at + count], "at {at}");
        };
        for step in 0..40 {
            check(&mut reader, step * 60_000);
            check(&mut reader, (12 << 20) + step * 70_000);
            check(&mut reader, bytes.len() - 50_000 - step * 11);
        }
        check(&mut reader, usize::MAX);
        let end = reader.seek(SeekFrom::End(-5)).unwrap();
        assert_eq!(end, bytes.len() as u64 - 5);
        assert_eq!(reader.seek(SeekFrom::Current(-10)).unwrap(), end - 10);
        assert!(reader.seek(SeekFrom::End(-1_000_000_000)).is_err());
        let beyond = bytes.len() as u64 + 7;
        assert_eq!(reader.seek(SeekFrom::Start(beyond)).unwrap(), beyond);
        assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);
    })
    .await
    .unwrap();
}

/// Who has begun reads the old object to its end, or is told.
async fn a_reader_keeps_to_one_version(bench: Bench) {
    let old = noise(LARGE);
    let key = bench.put("a", &old).await;
    let cancel = Cancel::new();
    let mut reader = bench.store.open_object(&key, &cancel).await.unwrap();
    let (mut reader, mut got) = spawn_blocking(move || {
        let mut begun = vec![0; 100_000];
        reader.read_exact(&mut begun).unwrap();
        (reader, begun)
    })
    .await
    .unwrap();
    let mut new = old.clone();
    new.reverse();
    bench.put("a", &new).await;
    let name = bench.store.name_of(&key);
    let is_folder = bench.store.is_folder();
    spawn_blocking(move || {
        let read = reader.read_to_end(&mut got);
        // What came is of the old one in either case.
        assert!(old.starts_with(&got));
        match read {
            Ok(_) => assert!(is_folder && got.len() == old.len()),
            Err(error) => {
                let changed = Error::Changed { object: name };
                assert_eq!(Error::within(&error), Some(&changed));
            }
        }
    })
    .await
    .unwrap();
}
