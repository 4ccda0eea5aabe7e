//! Crashes, models that refuse, videos that are none.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::house::{House, analyse, assert_whole, wait_for};
use crate::support::models::{Fault, Limits, Profile};
use crate::support::wait_until;

const HEAR: &str = "transcriptions";
const SEE: &str = "completions";
const EMBED: &str = "embeddings";

#[test]
fn a_crash_in_vision_does_not_transcribe_again() {
    let house = House::new();
    // The first look never ends.
    house
        .models
        .fail(SEE, [Fault::Hang, Fault::Hang, Fault::Hang, Fault::Hang]);
    let server = house.serve(&[]);
    let video = Uuid::now_v7().to_string();
    let path = format!("/api/videos/{video}/analyze");
    server.post(&path, &json!({"source_url": house.talk()}));
    wait_until("the frames to be on their way", || {
        house.models.faults_left() == 0
    });
    server.kill();
    let heard = house.models.seen();
    assert!(
        heard.iter().any(|seen| seen.path.ends_with(HEAR)),
        "{heard:?}"
    );

    let server = house.serve(&[]);
    assert_whole(&wait_for(&server, &video, "completed"));
    let asked = house.models.seen();
    let again = asked.iter().filter(|seen| seen.path.ends_with(HEAR));
    assert_eq!(again.count(), 0, "what was understood is kept");
    let seen = asked
        .iter()
        .filter(|seen| seen.path.ends_with(SEE) && seen.status == 200);
    assert_eq!(seen.count(), 4);
}

#[test]
fn a_storm_of_refusals_is_sat_out() {
    // Three requests in half a second, of each model.
    let limits = Limits {
        requests: 3,
        minute: Duration::from_millis(500),
        ..Profile::default().limits
    };
    let house = House::with(Profile {
        limits,
        ..Profile::default()
    });
    house.models.fail(
        EMBED,
        [Fault::ServerError, Fault::Cut, Fault::RateLimited(vec![])],
    );
    house.models.fail(
        HEAR,
        [Fault::RateLimited(vec![("retry-after", "1".to_owned())])],
    );
    let server = house.serve(&[]);
    let analysis = analyse(&server, &house.talk());
    assert_whole(&analysis);
    assert_eq!(house.models.faults_left(), 0);
}

#[test]
fn what_others_found_is_kept_when_a_step_fails_for_good() {
    let house = House::new();
    // Nobody pays any more.
    house.models.fail(SEE, (0..100).map(|_| Fault::Quota));
    let server = house.serve(&[("WORKER_MAX_ATTEMPTS", "1")]);
    let video = Uuid::now_v7().to_string();
    let path = format!("/api/videos/{video}/analyze");
    server.post(&path, &json!({"source_url": house.talk()}));
    let analysis = wait_for(&server, &video, "failed");
    assert_eq!(
        analysis["steps"]["transcribe"]["state"], "done",
        "{analysis:#}"
    );
    assert_eq!(analysis["steps"]["frames"]["state"], "done");
    assert_eq!(analysis["steps"]["vision"]["state"], "failed");
    assert_eq!(analysis["frames"].as_array().map(Vec::len), Some(4));
    let error = analysis["error"].as_str().expect("an error");
    assert!(
        error.contains("quota") && !error.contains(Profile::KEY),
        "{error}"
    );

    // Somebody paid; only what is missing is done.
    house.models.mend();
    house.models.seen();
    server.post(&path, &json!({"source_url": house.talk()}));
    wait_until("the rest to be made up for", || {
        let path = format!("/api/videos/{video}/analysis");
        server.get(&path).json()["status"] == "completed"
    });
    let analysis = wait_for(&server, &video, "completed");
    assert_whole(&analysis);
    let asked = house.models.seen();
    assert!(
        asked.iter().all(|seen| !seen.path.ends_with(HEAR)),
        "{asked:?}"
    );
}

#[test]
fn a_frame_that_a_model_refuses_fails_nothing() {
    let house = House::new();
    house.models.fail(SEE, [Fault::Decline, Fault::Filter]);
    let server = house.serve(&[]);
    let analysis = analyse(&server, &house.talk());
    let frames = analysis["frames"].as_array().expect("frames");
    let refused = frames.iter().filter(|frame| frame["refusal"].is_string());
    assert_eq!(refused.count(), 2, "{frames:?}");
    let described = frames.iter().filter(|frame| frame["caption"].is_string());
    assert_eq!(described.count(), 2);
    assert_eq!(analysis["steps"]["vision"]["state"], "done");
}

#[test]
fn what_is_no_video_fails_at_once_and_says_why() {
    let house = House::new();
    house.folder.write("poison.mp4", "no video".repeat(1000));
    house.folder.write("empty.mp4", "");
    let server = house.serve(&[]);
    for name in ["poison.mp4", "empty.mp4"] {
        let video = Uuid::now_v7().to_string();
        let source = house.folder.path(name).display().to_string();
        let path = format!("/api/videos/{video}/analyze");
        server.post(&path, &json!({"source_url": source}));
        let analysis = wait_for(&server, &video, "failed");
        let error = analysis["error"].as_str().expect("an error");
        assert!(error.starts_with("video: "), "{error}");
    }
    let asked = house.models.seen();
    assert!(asked.iter().all(|seen| seen.method == "GET"), "{asked:?}");
    let failed = &server.get("/stats").json()["jobs_failed"];
    assert_eq!(failed, &Value::from(2));
}
