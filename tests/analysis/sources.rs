//! Each source of jobs with each storage: real Postgres, Redis, SQS and S3.

use std::process::Command;

use serde_json::{Value, json};
use tokio::runtime::Builder;
use uuid::Uuid;

use super::house::{House, assert_whole, wait_for};
use crate::exports::Server;
use crate::queue::postgres::server::Server as Postgres;
use crate::queue::service::Server as Service;
use crate::support::wait_until;

/// The storages, by what is set; all but `local` and `s3` need the database.
const STORAGES: [&str; 4] = ["postgres", "hybrid", "s3", "local"];

/// One that is empty.
fn database() -> Postgres {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime
        .expect("a thread")
        .block_on(Postgres::empty_database())
}

/// Variables of a storage.
fn storage(house: &House, kind: &str, database: &Postgres) -> Vec<(&'static str, String)> {
    let mut variables = vec![("STORAGE_TYPE", kind.to_owned())];
    if ["postgres", "hybrid"].contains(&kind) {
        variables.push(("DATABASE_URL", database.url.clone()));
    }
    if ["s3", "hybrid"].contains(&kind) {
        variables.extend(house.bucket());
    }
    variables
}

fn serve(house: &House, variables: &[(&'static str, String)]) -> Server {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    house.serve(&variables)
}

fn order(house: &House) -> (String, Value) {
    let video = Uuid::now_v7().to_string();
    let body = json!({"video_id": video, "source_url": house.talk()});
    (video, body)
}

#[test]
fn rows_of_jobs_are_done_whatever_results_are_kept_in() {
    let house = House::new();
    for kind in STORAGES {
        let database = database();
        let mut variables = storage(&house, kind, &database);
        variables.push(("JOB_SOURCE_TYPE", "postgres".to_owned()));
        variables.push(("DATABASE_URL", database.url.clone()));
        let server = serve(&house, &variables);
        let (video, _) = order(&house);
        // A producer that knows two tables and nothing of Flatbed.
        database.sql_now(&format!(
            "INSERT INTO videos (id, source_url) VALUES ('{video}', '{}');
             INSERT INTO jobs (video_id) VALUES ('{video}')",
            house.talk()
        ));
        assert_whole(&wait_for(&server, &video, "completed"));
        wait_until("the row to be done", || {
            let row = database.sql_now("SELECT status, attempts::text FROM jobs");
            row == [["completed", "1"]]
        });
        let tables = database.sql_now(
            "SELECT (SELECT count(*) FROM frames WHERE image IS NOT NULL),
                    (SELECT count(*) FROM frames WHERE object_key IS NOT NULL),
                    (SELECT count(*) FROM embeddings)",
        );
        let expected = match kind {
            "postgres" => ["4", "0"],
            "hybrid" => ["0", "4"],
            _ => ["0", "0"],
        };
        assert_eq!(tables[0][..2], expected, "{kind}");
        server.stop();
    }
}

#[test]
fn messages_of_sqs_are_done() {
    let house = House::new();
    let sqs = Service::shared("sqs");
    let [url, dead] = ["jobs", "dead"].map(|name| {
        let name = format!("analysis-{name}-{}", Uuid::now_v7());
        let made = sqs_call(&sqs.url, "CreateQueue", &json!({"QueueName": name}));
        made["QueueUrl"].as_str().expect("an address").to_owned()
    });
    let database = database();
    for kind in ["hybrid", "s3"] {
        let mut variables = storage(&house, kind, &database);
        variables.extend(house.bucket());
        variables.extend([
            ("JOB_SOURCE_TYPE", "sqs".to_owned()),
            ("AWS_SQS_QUEUE_URL", url.clone()),
            ("AWS_SQS_DEAD_LETTER_URL", dead.clone()),
            ("AWS_ENDPOINT_URL_SQS", sqs.url.clone()),
            ("SQS_MAX_MESSAGES", "1".to_owned()),
            ("SQS_WAIT_TIME", "1".to_owned()),
            // A poll that goes on when its worker ends may be given the next message.
            ("SQS_VISIBILITY_SECONDS", "3".to_owned()),
        ]);
        let server = serve(&house, &variables);
        let (video, body) = order(&house);
        let message = json!({"QueueUrl": url, "MessageBody": body.to_string()});
        sqs_call(&sqs.url, "SendMessage", &message);
        assert_whole(&wait_for(&server, &video, "completed"));
        server.stop();
    }
}

/// As any other client of moto's does it.
fn sqs_call(endpoint: &str, action: &str, body: &Value) -> Value {
    let output = Command::new("curl")
        .args(["--silent", "--fail-with-body", "--noproxy", "*"])
        .args(["-H", "Content-Type: application/x-amz-json-1.0"])
        .args(["-H", &format!("X-Amz-Target: AmazonSQS.{action}")])
        .args(["-H", "Authorization: AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"])
        .args(["--data-binary", &body.to_string(), endpoint])
        .output()
        .expect("curl starts");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn messages_of_a_redis_list_are_done() {
    let house = House::new();
    let redis = Service::shared("redis");
    let list = format!("video_jobs_{}", Uuid::now_v7());
    let variables = [
        ("JOB_SOURCE_TYPE", "redis".to_owned()),
        ("REDIS_URL", redis.url.clone()),
        ("ANALYSIS_LIST", list.clone()),
        ("EXPORT_QUEUE", "sqlite".to_owned()),
    ];
    let server = serve(&house, &variables);
    let (video, body) = order(&house);
    redis.command(&["LPUSH", &list, &body.to_string()]);
    assert_whole(&wait_for(&server, &video, "completed"));
    // Asked for over HTTP it goes the same way.
    let again = server.post(
        &format!("/api/videos/{video}/analyze"),
        &json!({"force": true}),
    );
    assert_eq!(again.code, 202, "{again:?}");
    redis.forget(&format!("{list}*"));
}

#[test]
fn signed_requests_are_done_once_and_forged_ones_not_at_all() {
    let house = House::new();
    let secret = "a secret of sixteen bytes";
    let server = serve(
        &house,
        &[
            ("JOB_SOURCE_TYPE", "webhook".to_owned()),
            ("WEBHOOK_SECRET", secret.to_owned()),
            ("API_TOKEN", "token".to_owned()),
        ],
    )
    .with_token("token");
    let (video, body) = order(&house);
    let body = body.to_string();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("a time").as_secs().to_string();
    let signature = hmac(secret, &format!("{now}.{body}"));
    let push = |signature: &str| {
        server.post_text(
            "/webhook",
            &body,
            &[
                &format!("X-Webhook-Timestamp: {now}"),
                &format!("X-Webhook-Signature: sha256={signature}"),
            ],
        )
    };
    let forged = hmac("another secret of the kind", &format!("{now}.{body}"));
    assert_eq!(push(&forged).code, 401);
    let taken = push(&signature);
    assert_eq!(taken.code, 202, "{taken:?}");
    assert_eq!(taken.json()["video_id"], video);
    let replayed = push(&signature);
    assert_eq!(replayed.json()["job_id"], taken.json()["job_id"]);
    assert_whole(&wait_for(&server, &video, "completed"));
    wait_until("the job to be done", || {
        server.get("/stats").json()["queue"]["completed"] == 1
    });
}

/// As OpenSSL has it, in hex.
fn hmac(secret: &str, text: &str) -> String {
    let output = Command::new("python3")
        .args(["-c", "import hashlib, hmac, sys; print(hmac.new(sys.argv[1].encode(), sys.argv[2].encode(), hashlib.sha256).hexdigest())"])
        .args([secret, text])
        .output()
        .expect("python3 starts");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

#[test]
fn videos_come_from_buckets_addresses_and_folders_that_are_allowed() {
    let house = House::new();
    std::fs::create_dir_all(house.folder.path("s3/videos/in")).expect("a folder");
    std::fs::copy(
        house.folder.path("talk.mp4"),
        house.folder.path("s3/videos/in/a talk.mp4"),
    )
    .expect("an object");
    let models_off = [
        ("ENABLE_TRANSCRIPTION", "false"),
        ("ENABLE_VISION_ANALYSIS", "false"),
        ("ENABLE_EMBEDDINGS", "false"),
    ];
    let allowed = house.folder.path("allowed");
    std::fs::create_dir(&allowed).expect("a folder");
    std::os::unix::fs::symlink(house.folder.path("talk.mp4"), allowed.join("link.mp4"))
        .expect("a link");
    std::fs::copy(house.folder.path("talk.mp4"), allowed.join("talk.mp4")).expect("a copy");
    let allowed = allowed.display().to_string();
    let mut variables = house.bucket();
    variables.extend(models_off.map(|(name, value)| (name, value.to_owned())));
    variables.push(("ANALYSIS_SOURCE_DIRS", allowed.clone()));
    let server = serve(&house, &variables);
    for source in [
        "s3://videos/in/a%20talk.mp4",
        &format!("file://{allowed}/talk.mp4"),
    ] {
        let video = Uuid::now_v7().to_string();
        let answer = server.post(
            &format!("/api/videos/{video}/analyze"),
            &json!({"source_url": source}),
        );
        assert_eq!(answer.code, 202);
        let analysis = wait_for(&server, &video, "completed");
        assert_eq!(
            analysis["frames"].as_array().map(Vec::len),
            Some(4),
            "{source}"
        );
    }
    for (source, why) in [
        (format!("{allowed}/link.mp4"), "ANALYSIS_SOURCE_DIRS"),
        (format!("{allowed}/../talk.mp4"), "ANALYSIS_SOURCE_DIRS"),
        ("/etc/hostname".to_owned(), "ANALYSIS_SOURCE_DIRS"),
        (format!("{allowed}/none.mp4"), "No such file"),
        (format!("{allowed}/../none.mp4"), "ANALYSIS_SOURCE_DIRS"),
        ("s3://others/talk.mp4".to_owned(), "ANALYSIS_SOURCE_BUCKETS"),
        ("s3://videos/none.mp4".to_owned(), "none.mp4"),
        (house.s3.url(), "127.0.0.1"),
        ("ftp://a/b".to_owned(), "ftp"),
        ("talk.mp4".to_owned(), "source_url"),
    ] {
        let video = Uuid::now_v7().to_string();
        server.post(
            &format!("/api/videos/{video}/analyze"),
            &json!({"source_url": source}),
        );
        let analysis = wait_for(&server, &video, "failed");
        let error = analysis["error"].as_str().expect("an error");
        assert!(error.contains(why), "{source}: {error}");
    }
}
