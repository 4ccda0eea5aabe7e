//! Faults 2 and 3: killed where a job is in two states at once.

use std::sync::mpsc;
use std::time::Duration;

use flatbed::queue::{Ledger, NewJob, State};
use serde_json::{Value, json};

use super::proxy::Proxy;
use crate::exports::Server;
use crate::exports::cloud::{Cloud, Shared};
use crate::queue::bullmq::Bullmq;
use crate::queue::postgres::Postgres;
use crate::support::{Folder, shown_frames, wait_until};

/// Two files, and nothing to encode.
fn operations() -> Value {
    json!([{"type": "trim", "options": {"end": 2, "mode": "copy"}}, {"type": "thumbnail"}])
}

/// Fault 2.
#[test]
fn killed_between_upload_and_settlement_it_is_done_again_and_seen_once() {
    let (cloud, _) = killed_between_upload_and_settlement::<Bullmq>();
    let stream = format!("bull:{}:events", cloud.queue.queue);
    let events = cloud.queue.server.command(&["XRANGE", &stream, "-", "+"]);
    let completed = format!("{events:?}").matches("\"completed\"").count();
    assert_eq!(
        completed, 1,
        "whoever listens hears of one result: {events:?}"
    );
}

#[test]
fn killed_between_upload_and_settlement_it_is_done_again_by_postgres() {
    let (_cloud, host) = killed_between_upload_and_settlement::<Postgres>();
    let stats = host.get("/api/exports/queue/stats").json();
    let counts = (&stats["completed"], &stats["active"], &stats["waiting"]);
    assert_eq!(counts, (&json!(1), &json!(0), &json!(0)), "{stats}");
}

/// The queue is out of reach from before the upload on, so that all of the output
/// is in the bucket and nothing is settled when the host is killed. (Were it only
/// stopped, it would read what the dead host had sent.) The host that did it again.
fn killed_between_upload_and_settlement<Q: Shared>() -> (Cloud<Q>, Server) {
    let cloud = Cloud::<Q>::new();
    let proxy = Proxy::before(cloud.queue.url());
    let host = cloud.host_with(&[(Q::ADDRESS, &proxy.url)]);
    let video = cloud.video(&host, "large.ts");
    let (began, uploading) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    cloud.s3.fail(move |seen| {
        if seen.target.contains("/exports/") && seen.method != "GET" && began.send(()).is_ok() {
            // Only the first request of the upload is held back.
            let _ = waits.recv_timeout(Duration::from_secs(600));
        }
        None
    });
    let export = host.export(&video, &operations());
    let bound = Duration::from_secs(600);
    uploading.recv_timeout(bound).expect("the upload begins");
    proxy.cut();
    drop(uploading);
    go_on.send(()).expect("it waits");
    wait_until("all of the output to be there", || {
        cloud.objects(&export).len() == 2
    });
    host.kill();

    let next = cloud.host();
    let status = next.wait_for(&export, "completed");
    // More where the store is slow to answer.
    assert!(status["attempts"].as_u64() >= Some(2), "{status}");
    assert_eq!(cloud.objects(&export), ["thumbnail-1.jpg", "video.ts"]);
    assert_eq!(cloud.fetch(&next, &export), 50);
    (cloud, next)
}

/// The same with a file as the queue, which another process has locked.
#[test]
fn killed_before_the_file_takes_its_settlement_it_is_done_again() {
    let folder = Folder::with(&["large.ts"]);
    let lease = ("EXPORT_LEASE_SECONDS", "3");
    let server = Server::start(&folder, &[lease]);
    let video = server.video(&folder.path("large.ts"));
    let file = rusqlite::Connection::open(folder.path("flatbed-data/queue.sqlite")).expect("it");
    file.busy_timeout(Duration::from_secs(30)).expect("a time");
    // Longer ones where the machine is done with one before the file is locked.
    let (export, frames) = [2, 10, 20]
        .into_iter()
        .find_map(|seconds| {
            let part = json!([
                {"type": "trim", "options": {"end": seconds}},
                {"type": "transcode", "options": {"preset": "medium"}}
            ]);
            let export = server.export(&video, &part);
            wait_until("a worker to have it", || {
                let status = server.get(&format!("/api/exports/{export}")).json();
                status["status"] != "queued"
            });
            file.execute_batch("BEGIN IMMEDIATE").expect("the lock");
            let state: String = file
                .query_row("SELECT state FROM jobs WHERE id = ?", [&export], |row| {
                    row.get(0)
                })
                .expect("the job");
            if state == "active" {
                return Some((export, seconds * 25));
            }
            file.execute_batch("ROLLBACK").expect("the lock is let go");
            None
        })
        .expect("one that is still worked on");
    let output = folder.path(&format!("flatbed-data/store/exports/{export}/video.ts"));
    wait_until("the output to be there", || output.exists());
    server.kill();
    drop(file);

    let server = Server::start(&folder, &[lease]);
    let status = server.wait_for(&export, "completed");
    assert_eq!(status["attempts"], 2, "{status}");
    assert_eq!(shown_frames(&output), frames);
    let names = std::fs::read_dir(output.parent().expect("a folder")).expect("it is there");
    assert_eq!(names.count(), 1);
}

/// Fault 3. The claim and its lock are one step in Redis; what is left between them
/// is that the worker never hears of it.
#[test]
fn killed_before_it_hears_of_its_claim_the_job_goes_to_the_next() {
    let cloud = Cloud::<Bullmq>::new();
    let proxy = Proxy::before(&cloud.queue.server.url);
    let front = cloud.host();
    let video = cloud.video(&front, "recording.mp4");
    front.stop();
    let host = cloud.host_with(&[("REDIS_URL", &proxy.url)]);
    // The answer to the claim has the job's data in it.
    proxy.lose_answers_from(&video);
    let payload = json!({"videoId": video, "operations": operations()}).to_string();
    let job = NewJob::new("export", payload);
    let id = job.id.clone();
    let queue = cloud.queue.queue();
    cloud.runtime.block_on(async {
        queue.add(job).await.expect("it is added");
    });
    wait_until("the claim", || {
        let record = cloud.runtime.block_on(queue.find(&id)).expect("Redis");
        record.expect("the job").state == State::Active
    });
    host.kill();

    let next = cloud.host();
    let status = next.wait_for(id.as_str(), "completed");
    assert_eq!(status["attempts"], 2, "the claim was charged: {status}");
    assert_eq!(cloud.fetch(&next, id.as_str()), 50);
}
