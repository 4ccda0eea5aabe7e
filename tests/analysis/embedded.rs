//! With nothing set but the models: all steps, results, search; and without models.

use serde_json::json;

use super::house::{House, analyse, assert_whole, wait_for};
use crate::exports::Server;
use crate::support::{Folder, picture_size};

#[test]
fn a_video_is_seen_heard_and_found() {
    let house = House::new();
    let server = house.serve(&[]);
    let analysis = analyse(&server, &house.talk());
    assert_whole(&analysis);
    let video = analysis["video_id"].as_str().expect("an id");

    // Files, by their links.
    for (index, url) in analysis["frame_urls"].as_object().expect("links") {
        let file = house.folder.path(&format!("frame-{index}.jpg"));
        server.fetch(url.as_str().expect("a link"), &file);
        assert_eq!(picture_size(&file), "mjpeg,160,90");
    }
    let proxy = house.folder.path("proxy.mp4");
    server.fetch(analysis["proxy_url"].as_str().expect("a link"), &proxy);
    assert_eq!(crate::support::shown_frames(&proxy), 120);
    let base = format!("/api/videos/{video}/analysis");
    let webvtt = server.get(&format!("{base}/transcript.vtt"));
    assert!(webvtt.text.starts_with("WEBVTT\n\n00:00:0"), "{webvtt:?}");
    assert!(webvtt.headers.contains("text/vtt"), "{webvtt:?}");
    let srt = server.get(&format!("{base}/transcript.srt")).text;
    assert!(srt.contains("\n\n2\n00:00:0"), "{srt}");
    let sheet = house.folder.path("sheet.png");
    server.fetch(&server.url(&format!("{base}/contact-sheet.png")), &sheet);
    assert!(
        picture_size(&sheet).starts_with("png,"),
        "four pictures side by side"
    );

    // Search: by what was said, and by what was seen.
    let found = server
        .get("/api/search?q=a%20tone%20of%20880%20hertz&limit=1")
        .json();
    assert_eq!(found["hits"][0]["kind"], "speech", "{found}");
    assert_eq!(found["hits"][0]["video_id"], video);
    let caption = analysis["frames"][2]["caption"]
        .as_str()
        .expect("a caption");
    let words = caption.replace(' ', "%20");
    let found = server
        .get(&format!("/api/search?q={words}&video_id={video}"))
        .json();
    assert_eq!(found["hits"][0]["text"], caption, "{found}");
    assert_eq!(server.get("/api/search?q=").code, 400);

    // Again: nothing has changed, and no model is asked.
    house.models.seen();
    let again = server.post(
        &format!("/api/videos/{video}/analyze"),
        &json!({
            "source_url": house.talk(),
        }),
    );
    assert_eq!(again.code, 202);
    crate::support::wait_until("the second job to end", || {
        server.get("/stats").json()["jobs_processed"] == 2
    });
    assert_eq!(house.models.seen().len(), 0);
    let stats = server.get("/stats").json();
    assert_eq!(stats["success_rate"], 1.0, "{stats}");
    assert_eq!(stats["storage"]["videos"], 1, "{stats}");
    assert_eq!(stats["storage"]["frames"], 4, "{stats}");
    assert_eq!(stats["queue"]["completed"], 2, "{stats}");
    assert_eq!(server.get("/jobs/peek").json()["jobs"], json!([]));
    assert_eq!(server.get("/healthz").code, 200);

    assert_eq!(server.delete(&base).code, 204);
    assert_eq!(server.get(&base).code, 404);
    let left = house.folder.names();
    assert!(
        !left.iter().any(|name| name.starts_with("flatbed-0")),
        "{left:?}"
    );
}

#[test]
fn without_models_there_are_scenes_and_frames_and_a_note() {
    let folder = Folder::with(&["talk.mp4"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("talk.mp4"));
    let answer = server.post_text(&format!("/api/videos/{video}/analyze"), "", &[]);
    assert_eq!(answer.code, 202, "{answer:?}");
    let analysis = wait_for(&server, &video, "completed");
    assert_eq!(analysis["frames"].as_array().map(Vec::len), Some(4));
    for step in ["transcribe", "vision", "embed"] {
        assert_eq!(analysis["steps"][step]["state"], "off");
        assert_eq!(analysis["steps"][step]["note"], "OPENAI_API_KEY is not set");
    }
    assert_eq!(server.get("/api/search?q=x").code, 409);
    // An upload is known by its id, however often it is asked for.
    let path = format!("/api/videos/{video}/analyze");
    assert_eq!(server.post(&path, &json!({"force": true})).code, 202);
    crate::support::wait_until("the second job to end", || {
        let stats = server.get("/stats").json();
        assert_eq!(stats["jobs_failed"], 0, "{stats}");
        stats["jobs_processed"] == 2
    });
    wait_for(&server, &video, "completed");
    assert_eq!(
        server.post("/api/videos/none/analyze", &json!({})).code,
        400
    );
    assert_eq!(server.get("/api/videos/none/analysis").code, 404);
}

#[test]
fn frames_are_as_many_as_asked_for_and_spread() {
    let house = House::new();
    let few = [
        ("MAX_FRAMES_PER_VIDEO", "2"),
        ("ENABLE_TRANSCRIPTION", "false"),
    ];
    let server = house.serve(&few);
    let analysis = analyse(&server, &house.talk());
    let scenes: Vec<_> = analysis["frames"]
        .as_array()
        .expect("frames")
        .iter()
        .map(|frame| frame["scene"].as_u64().expect("a number"))
        .collect();
    assert_eq!(scenes, [0, 3], "the first and the last");
    assert_eq!(analysis["steps"]["transcribe"]["state"], "off");
    let note = analysis["steps"]["transcribe"]["note"]
        .as_str()
        .expect("a note");
    assert!(note.contains("ENABLE_TRANSCRIPTION"), "{note}");
}
