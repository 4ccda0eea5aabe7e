//! Fault 5: every core encodes for longer than twice the lease, and no lease is
//! lost.

use std::time::Duration;

use serde_json::json;

use crate::exports::Server;
use crate::exports::cloud::{Cloud, Shared};
use crate::queue::bullmq::Bullmq;
use crate::queue::postgres::Postgres;
use crate::support::Folder;

const LEASE: &str = "1";

#[test]
fn encodes_on_every_core_keep_their_leases() {
    let folder = Folder::with(&["large.ts"]);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let at_once = cores.to_string();
    let settings = [
        ("EXPORT_LEASE_SECONDS", LEASE),
        ("VIDEO_WORKER_CONCURRENCY", &at_once),
    ];
    encode(&Server::start(&folder, &settings), &folder, cores);
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
        ("EXPORT_LEASE_SECONDS", LEASE),
        ("VIDEO_WORKER_CONCURRENCY", "2"),
    ];
    encode(&cloud.host_with(&settings), &cloud.folder, 2);
}

/// Encodes longer and longer parts, until it takes twice the lease.
fn encode(server: &Server, folder: &Folder, at_once: usize) {
    let video = server.video(&folder.path("large.ts"));
    let mut took = Duration::ZERO;
    for seconds in [0.2, 1.0, 5.0, 20.0] {
        let operations = json!([
            {"type": "trim", "options": {"end": seconds}},
            {"type": "transcode", "options": {"preset": "slow", "resolution": "640x"}}
        ]);
        let exports: Vec<String> = (0..at_once)
            .map(|_| server.export(&video, &operations))
            .collect();
        for export in &exports {
            let status = server.wait_for(export, "completed");
            assert_eq!(status["attempts"], 1, "{status}");
            let at = |name: &str| {
                let text = status[name].as_str().expect("a time");
                humantime::parse_rfc3339(text).expect("RFC 3339")
            };
            took = at("finishedAt")
                .duration_since(at("startedAt"))
                .expect("in order");
        }
        if took >= Duration::from_secs(3) {
            break;
        }
    }
    assert!(
        took >= Duration::from_secs(2),
        "too short to show anything: {took:?}"
    );
    let text = server.get("/metrics").text;
    assert!(!text.contains("flatbed_lease_losses_total{"), "{text}");
    assert!(!text.contains("flatbed_job_retries_total{"), "{text}");
}
