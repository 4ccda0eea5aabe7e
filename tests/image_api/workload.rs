//! The workload by itself: second runs, and what is left behind.

use std::path::Path;
use std::time::Duration;

use flatbed::config::Variables;
use flatbed::fetch::{self, Fetcher};
use flatbed::job::{Job, JobId, Outcome};
use flatbed::runner::{JobContext, Workload};
use flatbed::store::{self, Describe, Key, Store};
use flatbed::telemetry::Metrics;
use flatbed::workload::image::{Costs, Optimiser};
use flatbed::workload::image_api::{ImageApi, Made, leftovers};
use serde_json::json;

use crate::images::photos::photo;
use crate::support::Folder;

fn store(folder: &Path) -> Store {
    Store::open(&store::Config::folder(folder.join("store"))).expect("a store")
}

async fn workload(store: &Store) -> ImageApi {
    let costs = Costs::read(&mut Variables::of([]));
    ImageApi {
        store: store.clone(),
        fetcher: Fetcher::new(fetch::Config::default()).expect("a client"),
        optimiser: Optimiser::new(&costs).await.expect("threads"),
    }
}

fn context() -> JobContext {
    JobContext::new(Metrics::new().expect("metrics").workload("image_api"))
}

fn job(payload: &serde_json::Value) -> Job {
    Job {
        id: JobId::random(),
        name: "image".to_owned(),
        payload: payload.to_string().into_bytes(),
        attempt: 1,
        max_attempts: 3,
        enqueued_at: None,
    }
}

fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_says_the_same_though_the_upload_is_gone() {
    let folder = Folder::empty();
    let store = store(folder.as_ref());
    let workload = workload(&store).await;
    let job = job(&json!({"name": "photo.jpg", "options": {"maxWidth": 32}}));
    let source = key(&format!("image-jobs/{}/source", job.id));
    let put = store
        .put(&source, photo("64x48"), Describe::default())
        .await;
    put.expect("it is stored");
    let run = || workload.run(job.clone(), context());
    let Outcome::Done(first) = run().await else {
        panic!("it is done")
    };
    let made: Made = serde_json::from_value(first.clone()).expect("a result");
    assert_eq!((made.width, made.height, made.frames), (32, 24, 1));
    assert!(store.head(&source).await.is_err(), "the upload is gone");
    assert_eq!(run().await, Outcome::Done(first));

    store.delete(&made.key).await.expect("it is deleted");
    let Outcome::Reject { reason } = run().await else {
        panic!("there is nothing to make it of")
    };
    assert!(reason.contains("not there any more"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_of_others_are_looked_at_too() {
    let folder = Folder::empty();
    let workload = workload(&store(folder.as_ref())).await;
    for (payload, word) in [
        (json!({}), "name"),
        (json!({"name": "a", "key": "videos/a.mp4"}), "key"),
        (json!({"name": "a", "options": {"quality": 0}}), "quality"),
        (
            json!({"name": "a", "url": "http://127.0.0.1:9/"}),
            "private",
        ),
    ] {
        let Outcome::Reject { reason } = workload.run(job(&payload), context()).await else {
            panic!("{payload} is refused")
        };
        assert!(reason.contains(word), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_removed_and_nothing_of_others() {
    let folder = Folder::empty();
    let store = store(folder.as_ref());
    let job = JobId::random();
    let ours = [
        format!("image-jobs/{job}/source"),
        format!("image-jobs/{job}/image.webp"),
    ];
    let others = [
        format!("image-jobs/{job}/note.txt"),
        format!("exports/{job}/video.mp4"),
        "image-jobs/cat/image.webp".to_owned(),
    ];
    for name in ours.iter().chain(&others) {
        let put = store.put(&key(name), "x", Describe::default()).await;
        put.expect("it is stored");
    }
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(leftovers::sweep(&store, day).await, Ok(0));
    assert_eq!(leftovers::sweep(&store, Duration::ZERO).await, Ok(2));
    for name in &others {
        assert!(store.head(&key(name)).await.is_ok(), "{name}");
    }
    assert_eq!(leftovers::sweep(&store, Duration::ZERO).await, Ok(0));
}
