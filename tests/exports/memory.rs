//! A thousand exports at once cost no memory to speak of.

use std::fs;

use serde_json::json;

use super::Server;
use crate::support::{Folder, wait_until};

/// How much more than before they may take, in bytes.
const GROWTH: u64 = 50 << 20;

const EXPORTS: u64 = 1000;

#[test]
fn a_thousand_exports_at_once_take_no_memory() {
    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("recording.mp4"));
    let operations = json!([{"type": "trim", "options": {"end": 1, "mode": "copy"}}]);
    let first = server.export(&video, &operations);
    server.wait_for(&first, "completed");
    let before = memory(&server, "VmRSS");

    let body = json!({"videoId": video, "operations": operations}).to_string();
    let output = folder.path("answers").display().to_string();
    let arguments = [
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        &body,
        "--parallel",
        "--parallel-max",
        "50",
        "--no-include",
        "--fail",
        "--output",
        &output,
    ];
    server.curl_all(&arguments, &format!("/api/exports?number=[1-{EXPORTS}]"));
    let stats = server.get("/api/exports/queue/stats").json();
    let number = |state: &str| stats[state].as_u64().expect("a number");
    let queued = number("waiting") + number("active") + number("completed");
    assert_eq!(queued, EXPORTS + 1, "{stats}");
    // Some of them in the midst of all.
    let enough = number("completed") + 20;
    wait_until("some of them to be done", || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let stats = server.get("/api/exports/queue/stats").json();
        stats["completed"].as_u64().expect("a number") >= enough.min(EXPORTS)
    });
    let most = memory(&server, "VmHWM");
    let growth = most.saturating_sub(before);
    eprintln!("{} MiB before, {} at most", before >> 20, most >> 20);
    assert!(growth <= GROWTH, "{} MiB more than before", growth >> 20);
}

/// A line of what Linux says of the server's memory, in bytes.
pub fn memory(server: &Server, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("Linux");
    let value = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes = value.and_then(|value| value.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes.expect("kB").trim().parse().expect("a number");
    kilobytes << 10
}
