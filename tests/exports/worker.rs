//! The worker around exports: health, metrics, crashes, signals, settings.

use serde_json::json;

use super::Server;
use crate::metrics::promtool;
use crate::support::{Folder, Run, shown_frames};

#[test]
fn health_names_what_it_needs() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    let answer = server.get("/health");
    assert_eq!(answer.code, 200, "{answer:?}");
    let health = answer.json();
    assert_eq!(health["status"], "healthy");
    for name in ["database", "ffmpeg", "processor", "storage"] {
        assert_eq!(health["dependencies"][name]["status"], "ok", "{health}");
    }
    // Its folder goes: it is not well, and says of what.
    std::fs::rename(folder.path("flatbed-data/store"), folder.path("gone")).expect("moved");
    crate::support::wait_until("the loss to be told", || server.get("/health").code == 503);
    let health = server.get("/health").json();
    assert_eq!(health["status"], "unhealthy");
    assert_eq!(
        health["dependencies"]["storage"]["status"], "error",
        "{health}"
    );
    assert_eq!(
        health["dependencies"]["database"]["status"], "ok",
        "{health}"
    );
}

#[test]
fn metrics_are_what_prometheus_expects() {
    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("recording.mp4"));
    let operations = json!([{"type": "transcode", "options": {"preset": "ultrafast"}}]);
    let export = server.export(&video, &operations);
    server.wait_for(&export, "completed");
    let download = server.download(&export);
    let (read, written) = (
        std::fs::metadata(folder.path("recording.mp4"))
            .expect("a file")
            .len(),
        download["files"][0]["bytes"].as_u64().expect("a size"),
    );
    // It is measured now and then.
    let used = |text: &str| value(text, "video_storage_used_bytes ");
    crate::support::wait_until("the store to be measured", || {
        used(&server.get("/metrics").text) >= Some(read + written)
    });
    let text = server.get("/metrics").text;
    for (series, expected) in [
        ("video_export_size_bytes_sum ", written),
        (
            "flatbed_bytes_total{direction=\"in\",workload=\"export\"} ",
            read,
        ),
        (
            "flatbed_bytes_total{direction=\"out\",workload=\"export\"} ",
            written,
        ),
        (
            "flatbed_frames_total{how=\"encoded\",workload=\"export\"} ",
            150,
        ),
        (
            "flatbed_frames_total{how=\"copied\",workload=\"export\"} ",
            0,
        ),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series}: {text}");
    }
    for line in [
        "video_processing_jobs_total{status=\"completed\"} 1",
        "video_processing_job_duration_seconds_count 1",
        "video_processing_queue_size{state=\"completed\"} 1",
        "video_processing_queue_size{state=\"waiting\"} 0",
        "video_processing_errors_total 0",
        "video_export_size_bytes_count 1",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no {line} in {text}"
        );
    }
    assert!(text.contains("video_storage_used_bytes "), "{text}");
    assert!(text.contains("flatbed_stage_duration_seconds"), "{text}");

    assert_eq!(promtool(&text), "");
}

/// The value of a series.
fn value(text: &str, series: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(series))?;
    line.parse().ok()
}

#[test]
fn a_killed_worker_s_export_is_done_by_the_next() {
    let folder = Folder::with(&["large.ts"]);
    let lease = ("EXPORT_LEASE_SECONDS", "3");
    let server = Server::start(&folder, &[lease]);
    let video = server.video(&folder.path("large.ts"));
    let operations = json!([{"type": "transcode", "options": {"preset": "veryfast"}}]);
    let export = server.export(&video, &operations);
    server.wait_for(&export, "processing");
    server.kill();

    let server = Server::start(&folder, &[lease]);
    let status = server.wait_for(&export, "completed");
    assert_eq!(status["attempts"], 2, "the crash was charged: {status}");
    let download = server.download(&export);
    let path = folder.path("video.ts");
    server.fetch(download["url"].as_str().expect("a link"), &path);
    assert_eq!(shown_frames(&path), 500);
}

#[test]
fn a_stopped_worker_puts_its_export_back_uncharged() {
    let folder = Folder::with(&["large.ts"]);
    let server = Server::start(&folder, &[("SHUTDOWN_GRACE_SECONDS", "0")]);
    let video = server.video(&folder.path("large.ts"));
    let operations = json!([{"type": "transcode", "options": {"preset": "veryfast"}}]);
    let export = server.export(&video, &operations);
    server.wait_for(&export, "processing");
    server.stop();

    let server = Server::start(&folder, &[]);
    let status = server.wait_for(&export, "completed");
    assert_eq!(status["attempts"], 1, "{status}");
}

#[test]
fn settings_that_are_wrong_are_all_told_at_once() {
    let folder = Folder::empty();
    let mut command = folder.command("serve");
    command.env_clear().envs([
        ("WORKER_PORT", "http"),
        ("MAX_VIDEO_UPLOAD_SIZE", "large"),
        ("VIDEO_WORKER_CONCURRENCY", "0"),
        ("EXPORT_QUEUE", "bullmq"),
        ("FLATBED_WORKLOADS", "exports,dishes"),
        ("S3_BUCKET", "videos"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ]);
    let run = Run::of("serve", &mut command);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for name in [
        "WORKER_PORT",
        "MAX_VIDEO_UPLOAD_SIZE",
        "VIDEO_WORKER_CONCURRENCY",
        "REDIS_URL",
        "FLATBED_WORKLOADS",
        "AWS_ACCESS_KEY_ID",
    ] {
        assert!(run.stderr.contains(name), "no {name}: {}", run.stderr);
    }
    assert!(!run.stderr.contains("hunter2"));
    assert!(folder.names().is_empty(), "nothing was begun");
}

#[test]
fn config_tells_what_is_in_force_and_doctor_whether_it_will_do() {
    let folder = Folder::empty();
    folder.write(".env", "VIDEO_WORKER_CONCURRENCY=3\nAPI_TOKEN=hunter2\n");
    let mut command = folder.command("config");
    command.env_clear().env("WORKER_PORT", "0");
    let run = Run::of("config", &mut command);
    run.succeeded();
    let text = run.text();
    // However wide the columns are.
    let has = |setting: [&str; 3]| {
        let mut lines = text.lines();
        lines.any(|line| line.split_whitespace().eq(setting))
    };
    assert!(has(["VIDEO_WORKER_CONCURRENCY", "3", "(.env)"]), "{text}");
    assert!(has(["WORKER_PORT", "0", "(environment)"]), "{text}");
    assert!(
        text.contains("(set)") && !text.contains("hunter2"),
        "{text}"
    );

    let mut command = folder.command("doctor");
    command.env_clear().env("WORKER_PORT", "0");
    let run = Run::of("doctor", &mut command);
    run.succeeded();
    assert!(
        run.text().lines().all(|line| line.starts_with("ok")),
        "{}",
        run.text()
    );

    // A file where its folder should be.
    folder.write("data", "");
    let mut command = folder.command("doctor");
    command
        .env_clear()
        .envs([("WORKER_PORT", "0"), ("FLATBED_DATA_DIR", "data")]);
    let run = Run::of("doctor", &mut command);
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    assert!(run.text().contains("WRONG") && run.text().contains("FLATBED_DATA_DIR"));
}
