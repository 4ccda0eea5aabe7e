//! What every store guarantees for whole objects.

use std::time::Duration;

use flatbed::store::{BadLink, Describe, Error, Signed, Usage};

use super::bench::{Bench, key, noise};
use super::on_every_store;

on_every_store!(
    what_is_put_is_got,
    what_is_not_there_is_absent,
    keys_may_be_any_text,
    listing_and_deleting_go_by_whole_segments,
    an_overwritten_object_is_seen_whole,
    files_are_kept,
    links_work_for_their_time,
    the_doctor_is_content,
);

async fn what_is_put_is_got(bench: Bench) {
    let key = key("exports/7f/clip.mp4");
    let describe = Describe::default();
    let put = bench.store.put(&key, "some bytes", describe).await.unwrap();
    assert_eq!((put.bytes, put.key.as_str()), (10, key.as_str()));
    let head = bench.store.head(&key).await.unwrap();
    assert_eq!((head.bytes, &head.key), (10, &key));
    assert_eq!(head.version, put.version);
    assert!(head.modified.elapsed().unwrap_or_default() < Duration::from_secs(3600));
    assert_eq!(bench.store.get(&key).await.unwrap(), "some bytes");
    bench.put("empty", b"").await;
    assert_eq!(bench.store.get(&self::key("empty")).await.unwrap(), "");
    bench.store.check().await.unwrap();
}

async fn what_is_not_there_is_absent(bench: Bench) {
    bench.put("a/b", b"b").await;
    // Neither `a` nor anything below `a/b` is an object. In real S3 these are names
    // like others; s3s-fs, whose objects are files, answers 500.
    let names = ["nothing", "no/folder", "a", "a/b/c"];
    let asked = if bench.store.is_folder() { 4 } else { 2 };
    for &name in &names[..asked] {
        let key = key(name);
        let name = bench.store.name_of(&key);
        let absent = Error::Absent { object: name };
        assert_eq!(bench.store.head(&key).await, Err(absent.clone()));
        assert_eq!(bench.store.get(&key).await, Err(absent.clone()));
        let cancel = flatbed_media::Cancel::new();
        let opened = bench.store.open_object(&key, &cancel).await;
        assert_eq!(opened.map(drop), Err(absent));
        bench.store.delete(&key).await.unwrap();
    }
    assert_eq!(bench.keys(None).await, ["a/b"]);
    assert_eq!(bench.keys(Some(&key("nothing"))).await, [""; 0]);
    assert_eq!(bench.store.delete_all(&key("nothing")).await, Ok(0));
}

async fn keys_may_be_any_text(bench: Bench) {
    let names = [
        "Lager Süd/Größe.mp4",
        "カメラ/一.mp4",
        "100%/a%20b.mp4",
        "a+b&c=d;e,f@g!h'i(j)*.mp4",
        "x#1?y=2.mp4",
        "~tilde/.hidden",
        "🎬.mp4",
    ];
    for name in names {
        let key = bench.put(name, name.as_bytes()).await;
        assert_eq!(bench.store.get(&key).await.unwrap(), name.as_bytes());
        assert_eq!(bench.store.head(&key).await.unwrap().key, key);
    }
    let mut sorted: Vec<&str> = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(bench.keys(None).await, sorted);
    for name in names {
        bench.store.delete(&key(name)).await.unwrap();
    }
    assert_eq!(bench.keys(None).await, [""; 0]);
}

async fn listing_and_deleting_go_by_whole_segments(bench: Bench) {
    for name in ["a/b/1", "a/b/2", "a/bc/3", "a/b.mp4", "d"] {
        bench.put(name, name.as_bytes()).await;
    }
    assert_eq!(bench.keys(Some(&key("a/b"))).await, ["a/b/1", "a/b/2"]);
    let usage = |objects, bytes| Ok(Usage { objects, bytes });
    assert_eq!(bench.store.usage(None).await, usage(5, 24));
    assert_eq!(bench.store.usage(Some(&key("a/b"))).await, usage(2, 10));
    assert_eq!(bench.store.delete_all(&key("a/b")).await, Ok(2));
    assert_eq!(bench.keys(None).await, ["a/b.mp4", "a/bc/3", "d"]);
}

async fn an_overwritten_object_is_seen_whole(bench: Bench) {
    const SIZE: usize = 300_000;
    let key = bench.put("state", &vec![0; SIZE]).await;
    let store = bench.store.clone();
    let writer = tokio::spawn({
        let key = key.clone();
        async move {
            for round in 1..=20_u8 {
                let bytes = vec![round; SIZE];
                store.put(&key, bytes, Describe::default()).await.unwrap();
            }
        }
    });
    let mut reads = 0;
    while !writer.is_finished() || reads < 3 {
        let bytes = bench.store.get(&key).await.unwrap();
        assert_eq!(bytes.len(), SIZE);
        assert!(bytes.iter().all(|&byte| byte == bytes[0]), "two at once");
        reads += 1;
    }
    writer.await.unwrap();
    assert_eq!(bench.store.get(&key).await.unwrap(), vec![20; SIZE]);
}

async fn files_are_kept(bench: Bench) {
    let bytes = noise(9 << 20);
    let file = bench.file("render.mp4", &bytes);
    let key = key("exports/1/render.mp4");
    let describe = Describe::default();
    let object = bench.store.put_file(&key, &file, describe.clone()).await;
    assert_eq!(object.unwrap().bytes, 9 << 20);
    assert!(bench.store.get(&key).await.unwrap() == bytes);
    assert!(file.exists());

    let scratch = bench.store.scratch(1 << 20).await.unwrap();
    let file = scratch.path("shot.webp");
    std::fs::write(&file, b"webp").unwrap();
    let key = self::key("exports/1/shot.webp");
    bench.store.put_file(&key, &file, describe).await.unwrap();
    assert_eq!(bench.store.get(&key).await.unwrap(), "webp");
    let folder = scratch.folder().to_owned();
    drop(scratch);
    assert!(!folder.exists());
    assert_eq!(bench.store.get(&key).await.unwrap(), "webp");
}

async fn links_work_for_their_time(bench: Bench) {
    let key = bench.put("exports/Süd 1.mp4", b"a clip").await;
    let hour = Duration::from_secs(3600);
    let link = bench.store.link(&key, hour, Some("Süd.mp4")).await.unwrap();
    let expires = link.expires.unwrap();
    let left = expires.duration_since(std::time::SystemTime::now());
    assert!(left.unwrap() <= hour);
    if bench.store.is_folder() {
        let url = url::Url::parse(&format!("http://host{}", link.url)).unwrap();
        let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
        let mut signed = Signed {
            expires: query["expires"].parse().unwrap(),
            name: query.get("name").cloned(),
            signature: query["signature"].clone(),
        };
        assert_eq!(bench.store.verify(&key, &signed), Ok(()));
        signed.expires += 1;
        assert_eq!(bench.store.verify(&key, &signed), Err(BadLink::Forged));
        // Another process that has the same folder knows the same key.
        let path = bench.store.name().to_owned();
        let other = flatbed::store::Store::open(&flatbed::store::Config::folder(path)).unwrap();
        signed.expires -= 1;
        assert_eq!(other.verify(&key, &signed), Ok(()));
        return;
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |url: &str| {
        let answer = client.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer)
    };
    let (status, answer) = get(&link.url).await;
    assert_eq!(status, 200);
    let disposition = answer.headers()["content-disposition"].to_str().unwrap();
    assert_eq!(disposition, flatbed::store::attachment("Süd.mp4"));
    assert_eq!(answer.headers()["content-type"], "video/mp4");
    assert_eq!(answer.bytes().await.unwrap(), "a clip");
    // A link to this object opens no other, for no longer, under no other name.
    for (part, other) in [
        ("1.mp4?", "2.mp4?"),
        ("Expires=3600", "Expires=7200"),
        ("S_d.mp4", "virus.exe"),
    ] {
        let forged = link.url.replacen(part, other, 1);
        assert_ne!(forged, link.url, "{part} is not in {}", link.url);
        assert_eq!(get(&forged).await.0, 403, "{forged}");
    }
    let short = bench.store.link(&key, Duration::from_secs(1), None).await;
    let short = short.unwrap().url;
    let mut tries = 0;
    while get(&short).await.0 != 403 {
        tries += 1;
        assert!(tries < 300, "the link does not expire");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn the_doctor_is_content(bench: Bench) {
    bench.store.rehearse().await.unwrap();
    assert_eq!(bench.keys(None).await, [""; 0]);
}
