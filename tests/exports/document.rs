//! `/openapi.json`: somebody else's validator finds it in order, and what the
//! server takes and answers is what it says.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Server;
use super::server::Answer;
use crate::support::Folder;

/// A server, and all that was said to it and by it.
pub struct Tour {
    pub server: Server,
    exchanges: Vec<Value>,
}

impl Tour {
    pub fn of(server: Server) -> Self {
        Self {
            server,
            exchanges: Vec::new(),
        }
    }

    pub fn ask(&mut self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        self.ask_with(method, target, body, &[])
    }

    fn ask_with(
        &mut self,
        method: &str,
        target: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let text = body.map(Value::to_string);
        let lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let mut arguments = vec!["-X", method];
        if let Some(text) = &text {
            arguments.extend([
                "-H",
                "Content-Type: application/json",
                "--data-binary",
                text,
            ]);
        }
        for line in &lines {
            arguments.extend(["-H", line]);
        }
        let answer = self.server.curl(&arguments, target);
        let body = json!(text.unwrap_or_default());
        self.note(method, target, &body, headers, &answer);
        answer
    }

    fn upload(&mut self, arguments: &[&str]) -> Answer {
        self.upload_to("/api/videos", arguments)
    }

    fn upload_to(&mut self, path: &str, arguments: &[&str]) -> Answer {
        let answer = self.server.curl(arguments, path);
        // Bytes are no JSON: the form that was sent is left out.
        self.note("POST", path, &Value::Null, &[], &answer);
        answer
    }

    fn note(
        &mut self,
        method: &str,
        target: &str,
        body: &Value,
        headers: &[(&str, &str)],
        answer: &Answer,
    ) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query: serde_json::Map<_, _> = pairs
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let headers: serde_json::Map<_, _> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        self.exchanges.push(json!({
            "method": method, "path": path, "query": query, "headers": headers,
            "type": "application/json", "body": body,
            "status": answer.code, "answerType": answer.header("content-type"),
            "answer": answer.text,
        }));
    }

    /// Each exchange so far is as the document says.
    pub fn compare(&self) {
        let document = self.server.get("/openapi.json").json();
        for (index, complaint) in complaints(&document, &self.exchanges).iter().enumerate() {
            assert_eq!(complaint, "", "{}", self.exchanges[index]);
        }
    }
}

/// What `tests/exports/conform.py` has to say of each.
fn complaints(document: &Value, exchanges: &[Value]) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/exports");
    let mut checker = Command::new(python())
        .arg("-B")
        .arg(folder.join("conform.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("openapi-core (scripts/setup --test)");
    let mut stdin = checker.stdin.take().expect("a pipe");
    let given = json!({"document": document, "exchanges": exchanges});
    stdin
        .write_all(given.to_string().as_bytes())
        .expect("it reads");
    drop(stdin);
    let output = checker.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("an array of texts")
}

fn python() -> PathBuf {
    let cache = std::env::var_os("FLATBED_CACHE").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| {
        let home = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
        home.expect("HOME").join("flatbed")
    });
    cache.join("openapi-venv/bin/python")
}

#[test]
fn the_server_takes_and_answers_what_its_document_says() {
    let folder = Folder::with(&["recording.mp4", "mark.png", "sound.m4a"]);
    folder.write("text.mp4", "no video at all");
    let variables = [
        ("MAX_VIDEO_UPLOAD_SIZE", "200k"),
        ("VIDEO_WORKER_CONCURRENCY", "1"),
    ];
    let server = Server::start(&folder, &variables);
    let mut tour = Tour::of(server);
    let form = |name: &str| format!("file=@{}", folder.path(name).display());

    let answer = tour.upload(&["-F", &form("recording.mp4")]);
    assert_eq!(answer.code, 201, "{answer:?}");
    let video = answer.field("id");
    let mark = tour.upload(&["-F", &form("mark.png")]).field("id");
    let sound = tour.upload(&["-F", &form("sound.m4a")]).field("id");
    assert_eq!(tour.upload(&["-F", &form("text.mp4")]).code, 422);
    assert_eq!(tour.upload(&["-F", "other=1"]).code, 400);
    folder.write("long.mp4", vec![0; 300 << 10]);
    assert_eq!(tour.upload(&["-F", &form("long.mp4")]).code, 413);
    let key = json!({"key": "nowhere/at all.mp4"});
    assert_eq!(tour.ask("POST", "/api/videos", Some(&key)).code, 404);
    tour.ask("GET", "/api/videos?limit=2", None);
    tour.ask("GET", &format!("/api/videos/{video}"), None);
    tour.ask("GET", "/api/videos/7d0a", None);

    let body = json!({"videoId": video, "operations": all_operations(&mark)});
    let answer = tour.ask_with(
        "POST",
        "/api/exports",
        Some(&body),
        &[("Idempotency-Key", "17")],
    );
    assert_eq!(answer.code, 202, "{answer:?}");
    let export = answer.field("id");
    let events = tour.ask("GET", &format!("/api/exports/{export}/events"), None);
    let told: Vec<&str> = events
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    assert!(
        told.last().is_some_and(|last| last.contains("completed")),
        "{told:?}"
    );
    for data in told {
        // As the document says of the events' data.
        let answer = Answer {
            code: 200,
            headers: "content-type: application/json".to_owned(),
            text: data.to_owned(),
        };
        tour.note(
            "GET",
            &format!("/api/exports/{export}"),
            &json!(""),
            &[],
            &answer,
        );
    }
    for path in ["", "/download"] {
        assert_eq!(
            tour.ask("GET", &format!("/api/exports/{export}{path}"), None)
                .code,
            200
        );
    }
    let thumbnail = json!({"videoId": sound, "operations": [{"type": "thumbnail"}]});
    let failed = tour
        .ask("POST", "/api/exports", Some(&thumbnail))
        .field("id");
    tour.server.wait_for(&failed, "failed");
    for (method, path, code) in [
        ("GET", format!("/api/exports/{failed}"), 200),
        ("GET", format!("/api/exports/{failed}/download"), 409),
        ("GET", "/api/exports?state=failed&limit=5".to_owned(), 200),
        ("GET", "/api/exports?state=odd".to_owned(), 400),
        ("GET", "/api/exports/queue/stats".to_owned(), 200),
        ("POST", format!("/api/exports/{failed}/retry"), 202),
        ("POST", format!("/api/exports/{export}/retry"), 409),
        ("DELETE", format!("/api/exports/{export}"), 409),
        ("DELETE", "/api/exports/none".to_owned(), 404),
        ("GET", "/api/exports/none/events".to_owned(), 404),
        ("GET", "/files/none".to_owned(), 403),
        ("GET", "/health".to_owned(), 200),
        ("GET", "/metrics".to_owned(), 200),
        ("GET", "/openapi.json".to_owned(), 200),
        ("DELETE", format!("/api/videos/{mark}"), 204),
    ] {
        let answer = tour.ask(method, &path, None);
        assert_eq!(answer.code, code, "{method} {path}: {answer:?}");
    }
    let wrong = json!({"videoId": video, "operations": [{"type": "trim"}]});
    assert_eq!(tour.ask("POST", "/api/exports", Some(&wrong)).code, 400);
    // Clips are off.
    let item = json!({"packing_item_id": 1});
    assert_eq!(tour.ask("POST", "/trigger", Some(&item)).code, 404);
    // And so is access.
    let days = json!({"from": "2026-01-01", "to": "2026-01-01"});
    assert_eq!(tour.ask("POST", "/eposh-induction", Some(&days)).code, 404);
    tour.compare();

    // And the checker finds what is not as described.
    let mut lie = tour.exchanges[0].clone();
    lie["answer"] = json!("{\"id\": 17}");
    let document = tour.server.get("/openapi.json").json();
    assert_ne!(complaints(&document, &[lie])[0], "");
}

#[test]
fn images_are_taken_and_answered_as_described() {
    let folder = Folder::with(&["mark.png"]);
    folder.write("text.png", "no image at all, however long it may be");
    let mut tour = Tour {
        server: Server::start(&folder, &[("IMAGE_MAX_BYTES", "200k")]),
        exchanges: Vec::new(),
    };
    let path = "/api/images";
    let form = |name: &str| format!("file=@{}", folder.path(name).display());
    let refused = tour.upload_to(path, &["-F", &form("text.png")]);
    refused.refused(422, &["no image"]);
    let refused = tour.upload_to(path, &["-F", &form("mark.png"), "-F", "quality=0"]);
    refused.refused(400, &["quality"]);
    folder.write("long.png", vec![0; 300 << 10]);
    let refused = tour.upload_to(path, &["-F", &form("long.png")]);
    assert_eq!(refused.code, 422, "{refused:?}");
    // The image itself is no text: it is left out.
    let nowhere = folder.path("body").display().to_string();
    let form = form("mark.png");
    let kept = ["--no-include", "--dump-header", "-", "-o", &nowhere];
    let arguments = [&kept[..], &["-F", &form]].concat();
    let mut made = tour.server.curl(&arguments, path);
    assert_eq!(made.code, 200, "{made:?}");
    made.text = "RIFF".to_owned();
    tour.note("POST", path, &Value::Null, &[], &made);

    let taken = tour.upload_to(path, &["-F", &form, "-F", "async=true"]);
    assert_eq!(taken.code, 202, "{taken:?}");
    let id = taken.field("id");
    let job = format!("{path}/{id}");
    crate::image_api::wait_for(&tour.server, &id, "completed");
    let all = json!({
        "url": "http://10.0.0.1/a.jpg", "maxWidth": 1, "maxHeight": 65500, "fit": "cover",
        "enlarge": true, "quality": 100, "maxBytes": 1, "effort": 6, "still": true,
        "keep": ["icc", "exif"], "linearLight": true, "async": false,
    });
    let prefers = [("Prefer", "respond-async"), ("Idempotency-Key", "17")];
    let refused = tour.ask_with("POST", path, Some(&all), &prefers);
    refused.refused(400, &["10.0.0.1"]);
    for (method, path, code) in [
        ("GET", job.clone(), 200),
        ("GET", format!("{job}/download"), 200),
        ("DELETE", job, 409),
        ("GET", format!("{path}/none"), 404),
        ("GET", format!("{path}/none/download"), 404),
        ("DELETE", format!("{path}/none"), 404),
    ] {
        let answer = tour.ask(method, &path, None);
        assert_eq!(answer.code, code, "{method} {path}: {answer:?}");
    }
    tour.compare();

    // Field by field, the document refuses what the server does.
    let document = tour.server.get("/openapi.json").json();
    let described = |body: Value| {
        let exchange = json!({
            "method": "POST", "path": path, "query": {}, "headers": {},
            "type": "application/json", "body": body.to_string(), "status": 202,
            "answerType": "application/json",
            "answer": "{\"id\": \"a\", \"jobId\": \"a\", \"status\": \"queued\"}",
        });
        complaints(&document, &[exchange]).remove(0)
    };
    // Refused before it is asked for.
    let url = "https://example.com/a.jpg";
    for (field, value) in [
        ("maxWidth", json!(0)),
        ("maxHeight", json!(65501)),
        ("fit", json!("crop")),
        ("quality", json!(101)),
        ("ssim", json!(1)),
        ("effort", json!(7)),
        ("maxBytes", json!(0)),
        ("still", json!("no")),
        ("keep", json!("all")),
        ("url", json!(7)),
        ("width", json!(9)),
    ] {
        let mut body = json!({"url": url});
        body[field] = value;
        let answer = tour.server.post(path, &body);
        answer.refused(400, &[field]);
        assert_ne!(described(body.clone()), "", "the document allows {body}");
    }
    assert_eq!(described(json!({"url": url, "quality": 80})), "");
    assert_ne!(described(json!({"quality": 80})), "");
}

#[test]
fn analyses_are_answered_as_described() {
    let folder = Folder::with(&["talk.mp4"]);
    let mut tour = Tour {
        server: Server::start(&folder, &[]),
        exchanges: Vec::new(),
    };
    let video = tour.server.video(&folder.path("talk.mp4"));
    let base = format!("/api/videos/{video}");
    let analysis = format!("{base}/analysis");
    tour.ask("GET", &analysis, None).refused(404, &["analysed"]);
    let asked = tour.ask("POST", &format!("{base}/analyze"), Some(&json!({})));
    assert_eq!(asked.code, 202, "{asked:?}");
    crate::support::wait_until("the analysis to end", || {
        tour.server.get("/stats").json()["jobs_processed"] == 1
    });
    let wrong = json!({"source": 7});
    tour.ask("POST", &format!("{base}/analyze"), Some(&wrong))
        .refused(400, &["source"]);
    for path in [&*analysis, "/stats", "/jobs/peek"] {
        assert_eq!(tour.ask("GET", path, None).code, 200, "{path}");
    }
    tour.ask("GET", "/api/search?q=x", None)
        .refused(409, &["OPENAI_API_KEY"]);
    assert_eq!(tour.ask("DELETE", &analysis, None).code, 204);
    tour.compare();
}

#[test]
fn without_the_token_it_says_so_as_described() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[("API_TOKEN", "hunter2")]);
    let mut tour = Tour {
        server,
        exchanges: Vec::new(),
    };
    for path in ["/api/exports/queue/stats", "/api/videos", "/openapi.json"] {
        tour.ask("GET", path, None).refused(401, &["API_TOKEN"]);
    }
    tour.server = tour.server.with_token("hunter2");
    tour.compare();
}

/// Every operation with every option, each in one of its forms.
fn all_operations(mark: &str) -> Value {
    json!([
        {"type": "trim", "options": {"start": 1, "end": "90%", "mode": "exact"}},
        {"type": "trim", "options": {"duration": "00:00:02.000"}},
        {"type": "watermark", "options": {
            "image": mark, "position": "top-right", "margin": 2, "opacity": 0.5, "scale": 0.25,
            "start": 0, "end": "1500ms"}},
        {"type": "watermark", "options": {"image": mark, "position": {"x": -4, "y": 4}}},
        {"type": "transcode", "options": {
            "codec": "h264", "bitrate": "300k", "maxBitrate": 600_000, "resolution": "80x60",
            "fit": "cover", "preset": "ultrafast", "fps": "30000/1001", "pixelFormat": "yuv420p",
            "keyframeInterval": 30, "audioCodec": "aac", "audioBitrate": "64k",
            "audioChannels": 1, "twoPass": false}},
        {"type": "convert", "options": {"format": "mkv", "videoCodec": "h264", "audioCodec": "aac"}},
        {"type": "thumbnail", "options": {
            "timestamps": ["50%", 0.5], "size": "40x", "fit": "contain", "format": "webp",
            "quality": 70, "skipBlack": true}},
        {"type": "thumbnail"}
    ])
}

/// The engine's own reader and the schema agree on each.
#[test]
fn operations_are_described_as_they_are_read() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    let document = server.get("/openapi.json").json();
    // There is no such video, which is found out behind the operations.
    let body = |operation: &Value| {
        let id = "00000000-0000-0000-0000-000000000000";
        json!({"videoId": id, "operations": [operation]})
    };
    let described = |operations: &[Value]| {
        let exchange = |operation| {
            json!({
                "method": "POST", "path": "/api/exports", "query": {}, "headers": {},
                "type": "application/json", "body": body(operation).to_string(), "status": 202,
                "answerType": "application/json",
                "answer": "{\"id\": \"a\", \"jobId\": \"a\", \"status\": \"queued\"}",
            })
        };
        let exchanges: Vec<_> = operations.iter().map(exchange).collect();
        complaints(&document, &exchanges)
    };
    let right = [
        json!({"type": "compress", "options": {"quality": "low", "preset": "slow"}}),
        json!({"type": "compress", "options": {"crf": 23.5, "maxBitrate": "2.5M"}}),
        json!({"type": "compress", "options": {"targetBytes": 100_000}}),
        json!({"type": "compress", "options": {"targetSsim": 0.95}}),
        json!({"type": "compress"}),
        json!({"type": "convert"}),
        json!({"type": "transcode", "options": {"fps": 29.97, "bitrate": 1_000_000, "twoPass": true}}),
        json!({"type": "transcode", "options": {"resolution": "x720", "audioCodec": "none"}}),
        json!({"type": "trim", "options": {"start": "1:02.5", "duration": "250ms", "mode": "copy"}}),
        json!({"type": "thumbnail", "options": {"count": 3, "format": "png"}}),
    ];
    for (operation, complaint) in right.iter().zip(described(&right)) {
        let answer = server.post("/api/exports", &body(operation));
        assert_eq!((answer.code, complaint.as_str()), (404, ""), "{operation}");
    }

    let wrong = [
        json!({"type": "blur"}),
        json!({"type": "trim"}),
        json!({"type": "trim", "options": {}}),
        json!({"type": "trim", "options": {"begin": 1}}),
        json!({"type": "trim", "options": {"start": -1}}),
        json!({"type": "trim", "options": {"end": 2, "duration": 1}}),
        json!({"type": "trim", "option": {"start": 1}}),
        json!({"type": "watermark", "options": {"position": "top"}}),
        json!({"type": "watermark", "options": {"image": "a.png", "opacity": 3}}),
        json!({"type": "watermark", "options": {"image": "a.png", "position": "nowhere"}}),
        json!({"type": "transcode", "options": {"codec": "divx"}}),
        json!({"type": "transcode", "options": {"bitrate": "fast"}}),
        json!({"type": "transcode", "options": {"bitrate": "1M", "crf": 20}}),
        json!({"type": "transcode", "options": {"resolution": "x"}}),
        json!({"type": "transcode", "options": {"crf": 64}}),
        json!({"type": "compress", "options": {"crf": 20, "quality": "low"}}),
        json!({"type": "convert", "options": {"format": "wmv"}}),
        json!({"type": "thumbnail", "options": {"count": 0}}),
        json!({"type": "thumbnail", "options": {"fit": "pad"}}),
    ];
    for (operation, complaint) in wrong.iter().zip(described(&wrong)) {
        let answer = server.post("/api/exports", &body(operation));
        assert_eq!(answer.code, 400, "{operation}");
        assert_ne!(complaint, "", "the document allows {operation}");
    }
}
