//! What is refused at the door, and who gets in.

use std::fs;

use serde_json::json;

use super::Server;
use crate::support::Folder;

#[test]
fn what_is_wrong_with_a_request_is_named() {
    let folder = Folder::with(&["recording.mp4", "mark.png"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("recording.mp4"));
    let picture = server.video(&folder.path("mark.png"));
    let trim = json!([{"type": "trim", "options": {"start": 1}}]);

    let ask = |body: serde_json::Value| server.post("/api/exports", &body);
    ask(json!({"operations": trim})).refused(400, &["videoId"]);
    ask(json!({"videoId": video})).refused(400, &["operations"]);
    ask(json!({"videoId": video, "operations": trim, "x": 1})).refused(400, &["`x`"]);
    ask(json!({"videoId": video, "operations": []})).refused(400, &["operations", "1 to 32"]);
    ask(json!({"videoId": video, "operations": [{"type": "transcode", "options": {"bitrat": 1}}]}))
        .refused(400, &["operation 1", "transcode", "bitrat"]);
    ask(json!({"videoId": "7d0a", "operations": trim})).refused(404, &["videoId", "7d0a"]);
    ask(json!({"videoId": "../../etc", "operations": trim})).refused(404, &["videoId"]);
    ask(json!({"videoId": picture, "operations": trim})).refused(422, &["picture"]);
    let absent = json!([{"type": "watermark", "options": {"image": "nowhere.png"}}]);
    ask(json!({"videoId": video, "operations": absent})).refused(400, &["image", "nowhere.png"]);
    server
        .post_text("/api/exports", "{", &[])
        .refused(400, &["the body"]);

    for path in [
        "/api/exports/none",
        "/api/exports/none/download",
        "/api/exports/none/events",
    ] {
        server.get(path).refused(404, &["none"]);
    }
    server.delete("/api/exports/none").refused(404, &["none"]);
    server.get("/api/exports?state=odd").refused(400, &["odd"]);
    server
        .get("/api/elsewhere")
        .refused(404, &["/api/elsewhere"]);
    server.delete("/api/exports").refused(405, &["DELETE"]);
}

#[test]
fn uploads_that_will_not_do_leave_nothing() {
    let folder = Folder::with(&["recording.mp4"]);
    folder.write("text.mp4", "no video at all");
    folder.write("empty.mp4", "");
    let server = Server::start(&folder, &[("MAX_VIDEO_UPLOAD_SIZE", "20k")]);
    let answer = server.upload(&folder.path("text.mp4"));
    answer.refused(422, &["text.mp4"]);
    assert!(
        !answer.text.contains("flatbed-data"),
        "a path of the server's: {answer:?}"
    );
    server
        .upload(&folder.path("empty.mp4"))
        .refused(400, &["empty"]);
    server
        .upload(&folder.path("recording.mp4"))
        .refused(413, &["20480", "MAX_VIDEO_UPLOAD_SIZE"]);
    server
        .curl(&["-F", "other=1"], "/api/videos")
        .refused(400, &["`file`"]);
    let store = folder.path("flatbed-data/store");
    assert_eq!(
        fs::read_dir(store.join("videos")).map_or(0, Iterator::count),
        0
    );
    let unfinished = store.join(".flatbed/unfinished");
    assert_eq!(fs::read_dir(unfinished).map_or(0, Iterator::count), 0);
    assert_eq!(server.get("/api/videos").json(), json!({"videos": []}));
}

#[test]
fn objects_of_the_store_are_taken_by_their_key() {
    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[]);
    let store = folder.path("flatbed-data/store/tapes");
    fs::create_dir_all(&store).expect("a folder");
    fs::copy(folder.path("recording.mp4"), store.join("gate 1.mp4")).expect("a copy");

    let ask = |key: &str| server.post("/api/videos", &json!({"key": key}));
    let answer = ask("tapes/gate 1.mp4");
    assert_eq!(answer.code, 201, "{answer:?}");
    let id = answer.field("id");
    ask("tapes/gate 2.mp4").refused(404, &["gate 2.mp4"]);
    for key in ["../x", "/etc/passwd", "", "tapes/../../x"] {
        ask(key).refused(400, &["key"]);
    }
    ask(".flatbed/signing-key").refused(500, &[]);

    // Its record goes, the object stays.
    assert_eq!(server.delete(&format!("/api/videos/{id}")).code, 204);
    assert!(store.join("gate 1.mp4").exists());
    server
        .get(&format!("/api/videos/{id}"))
        .refused(404, &[&id]);
    server
        .delete(&format!("/api/videos/{id}"))
        .refused(404, &[&id]);

    // An upload goes with its record.
    let id = server.video(&folder.path("recording.mp4"));
    let uploaded = folder.path("flatbed-data/store/videos").join(&id);
    assert!(uploaded.join("source.mp4").exists());
    assert_eq!(server.delete(&format!("/api/videos/{id}")).code, 204);
    assert!(!uploaded.join("source.mp4").exists());
}

#[test]
fn the_same_key_gives_the_same_export() {
    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("recording.mp4"));
    let body = json!({"videoId": video, "operations": [{"type": "trim", "options": {"start": 1}}]});
    let ask = |body: &serde_json::Value, key: &str| {
        let header = format!("Idempotency-Key: {key}");
        server.post_text("/api/exports", &body.to_string(), &[&header])
    };
    let first = ask(&body, "order 17");
    assert_eq!(first.code, 202, "{first:?}");
    let id = first.field("id");
    assert_eq!(ask(&body, "order 17").field("id"), id);
    assert_ne!(ask(&body, "order 18").field("id"), id);
    let other =
        json!({"videoId": video, "operations": [{"type": "trim", "options": {"start": 2}}]});
    ask(&other, "order 17").refused(422, &["Idempotency-Key"]);
    server.wait_for(&id, "completed");
    assert_eq!(ask(&body, "order 17").json()["status"], "completed");
}

#[test]
fn the_token_opens_all_but_health_and_metrics() {
    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[("API_TOKEN", "hunter2")]);
    for path in ["/api/exports/queue/stats", "/api/videos", "/api/exports/x"] {
        let answer = server.get(path);
        answer.refused(401, &["API_TOKEN"]);
        assert!(answer.headers.contains("www-authenticate: bearer"));
    }
    server
        .upload(&folder.path("recording.mp4"))
        .refused(401, &[]);
    assert_eq!(server.get("/health").code, 200);
    assert_eq!(server.get("/metrics").code, 200);

    let server = server.with_token("hunter2");
    let video = server.video(&folder.path("recording.mp4"));
    let operations = json!([{"type": "convert", "options": {"format": "mov"}}]);
    let export = server.export(&video, &operations);
    server.wait_for(&export, "completed");
    let download = server.download(&export);
    // The link's signature is enough, and each change to it too much.
    let link = download["url"].as_str().expect("a link").to_owned();
    let server = server.with_token("wrong");
    server.fetch(&link, &folder.path("whole.mov"));
    for bad in [
        link.replace("video.mov", "video.mp4"),
        link.replace("expires=", "expires=9"),
        link.split_once('?').expect("a query").0.to_owned(),
    ] {
        server.get(&bad).refused(403, &["link"]);
    }
    assert!(!server.log().contains("hunter2"));
}

#[test]
fn a_file_is_sent_in_ranges() {
    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("recording.mp4"));
    let operations = json!([{"type": "convert", "options": {"format": "mkv"}}]);
    let export = server.export(&video, &operations);
    server.wait_for(&export, "completed");
    let download = server.download(&export);
    let link = download["url"].as_str().expect("a link");
    let whole = folder.path("whole");
    server.fetch(link, &whole);
    let whole = fs::read(whole).expect("a file");
    let part = folder.path("part").display().to_string();
    for (range, expected) in [
        ("0-99", &whole[..100]),
        ("100-", &whole[100..]),
        ("-50", &whole[whole.len() - 50..]),
    ] {
        let arguments = [
            "-r",
            range,
            "--output",
            &part,
            "--no-include",
            "--write-out",
            "HTTP %{http_code}\r\n\r\n",
        ];
        assert_eq!(server.curl(&arguments, link).code, 206, "{range}");
        assert_eq!(fs::read(&part).expect("a file"), expected, "{range}");
    }
    let beyond = format!("{}-", whole.len());
    server.curl(&["-r", &beyond], link).refused(416, &["bytes"]);
}
