//! What becomes of a job, and what is said of it.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::house::{House, PUBLIC};
use super::photos::{frames, held, made, photo, told};
use crate::support::wait_until;

/// The requirement's flow, byte for byte.
#[test]
fn a_photo_becomes_a_small_webp_and_the_backend_hears_of_it() {
    let house = House::new();
    house.backend.demand("hunter2");
    let worker = house.worker_with(&[("CALLBACK_TOKEN", "hunter2")]);
    let id = house.order(1, &photo("2560x1440"));
    house.wait_for(&id, "COMPLETED");
    assert_eq!(
        house.backend.said(&id),
        [
            r#"{"status":"PROCESSING"}"#,
            r#"{"status":"COMPLETED","outputImageURL":"https://pub-xxx.r2.dev/optimized/1-abc-optimized.webp","outputImageKey":"optimized/1-abc-optimized.webp"}"#,
        ]
    );
    let heard = house.backend.heard();
    let of_it: Vec<_> = heard.iter().filter(|heard| heard.id == id).collect();
    let methods: Vec<_> = of_it.iter().map(|heard| heard.method).collect();
    assert_eq!(methods, ["GET", "PATCH", "PATCH"]);
    for heard in &of_it[1..] {
        assert_eq!(heard.headers["content-type"], "application/json");
    }
    let result = house.object("optimized/1-abc-optimized.webp");
    assert_eq!(told(&result), "webp,1920,1080,yuv420p");
    assert!(house.object("raw/1-abc.jpg").exists(), "the source stays");
    house.wait_until_idle();

    let health = worker.get("/health").json();
    assert_eq!(health["status"], "healthy", "{health}");
    for name in ["image_queue", "backend", "image_bucket", "images"] {
        assert_eq!(health["dependencies"][name]["status"], "ok", "{health}");
    }
    let metrics = worker.get("/metrics").text;
    assert!(
        metrics.contains("flatbed_jobs_total{status=\"completed\",workload=\"image\"} 1"),
        "{metrics}"
    );
    assert!(!worker.log().contains("hunter2"));
    worker.stop();
}

#[test]
fn any_picture_becomes_what_browsers_show() {
    let house = House::new();
    let worker = house.worker_with(&[("IMAGE_MAX_WIDTH", "100"), ("IMAGE_MAX_HEIGHT", "100")]);
    let upright = held(&photo("64x48"), 6);
    let alpha = made(
        "-i color=red@0.5:size=40x30,format=rgba -frames:v 1",
        "a.png",
    );
    let animation = made("-i testsrc2=size=40x30:rate=10 -frames:v 5", "a.gif");
    let large = photo("400x200");
    let small = house.order(1, &upright);
    let transparent = house.order(2, &alpha);
    let moving = house.order(3, &animation);
    let shrunk = house.order(4, &large);
    for id in [&small, &transparent, &moving, &shrunk] {
        house.wait_for(id, "COMPLETED");
    }
    let result = |number| house.object(&format!("optimized/{number}-abc-optimized.webp"));
    assert_eq!(
        told(&result(1)),
        "webp,48,64,yuv420p",
        "upright, not enlarged"
    );
    assert_eq!(told(&result(2)), "webp,40,30,yuva420p");
    assert!(frames(&fs::read(result(3)).expect("it")) > 1, "it moves");
    assert_eq!(told(&result(4)), "webp,100,50,yuv420p");
    worker.stop();
}

#[test]
fn what_is_no_picture_fails_once_and_in_one_line() {
    let house = House::new();
    let worker = house.worker_with(&[
        ("IMAGE_MAX_PIXELS", "100000"),
        ("IMAGE_MAX_BYTES", "200000"),
    ]);
    let whole = photo("320x240");
    let mut bomb = made("-i color=black:size=16x16 -frames:v 1", "a.png");
    // Its header says that it is a hundred thousand pixels wide.
    bomb[16..20].copy_from_slice(&100_000_u32.to_be_bytes());
    let files: [(&[u8], &str); 7] = [
        (b"", "1-abc.jpg"),
        (b"<script>alert(1)</script>", "2-abc.jpg: this is no image"),
        (&whole[..whole.len() / 2], "3-abc.jpg"),
        (&bomb, "4-abc.jpg"),
        (b"%PDF-1.7 ...", "5-abc.jpg: PDF is not read"),
        (&photo("640x480"), "6-abc.jpg: "),
        (&vec![0; 200_001], "it is too large"),
    ];
    let ids: Vec<_> = (1..)
        .zip(&files)
        .map(|(number, (file, _))| house.order(number, file))
        .collect();
    let good = house.order(9, &photo("64x48"));
    house.wait_for(&good, "COMPLETED");
    for (id, (_, expected)) in ids.iter().zip(&files) {
        house.wait_for(id, "FAILED");
        let message = house.backend.job(id)["errorMsg"]
            .as_str()
            .expect("a text")
            .to_owned();
        let expected = format!("Failed to process image: {expected}");
        assert!(message.starts_with(&expected), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
    house.wait_until_idle();
    for id in &ids {
        assert_eq!(house.backend.statuses(id), ["PROCESSING", "FAILED"]);
    }
    assert_eq!(house.set_aside().len(), ids.len());
    let optimized = fs::read_dir(house.object("optimized")).expect("a folder");
    assert_eq!(optimized.count(), 1, "nothing is left of those that failed");
    worker.stop();
}

#[test]
fn what_is_completed_is_not_done_again() {
    let house = House::new();
    let id = house.record(1, &photo("64x48"));
    house.backend.set(&id, "status", "COMPLETED");
    house.push(&id);
    house.push(&id);
    let worker = house.worker();
    house.wait_until_idle();
    assert!(house.backend.said(&id).is_empty());
    assert!(!house.object("optimized").exists());
    assert!(house.set_aside().is_empty());
    worker.stop();
}

/// `POST /api/image-jobs/:id/retry` sets the record to PENDING and pushes it again.
#[test]
fn what_failed_is_done_when_it_is_ordered_again() {
    let house = House::new();
    let worker = house.worker();
    let id = house.order(1, b"no picture");
    house.wait_for(&id, "FAILED");
    house.wait_until_idle();
    fs::write(house.object("raw/1-abc.jpg"), photo("64x48")).expect("an object");
    house.backend.set(&id, "status", "PENDING");
    house.push(&id);
    house.wait_for(&id, "COMPLETED");
    worker.stop();
}

#[test]
fn what_nobody_knows_is_set_aside_with_its_reason() {
    let house = House::new();
    let worker = house.worker();
    let unknown = "65550000f12a3d0f3c5a1002";
    house.push(unknown);
    house.push_text(r#"{"task_type":"process_image","payload":{"imageJobID":"../../users/1"}}"#);
    house.push_text(r#"{"task_type":"process_image"}"#);
    wait_until("three to be set aside", || house.set_aside().len() == 3);
    let reasons = house.set_aside().join("\n");
    for words in [
        format!("GET /api/image-jobs/{unknown}: the backend knows no such job"),
        "letters, digits".to_owned(),
        "order: invalid type: null".to_owned(),
    ] {
        assert!(reasons.contains(&words), "{reasons}");
    }
    let asked: Vec<_> = house.backend.heard();
    assert!(asked.iter().all(|heard| heard.method == "GET"), "{asked:?}");
    assert!(
        asked.iter().all(|heard| !heard.id.contains('.')),
        "{asked:?}"
    );
    worker.stop();
}

#[test]
fn a_job_that_is_deleted_meanwhile_leaves_nothing() {
    let house = House::new();
    let worker = house.worker();
    let id = house.record(1, &photo("64x48"));
    let (came, go_on) = house
        .backend
        .hold(|heard| heard.says("COMPLETED") && !heard.done);
    house.push(&id);
    came.recv_timeout(Duration::from_secs(600))
        .expect("it is made");
    assert!(house.object("optimized/1-abc-optimized.webp").exists());
    house.backend.delete(&id);
    go_on.send(()).expect("it is held up");
    wait_until("it to be set aside", || house.set_aside().len() == 1);
    assert!(house.set_aside()[0].contains("deleted"));
    assert!(!house.object("optimized/1-abc-optimized.webp").exists());
    assert_eq!(house.backend.statuses(&id), ["PROCESSING"]);
    worker.stop();
}

#[test]
fn an_operator_sees_what_was_set_aside_and_has_it_done_again() {
    let house = House::new();
    let worker = house.worker();
    let id = house.order(1, b"no photo");
    house.wait_for(&id, "FAILED");
    wait_until("it to be set aside", || house.set_aside().len() == 1);
    let run = |arguments: &str| {
        house.run(
            &format!("queue --of images {arguments}"),
            &house.variables(&[]),
        )
    };
    let json = |arguments: &str| -> Value {
        let run = run(&format!("{arguments} --json"));
        run.succeeded();
        serde_json::from_slice(&run.stdout).expect("JSON")
    };

    assert_eq!(json("stats")["failed"], 1);
    let listed = json("list");
    let dead = listed[0]["id"].as_str().expect("an id");
    assert_eq!(
        listed[0]["payload"]["payload"]["imageJobID"], *id,
        "{listed}"
    );
    let line = run("list --state failed");
    let reason = listed[0]["reason"].as_str().expect("a reason");
    assert!(line.text().starts_with(dead), "{}", line.text());
    assert!(line.text().contains(reason), "{}", line.text());

    // The backend's people have mended the photo, and want it again.
    std::fs::write(house.object("raw/1-abc.jpg"), photo("64x48")).expect("an object");
    let retried = run(&format!("retry {dead}"));
    assert_eq!(retried.text(), format!("{dead}  waiting\n"));
    wait_until("it to be COMPLETED", || {
        house.backend.status(&id) == "COMPLETED"
    });
    assert_eq!(
        run("retry --all-failed").text(),
        "0 failed jobs are waiting again\n"
    );
    for (arguments, code) in [
        (format!("retry {dead}"), 3),
        (format!("show {dead}"), 2),
        ("list --state active".to_owned(), 2),
    ] {
        let run = run(&arguments);
        assert_eq!(run.code, Some(code), "{arguments}: {}", run.stderr);
    }
    worker.stop();
    let off = house.run(
        "queue --of images stats",
        &[("FLATBED_WORKLOADS", "exports".to_owned())],
    );
    assert_eq!(off.code, Some(2), "{}", off.stderr);
    assert!(off.stderr.contains("FLATBED_WORKLOADS"), "{}", off.stderr);
}

#[test]
fn an_operator_sees_what_is_there_and_what_is_missing() {
    let house = House::new();
    let run = |arguments: &str, variables: &[_]| house.run(arguments, variables);
    let variables = house.variables(&[("WORKER_PORT", "0"), ("CALLBACK_TOKEN", "hunter2")]);
    let doctor = run("doctor --json", &variables);
    doctor.succeeded();
    let found: Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
    let named = |name: &str| {
        let all = found.as_array().expect("a list");
        all.iter()
            .find(|one| one["name"] == name)
            .expect("it is told")["message"]
            .to_string()
    };
    assert!(named("images").contains("0 waiting"), "{found}");
    assert!(named("backend").contains(&house.backend.url()), "{found}");
    assert!(named("r2").contains("r2://images"), "{found}");

    let config = run("config", &variables);
    config.succeeded();
    for words in [
        "IMAGE_QUALITY",
        "BACKEND_URL",
        PUBLIC,
        "IMAGE_UNKNOWN_TASKS",
    ] {
        assert!(config.text().contains(words), "{}", config.text());
    }
    assert!(!config.text().contains("hunter2"));

    house.backend.demand("another");
    let doctor = run("doctor", &variables);
    assert_eq!(doctor.code, Some(5), "{}", doctor.stderr);
    assert!(
        doctor.text().contains("CALLBACK_TOKEN"),
        "{}",
        doctor.text()
    );

    let named = [("FLATBED_WORKLOADS", "images".to_owned())];
    let run = run("config", &named);
    for name in ["BACKEND_URL", "REDIS_URI", "R2_BUCKET", "R2_PUBLIC_URL"] {
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
}
