//! Videos that are asked for again: what is shown meanwhile, and what is done anew.

use serde_json::{Value, json};
use uuid::Uuid;

use super::house::{House, analyse, assert_whole, wait_for};
use crate::exports::Server;
use crate::support::models::Fault;
use crate::support::wait_until;

const HEAR: &str = "transcriptions";
const SEE: &str = "completions";
const EMBED: &str = "embeddings";

/// Asks for an analysis; the job's id.
fn ask(server: &Server, video: &str, body: &Value) -> String {
    let answer = server.post(&format!("/api/videos/{video}/analyze"), body);
    assert_eq!(answer.code, 202, "{answer:?}");
    answer.json()["job_id"].as_str().expect("an id").to_owned()
}

/// How often each kind of model was asked since somebody last looked: heard, seen,
/// embedded.
fn asked(house: &House) -> [usize; 3] {
    let seen = house.models.seen();
    [HEAR, SEE, EMBED].map(|path| {
        let asked = seen.iter().filter(|seen| seen.path.ends_with(path));
        asked.count()
    })
}

#[test]
fn a_video_is_queued_from_when_it_is_asked_for() {
    let house = House::new();
    house.models.fail(SEE, (0..4).map(|_| Fault::Hang));
    let server = house.serve(&[("ANALYSIS_CONCURRENCY", "1")]);
    let [first, second] = [(); 2].map(|()| Uuid::now_v7().to_string());
    let source = json!({"source_url": house.talk()});
    ask(&server, &first, &source);
    wait_until("the first to be looked at", || {
        house.models.faults_left() == 0
    });
    let job = ask(&server, &second, &source);
    let shown = server.get(&format!("/api/videos/{second}/analysis")).json();
    assert_eq!(shown["status"], "queued", "{shown}");
    assert_eq!(shown["job_id"], job.as_str(), "{shown}");
}

#[test]
fn a_failed_video_that_is_asked_for_again_is_queued_and_then_done() {
    let house = House::new();
    let server = house.serve(&[]);
    let video = Uuid::now_v7().to_string();
    ask(&server, &video, &json!({"source_url": "/nowhere/none.mp4"}));
    let failed = wait_for(&server, &video, "failed");
    assert!(
        failed["error"]
            .as_str()
            .is_some_and(|error| error.starts_with("source: "))
    );
    let job = ask(&server, &video, &json!({"source_url": house.talk()}));
    let shown = server.get(&format!("/api/videos/{video}/analysis")).json();
    assert_ne!(shown["status"], "failed", "{shown}");
    let done = wait_for(&server, &video, "completed");
    assert_whole(&done);
    assert_eq!(done["job_id"], job.as_str());
    assert_eq!(done["error"], Value::Null);
}

/// Also where the first attempt ends in the middle: what it paid for is not paid for
/// again.
#[test]
fn what_is_forced_is_done_anew_and_once() {
    let house = House::new();
    let server = house.serve(&[]);
    let before = analyse(&server, &house.talk());
    let video = before["video_id"].as_str().expect("an id");
    assert_eq!(asked(&house), [2, 4, 1]);

    house.models.fail(SEE, (0..4).map(|_| Fault::Hang));
    ask(
        &server,
        video,
        &json!({"source_url": house.talk(), "force": true}),
    );
    wait_until("the frames to be on their way", || {
        house.models.faults_left() == 0
    });
    server.kill();
    assert_eq!(asked(&house)[0], 2, "it was heard anew");
    let server = house.serve(&[]);
    assert_whole(&wait_for(&server, video, "completed"));
    assert_eq!(asked(&house)[0], 0, "and not once more");

    // One that does not insist takes what was found then.
    ask(&server, video, &json!({"source_url": house.talk()}));
    wait_until("the last job to end", || {
        server.get("/stats").json()["jobs_processed"] == 2
    });
    assert_eq!(asked(&house), [0, 0, 0]);
}

#[test]
fn vectors_of_another_model_are_made_anew() {
    let house = House::new();
    let server = house.serve(&[]);
    let before = analyse(&server, &house.talk());
    let video = before["video_id"].as_str().expect("an id");
    assert_eq!(before["steps"]["embed"]["model"], "text-embedding-3-small");
    drop(server);
    house.models.seen();
    let server = house.serve(&[("OPENAI_EMBEDDING_MODEL", "text-embedding-3-large")]);
    let search = "/api/search?q=a%20tone%20of%20880%20hertz&limit=1";
    assert_eq!(server.get(search).json()["hits"], json!([]));
    ask(&server, video, &json!({"source_url": house.talk()}));
    let after = wait_for(&server, video, "completed");
    assert_eq!(after["steps"]["embed"]["model"], "text-embedding-3-large");
    let found = server.get(search).json();
    assert_eq!(found["hits"][0]["video_id"], video, "{found}");
    let [heard, seen, _] = asked(&house);
    assert_eq!([heard, seen], [0, 0], "the texts are the same");
}
