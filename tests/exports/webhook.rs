//! Exports that are pushed by signed requests.

use std::net::SocketAddr;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Server;
use crate::queue::outage::{Proxy, Way};
use crate::queue::postgres::server::Server as Database;
use crate::queue::webhook::SECRET;
use crate::queue::webhook::sender::{Message, now};
use crate::support::{Folder, wait_until};

const PATH: &str = "/api/jobs/webhook";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn trim(video: &str) -> String {
    json!({"videoId": video, "operations": [{"type": "trim", "options": {"end": 1}}]}).to_string()
}

fn message(server: &Server, id: &str, body: impl Into<Vec<u8>>) -> Message {
    Message::new(&server.url(PATH), SECRET, id, body)
}

fn jobs(server: &Server) -> u64 {
    let stats = server.get("/api/exports/queue/stats").json();
    let states = stats.as_object().expect("counts").values();
    states.filter_map(Value::as_u64).sum()
}

#[test]
fn what_is_pushed_is_done_once_however_often_it_comes() {
    let folder = Folder::with(&["recording.mp4"]);
    let token = [("WEBHOOK_SECRET", SECRET), ("API_TOKEN", "token")];
    // The signature is its token.
    let server = Server::start(&folder, &token).with_token("token");
    let video = server.video(&folder.path("recording.mp4"));
    let mut pushed = message(&server, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", trim(&video));
    let answer = pushed.send().expect("an answer");
    assert_eq!(answer.code, 202, "{}", answer.text);
    assert_eq!(answer.json()["status"], "queued");
    let export = answer.json()["jobId"].as_str().expect("an id").to_owned();
    assert_eq!(export, pushed.id);
    server.wait_for(&export, "completed");

    // The same again, later, and replayed by who overheard it.
    pushed.at -= 200;
    for _ in 0..3 {
        let answer = pushed.send().expect("an answer");
        assert_eq!(answer.code, 202, "{}", answer.text);
        assert_eq!(answer.json()["status"], "completed");
    }
    assert_eq!(jobs(&server), 1);
    assert_eq!(server.wait_for(&export, "completed")["attempts"], 1);
    // Another job under its name is a mistake.
    pushed.body = trim(&video).replace("\"end\":1", "\"end\":2").into();
    let answer = pushed.send().expect("an answer");
    assert_eq!(answer.code, 422, "{}", answer.text);
    assert!(answer.text.contains("webhook-id"), "{}", answer.text);
}

#[test]
fn what_openssl_signs_is_taken() {
    let folder = Folder::with(&["recording.mp4"]);
    let plain = "a plain secret, as other senders have them".replace(',', "");
    let server = Server::start(&folder, &[("WEBHOOK_SECRET", &plain)]);
    let body = trim(&server.video(&folder.path("recording.mp4")));
    let at = now();
    let script = r#"printf '%s' "$2" | openssl dgst -sha256 -hmac "$1" -binary | base64"#;
    let signed = format!("msg_openssl.{at}.{body}");
    let output = Command::new("sh")
        .args(["-c", script, "sh", &plain, &signed])
        .output()
        .expect("openssl starts");
    let signature = String::from_utf8(output.stdout).expect("text");
    let headers = [
        "webhook-id: msg_openssl".to_owned(),
        format!("webhook-timestamp: {at}"),
        format!("webhook-signature: v1a,ignored v1,{}", signature.trim()),
    ];
    let answer = server.post_text(PATH, &body, &headers.each_ref().map(String::as_str));
    assert_eq!(answer.code, 202, "{answer:?}");
    server.wait_for(&answer.field("jobId"), "completed");
}

#[test]
fn what_is_forged_late_or_too_large_leaves_nothing() {
    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[("WEBHOOK_SECRET", SECRET)]);
    let video = server.video(&folder.path("recording.mp4"));
    let good = || message(&server, "msg_1", trim(&video));
    let changed = |change: &dyn Fn(&mut Message)| {
        let mut message = good();
        change(&mut message);
        message
    };
    let with = |headers: Value| changed(&|message| message.headers = headers.clone());
    let large = format!("{}{}", trim(&video), " ".repeat(2 << 20));
    let seconds = |at: u64| json!({"webhook-timestamp": at.to_string()});
    let bad: [(Message, u64, &str); 15] = [
        (
            changed(&|m| m.secrets = vec![OTHER.to_owned()]),
            401,
            "no known secret",
        ),
        (with(json!({"webhook-id": "msg_2"})), 401, "no known secret"),
        (with(seconds(now() - 10)), 401, "no known secret"),
        (
            with(json!({"webhook-signature": "v1,"})),
            401,
            "no known secret",
        ),
        (
            with(json!({"webhook-signature": "v2,AAAA v1 AAAA ,"})),
            401,
            "no known secret",
        ),
        (
            with(json!({"webhook-signature": "v1,%%%"})),
            401,
            "no known secret",
        ),
        (with(json!({"webhook-id": ""})), 400, "webhook-id"),
        (
            with(json!({"webhook-id": "x".repeat(256)})),
            400,
            "webhook-id",
        ),
        (changed(&|m| m.at -= 302), 401, "300 s are allowed"),
        (changed(&|m| m.at += 302), 401, "ahead"),
        (
            with(json!({"webhook-timestamp": "soon"})),
            400,
            "webhook-timestamp",
        ),
        (
            with(json!({"webhook-timestamp": "+17"})),
            400,
            "webhook-timestamp",
        ),
        (changed(&|m| m.body = large.clone().into()), 413, "longer"),
        (changed(&|m| m.body = "{}".into()), 400, "videoId"),
        (
            changed(&|m| m.body = trim("nothing").into()),
            404,
            "videoId",
        ),
    ];
    for (message, code, word) in bad {
        let answer = message.send().expect("an answer");
        assert_eq!(answer.code, code, "{word}: {}", answer.text);
        let said = answer.json()["message"].as_str().expect("why").to_owned();
        assert!(said.contains(word), "no {word} in {said}");
    }
    server
        .post_text(PATH, &trim(&video), &[])
        .refused(401, &["webhook-id"]);
    assert_eq!(jobs(&server), 0);
    // A clock that is a little wrong does no harm.
    for (id, skew) in [("msg_behind", -290_i64), ("msg_ahead", 290)] {
        let mut skewed = message(&server, id, trim(&video));
        skewed.at = skewed.at.saturating_add_signed(skew);
        assert_eq!(skewed.send().expect("an answer").code, 202);
    }
    assert_eq!(jobs(&server), 2);
}

#[test]
fn a_secret_is_changed_without_a_gap() {
    let folder = Folder::with(&["recording.mp4"]);
    let both = format!("{SECRET}, {OTHER}");
    let server = Server::start(&folder, &[("WEBHOOK_SECRET", &both)]);
    let video = server.video(&folder.path("recording.mp4"));
    let unknown = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    for (number, secrets) in [
        vec![SECRET],
        vec![OTHER],
        vec![unknown, OTHER],
        vec![SECRET, OTHER],
    ]
    .into_iter()
    .enumerate()
    {
        let mut message = message(&server, &format!("msg_{number}"), trim(&video));
        message.secrets = secrets.into_iter().map(str::to_owned).collect();
        let answer = message.send().expect("an answer");
        assert_eq!(answer.code, 202, "{number}: {}", answer.text);
    }
    assert_eq!(jobs(&server), 4);
    server.stop();

    let closed = Server::start(&folder, &[]);
    let answer = message(&closed, "msg_9", trim(&video)).send();
    assert_eq!(answer.expect("an answer").code, 404, "nobody may push");
}

/// Killed when the job is in the database and its sender has not heard of it.
#[test]
fn what_was_persisted_and_not_acknowledged_is_done_once() {
    let folder = Folder::with(&["recording.mp4"]);
    let runtime = Runtime::new().expect("threads");
    let database = runtime.block_on(Database::empty_database());
    let (place, name) = database.url.rsplit_once('/').expect("a database");
    let (_, port) = place.rsplit_once(':').expect("a port");
    let address = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a number")));
    let proxy = runtime.block_on(Proxy::to(address));
    let through = format!("postgres://flatbed@{}/{name}", proxy.address());
    let start = |url: &str| {
        let variables = [
            ("WEBHOOK_SECRET", SECRET),
            ("EXPORT_QUEUE", "postgres"),
            ("EXPORT_LEASE_SECONDS", "2"),
            ("DATABASE_URL", url),
        ];
        Server::start(&folder, &variables)
    };
    let server = start(&through);
    let video = server.video(&folder.path("recording.mp4"));
    let first = message(&server, "msg_first", trim(&video));
    assert_eq!(first.send().expect("an answer").code, 202);
    server.wait_for("msg_first", "completed");

    let unheard = message(&server, "msg_unheard", trim(&video));
    proxy.set(Way::Mute);
    let sending = thread::spawn({
        let unheard = unheard.clone();
        move || unheard.send()
    });
    let found = "SELECT count(*) FROM flatbed_jobs WHERE id = 'msg_unheard'";
    wait_until("the job to be in the database", || {
        database.sql_now(found) == [["1"]]
    });
    server.kill();
    assert!(
        sending.join().expect("no panic").is_none(),
        "no answer came"
    );

    let server = start(&database.url);
    server.wait_for("msg_unheard", "completed");
    // The sender tries again, as it must.
    let again = Message {
        url: server.url(PATH),
        ..unheard
    };
    let answer = again.send().expect("an answer");
    assert_eq!(
        (answer.code, &answer.json()["status"]),
        (202, &json!("completed"))
    );
    assert_eq!(jobs(&server), 2);
}
