//! Fault 6: an input that crashes the process. It is set aside, and what ran beside
//! it is done.

use serde_json::{Value, json};

use crate::exports::Server;
use crate::exports::cloud::{Cloud, Shared};
use crate::queue::bullmq::Bullmq;
use crate::queue::postgres::Postgres;
use crate::support::{Folder, wait_until};

#[test]
fn what_crashes_the_process_is_set_aside_and_the_others_are_done() {
    let folder = Folder::with(&["large.ts"]);
    let settings = [
        ("EXPORT_LEASE_SECONDS", "1"),
        ("VIDEO_WORKER_CONCURRENCY", "2"),
    ];
    crash_and_crash(|| Server::start(&folder, &settings), &folder);
}

#[test]
fn the_same_on_redis_and_s3() {
    on_a_cloud::<Bullmq>();
}

#[test]
fn the_same_on_postgres_and_s3() {
    on_a_cloud::<Postgres>();
}

fn on_a_cloud<Q: Shared>() {
    let cloud = Cloud::<Q>::new();
    let settings = [
        ("EXPORT_LEASE_SECONDS", "1"),
        ("VIDEO_WORKER_CONCURRENCY", "2"),
    ];
    crash_and_crash(|| cloud.host_with(&settings), &cloud.folder);
}

/// The process gets the signal of a bad access each time it works on the one.
fn crash_and_crash(start: impl Fn() -> Server, folder: &Folder) {
    let mut server = start();
    let video = server.video(&folder.path("large.ts"));
    let slow = json!([{"type": "transcode", "options": {"preset": "slow", "resolution": "960x"}}]);
    let quick = json!([
        {"type": "trim", "options": {"end": 4}},
        {"type": "transcode", "options": {"preset": "veryfast"}}
    ]);
    let poison = server.export(&video, &slow);
    let beside = server.export(&video, &quick);
    let look = |server: &Server, export: &str| server.get(&format!("/api/exports/{export}")).json();

    server.wait_for(&poison, "processing");
    server.wait_for(&beside, "processing");
    let mut crashes = 0_u64;
    let mut last = Value::Null;
    wait_until("the job to be set aside", || {
        last = look(&server, &poison);
        // It stays as it was until another process claims it.
        if last["status"] == "processing" && last["attempts"] == crashes + 1 {
            crashes += 1;
            server.signal("SEGV");
            server = start();
        }
        last["status"] == "failed"
    });
    assert_eq!((crashes, &last["attempts"]), (3, &json!(3)), "{last}");
    let reason = last["error"].as_str().expect("a reason");
    assert!(
        reason.contains("its worker was lost in attempt 3 of 3"),
        "{reason}"
    );

    let status = server.wait_for(&beside, "completed");
    assert!(
        status["attempts"].as_u64() <= Some(2),
        "lost with it once: {status}"
    );
    let dead = "flatbed_jobs_dead_total{workload=\"export\"} 1";
    wait_until("it to be counted", || {
        server.get("/metrics").text.contains(dead)
    });
    let text = server.get("/metrics").text;
    assert!(
        text.contains("video_processing_jobs_total{status=\"failed\"} 1"),
        "{text}"
    );
}
