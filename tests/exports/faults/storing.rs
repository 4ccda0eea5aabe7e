//! Fault 15: the store fails, or the disk is full, in mid-upload. The job says why
//! and is tried again, and nothing half-done is seen.

use std::fs;

use serde_json::{Value, json};

use crate::exports::Server;
use crate::exports::cloud::Cloud;
use crate::queue::bullmq::Bullmq;
use crate::support::{Folder, wait_until};

/// Copied, of two parts: 12 MB, near enough.
fn operations() -> Value {
    json!([{"type": "trim", "options": {"end": 12, "mode": "copy"}}])
}

/// Waits for the reason of the first failure.
fn reason(server: &Server, export: &str) -> String {
    let mut status = Value::Null;
    wait_until("the attempt to fail", || {
        status = server.get(&format!("/api/exports/{export}")).json();
        status["error"].is_string()
    });
    assert_eq!(status["attempts"], 1, "{status}");
    let error = status["error"].as_str().expect("a text");
    assert!(!error.contains('\n'), "{error:?}");
    error.to_owned()
}

#[test]
fn a_store_that_fails_in_mid_upload_shows_no_part_of_an_object() {
    let cloud = Cloud::<Bullmq>::new();
    let host = cloud.host();
    let video = cloud.video(&host, "large.ts");
    cloud.s3.seen();
    cloud.s3.fail(|seen| {
        let later = seen.target.contains("partNumber=") && !seen.target.contains("partNumber=1&");
        (seen.target.contains("/exports/") && later).then_some(503)
    });
    let export = host.export(&video, &operations());
    let error = reason(&host, &export);
    assert!(
        error.contains("video.ts") && error.contains("503"),
        "{error}"
    );
    assert_eq!(cloud.objects(&export), [""; 0]);
    let seen = cloud.s3.seen();
    let aborts = seen
        .iter()
        .filter(|seen| seen.method == "DELETE" && seen.target.contains("uploadId="));
    assert_eq!(aborts.count(), 1, "the upload is aborted: {seen:?}");

    cloud.s3.mend();
    host.wait_for(&export, "completed");
    assert_eq!(cloud.objects(&export), ["video.ts"]);
    assert_eq!(cloud.fetch(&host, &export), 300);
}

#[test]
fn a_full_disk_shows_no_part_of_a_file() {
    let folder = Folder::with(&["large.ts"]);
    // As a recorder leaves it there: no upload, which the limit would stop.
    let store = folder.path("flatbed-data/store");
    fs::create_dir_all(store.join("tapes")).expect("a folder");
    fs::copy(folder.path("large.ts"), store.join("tapes/large.ts")).expect("a copy");
    let bytes = fs::metadata(folder.path("large.ts")).expect("a file").len();
    let server = Server::start_with_largest_file(&folder, bytes / 2048, &[]);
    let answer = server.post("/api/videos", &json!({"key": "tapes/large.ts"}));
    assert_eq!(answer.code, 201, "{answer:?}");
    let export = server.export(&answer.field("id"), &operations());
    let error = reason(&server, &export);
    assert!(
        error.contains("too large") || error.contains("full"),
        "{error}"
    );
    let nothing = |name: &str| fs::read_dir(store.join(name)).map_or(0, Iterator::count) == 0;
    assert!(nothing("exports") && nothing(".flatbed/unfinished"));

    // Nor of an upload.
    let answer = server.upload(&folder.path("large.ts"));
    answer.refused(507, &["no room"]);
    assert!(
        !answer.text.contains("flatbed-data"),
        "a path of the server's: {answer:?}"
    );
    assert_eq!(
        fs::read_dir(store.join("videos"))
            .expect("it is there")
            .count(),
        1
    );
    assert!(nothing(".flatbed/unfinished"));
    server.stop();

    let server = Server::start(&folder, &[]);
    server.wait_for(&export, "completed");
}
