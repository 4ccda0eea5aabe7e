//! Fault 12: SIGTERM past the time of grace, with jobs in Redis or Postgres
//! (`exports/worker.rs` has it with a file).

use serde_json::json;

use crate::exports::cloud::{Cloud, Shared};
use crate::queue::bullmq::Bullmq;
use crate::queue::postgres::Postgres;

#[test]
fn a_stopped_host_puts_its_export_back_uncharged() {
    put_back_uncharged::<Bullmq>();
}

#[test]
fn a_stopped_host_puts_its_export_back_uncharged_by_postgres() {
    put_back_uncharged::<Postgres>();
}

fn put_back_uncharged<Q: Shared>() {
    let cloud = Cloud::<Q>::new();
    let host = cloud.host_with(&[("SHUTDOWN_GRACE_SECONDS", "0")]);
    let video = cloud.video(&host, "large.ts");
    let operations = json!([
        {"type": "trim", "options": {"end": 8}},
        {"type": "transcode", "options": {"preset": "fast"}}
    ]);
    let export = host.export(&video, &operations);
    host.wait_for(&export, "processing");
    host.stop();
    assert_eq!(cloud.objects(&export), [""; 0]);

    let next = cloud.host();
    let status = next.wait_for(&export, "completed");
    assert_eq!(status["attempts"], 1, "{status}");
    assert_eq!(cloud.fetch(&next, &export), 200);
}
