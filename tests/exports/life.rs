//! An export from its asking to its files.

use std::fs;

use serde_json::json;

use super::Server;
use crate::support::{Folder, container, picture_size, shown_frames, wait_until};

#[test]
fn with_nothing_set_a_video_becomes_what_was_asked_for() {
    let folder = Folder::with(&["recording.mp4", "mark.png"]);
    let server = Server::start(&folder, &[]);

    let answer = server.upload(&folder.path("recording.mp4"));
    assert_eq!(answer.code, 201, "{answer:?}");
    let video = answer.json();
    let bytes = fs::metadata(folder.path("recording.mp4"))
        .expect("a file")
        .len();
    assert_eq!(video["bytes"], bytes);
    assert_eq!(video["media"]["width"], 160);
    assert_eq!(video["media"]["codecs"], json!(["h264", "aac"]));
    assert_eq!(video["media"]["kind"], "video");
    let id = answer.field("id");
    let mark = server.video(&folder.path("mark.png"));

    let operations = json!([
        {"type": "trim", "options": {"start": 1, "duration": 2}},
        {"type": "watermark", "options": {"image": mark, "position": "top-right"}},
        {"type": "transcode", "options": {"codec": "h264", "bitrate": "300k", "resolution": "80x60"}},
        {"type": "thumbnail", "options": {"timestamps": ["50%"], "size": "40x30"}}
    ]);
    let export = server.export(&id, &operations);
    let status = server.wait_for(&export, "completed");
    assert_eq!(status["jobStatus"]["state"], "completed");
    assert_eq!(status["jobStatus"]["progress"], 100);
    assert_eq!(status["videoId"], id);

    let answer = server.get(&format!("/api/exports/{export}/download"));
    assert_eq!(answer.code, 200, "{answer:?}");
    let download = answer.json();
    assert!(download["expiresAt"].is_string(), "{download}");
    let files = download["files"].as_array().expect("files");
    assert_eq!(files.len(), 2, "{download}");
    assert_eq!(download["url"], files[0]["url"]);
    for (file, name, kind) in [
        (&files[0], "video.mp4", "video"),
        (&files[1], "thumbnail-1.jpg", "thumbnail"),
    ] {
        assert_eq!((&file["name"], &file["kind"]), (&json!(name), &json!(kind)));
        let path = folder.path(name);
        server.fetch(file["url"].as_str().expect("a link"), &path);
        let bytes = fs::metadata(&path).expect("a file").len();
        assert_eq!(file["bytes"], bytes);
    }
    assert_eq!(shown_frames(&folder.path("video.mp4")), 50);
    assert_eq!(picture_size(&folder.path("thumbnail-1.jpg")), "mjpeg,40,30");

    // Nothing half-done lies about.
    let unfinished = folder.path("flatbed-data/store/.flatbed/unfinished");
    assert_eq!(fs::read_dir(unfinished).map_or(0, Iterator::count), 0);
    server.stop();

    // What was done outlives the process.
    let server = Server::start(&folder, &[]);
    server.wait_for(&export, "completed");
    assert_eq!(server.get(&format!("/api/videos/{id}")).json(), video);
}

#[test]
fn a_copy_needs_no_encoder_and_keeps_every_frame() {
    let folder = Folder::with(&["recording.ts"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("recording.ts"));
    let operations = json!([{"type": "convert", "options": {"format": "mkv"}}]);
    let export = server.export(&video, &operations);
    server.wait_for(&export, "completed");
    let download = server.download(&export);
    let path = folder.path("video.mkv");
    server.fetch(download["url"].as_str().expect("a link"), &path);
    assert_eq!(container(&path), "matroska,webm");
    assert_eq!(shown_frames(&path), 150);
}

#[test]
fn progress_comes_as_events_until_the_end() {
    let folder = Folder::with(&["large.ts"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("large.ts"));
    let operations = json!([{"type": "transcode", "options": {"preset": "veryfast"}}]);
    let export = server.export(&video, &operations);
    // The stream ends by itself, or curl would not.
    let answer = server.get(&format!("/api/exports/{export}/events"));
    assert!(answer.headers.contains("content-type: text/event-stream"));
    let statuses: Vec<serde_json::Value> = answer
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).expect("JSON"))
        .collect();
    let last = statuses.last().expect("an event");
    assert_eq!(last["status"], "completed", "{}", answer.text);
    let working = statuses.iter().find(|status| {
        let detail = &status["jobStatus"]["detailedProgress"];
        status["status"] == "processing" && detail["timemark"].is_string()
    });
    let working = working.expect("progress in between");
    assert_eq!(working["jobStatus"]["state"], "active");
    let detail = &working["jobStatus"]["detailedProgress"];
    assert!(
        detail["percent"].is_u64() && detail["currentOperation"].is_string(),
        "{detail}"
    );
}

#[test]
fn one_that_runs_is_cancelled_and_leaves_nothing() {
    let folder = Folder::with(&["large.ts"]);
    let server = Server::start(&folder, &[("VIDEO_WORKER_CONCURRENCY", "1")]);
    let video = server.video(&folder.path("large.ts"));
    let slow = json!([{"type": "transcode", "options": {"preset": "veryslow", "resolution": "1920x1440"}}]);
    let running = server.export(&video, &slow);
    server.wait_for(&running, "processing");
    let waiting = server.export(&video, &slow);

    let answer = server.delete(&format!("/api/exports/{waiting}"));
    assert_eq!(
        (answer.code, answer.field("status").as_str()),
        (200, "cancelled")
    );
    let answer = server.delete(&format!("/api/exports/{running}"));
    assert_eq!(answer.code, 202, "{answer:?}");
    server.wait_for(&running, "cancelled");
    server
        .get(&format!("/api/exports/{running}/download"))
        .refused(409, &["cancelled"]);
    wait_until("nothing to be left", || {
        let left = |name: &str| {
            let folder = folder.path("flatbed-data/store").join(name);
            fs::read_dir(folder).map_or(0, Iterator::count)
        };
        left("exports") == 0 && left(".flatbed/unfinished") == 0
    });

    // And it can be asked for anew.
    let answer = server.post(&format!("/api/exports/{waiting}/retry"), &json!({}));
    assert_eq!(answer.code, 202, "{answer:?}");
    server.wait_for(&waiting, "processing");
    server.delete(&format!("/api/exports/{waiting}"));
    server.wait_for(&waiting, "cancelled");
}

#[test]
fn what_cannot_be_done_fails_at_once_with_its_reason() {
    let folder = Folder::with(&["sound.m4a"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("sound.m4a"));
    let operations = json!([{"type": "thumbnail", "options": {"timestamps": [0]}}]);
    let export = server.export(&video, &operations);
    let status = server.wait_for(&export, "failed");
    assert_eq!(status["attempts"], 1, "{status}");
    let error = status["error"].as_str().expect("a reason");
    assert!(error.contains("sound.m4a"), "{error}");
    let listed = server.get("/api/exports?state=failed").json();
    assert_eq!(listed[0]["id"], export);
    let stats = server.get("/api/exports/queue/stats").json();
    let expected =
        json!({"waiting": 0, "active": 0, "completed": 0, "failed": 1, "delayed": 0, "paused": 0});
    assert_eq!(stats, expected);
}
