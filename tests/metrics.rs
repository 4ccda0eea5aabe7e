//! Metrics: the names of the exports document, and what Prometheus's own tool
//! says of them all.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use flatbed::queue::Counts;
use flatbed::telemetry::{Metrics, PersonStep, Photo, Stage};

fn used() -> Metrics {
    let metrics = Metrics::new().unwrap();
    let export = metrics.workload("export");
    export.began();
    export.failed(true);
    export.ended(Duration::from_millis(1500));
    export.finished("completed");
    export.put_back();
    export.lease_lost();
    export.queue_error();
    export.stage(Stage::Engine, Duration::from_secs(3));
    export.bytes_in(100);
    export.bytes_out(50);
    export.frames(20, 10);
    export.set_queue_size(&Counts {
        waiting: 7,
        ..Counts::default()
    });
    metrics.set_storage_used(1 << 40);
    metrics.workload("image").finished("failed");
    let access = metrics.access();
    access.people("create_person", PersonStep::Created, 2);
    access.photo(Photo::Sent);
    access.groups(2, 1);
    access.unknown_regionals(1);
    let models = metrics.models();
    models.model("embed", "text-embedding-3-small");
    models.requested("embed", "ok", Duration::from_millis(80));
    models.retried("embed");
    models.waited("embed", Duration::from_secs(1));
    models.tokens("embed", 100, 0);
    models.audio(Duration::from_secs(60));
    models.spent("embed", 0.25);
    metrics
}

#[test]
fn the_document_s_six_names_are_there() {
    let text = used().render().unwrap();
    for line in [
        r#"video_processing_jobs_total{status="completed"} 1"#,
        "video_processing_job_duration_seconds_count 1",
        "video_processing_job_duration_seconds_sum 1.5",
        r#"video_processing_queue_size{state="waiting"} 7"#,
        r#"video_processing_queue_size{state="paused"} 0"#,
        "video_processing_errors_total 1",
        "video_storage_used_bytes 1099511627776",
        "video_export_size_bytes_count 1",
        // Another workload's, and not the exports'.
        r#"video_processing_jobs_total{status="failed"} 0"#,
        r#"flatbed_jobs_total{status="failed",workload="image"} 1"#,
    ] {
        assert!(
            text.lines().any(|given| given == line),
            "no {line} in\n{text}"
        );
    }
}

#[test]
fn promtool_finds_nothing_to_say() {
    let text = used().render().unwrap();
    assert_eq!(promtool(&text), "", "of\n{text}");
}

/// What Prometheus's own tool says of metrics.
pub fn promtool(text: &str) -> String {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus (scripts/setup --test)");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let said = promtool.wait_with_output().unwrap();
    String::from_utf8([said.stdout, said.stderr].concat()).unwrap()
}
