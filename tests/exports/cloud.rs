//! Exports as a team with several hosts runs them: jobs in Redis or Postgres,
//! objects in S3, a producer in Node.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::Server;
use crate::queue::bullmq::Bullmq;
use crate::queue::bullmq::node::Node;
use crate::queue::fixture::{Fixture, Settings};
use crate::queue::postgres::Postgres;
use crate::support::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};
use crate::support::{Folder, shown_frames};

/// A queue as a host is told of it.
pub trait Shared: Fixture {
    /// What `/health` calls it.
    const DEPENDENCY: &str;
    /// The variable of its address.
    const ADDRESS: &str;

    fn url(&self) -> &str;

    /// All that a host needs to know, the address too.
    fn variables(&self) -> Vec<(&'static str, String)>;
}

impl Shared for Bullmq {
    const DEPENDENCY: &str = "redis";
    const ADDRESS: &str = "REDIS_URL";

    fn url(&self) -> &str {
        &self.server.url
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            (Self::ADDRESS, self.server.url.clone()),
            ("EXPORT_QUEUE_NAME", self.queue.clone()),
        ]
    }
}

impl Shared for Postgres {
    const DEPENDENCY: &str = "database";
    const ADDRESS: &str = "DATABASE_URL";

    fn url(&self) -> &str {
        &self.server.url
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("EXPORT_QUEUE", "postgres".to_owned()),
            (Self::ADDRESS, self.server.url.clone()),
            ("EXPORT_QUEUE_NAME", self.queue.clone()),
        ]
    }
}

/// A queue and a bucket that hosts share.
pub struct Cloud<Q> {
    pub queue: Q,
    pub s3: S3Server,
    bucket: PathBuf,
    pub runtime: Runtime,
    pub folder: Folder,
}

impl<Q: Shared> Cloud<Q> {
    pub fn new() -> Self {
        let folder = Folder::with(&["recording.mp4", "large.ts"]);
        let bucket = folder.path("s3/videos");
        fs::create_dir_all(&bucket).expect("a bucket");
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let s3 = runtime.block_on(S3Server::start(&folder.path("s3"), 0));
        Self {
            queue: runtime.block_on(Q::fresh(Settings::default())),
            s3: s3.expect("an S3 server"),
            bucket,
            runtime,
            folder,
        }
    }

    /// A host; the queue and the bucket are all that it shares with others.
    pub fn host(&self) -> Server {
        self.host_with(&[])
    }

    /// The same with these settings too.
    pub fn host_with(&self, more: &[(&str, &str)]) -> Server {
        let temp = self.folder.path("temp").display().to_string();
        let (queue, s3) = (self.queue.variables(), self.s3.url());
        let queue = queue.iter().map(|(name, value)| (*name, value.as_str()));
        let common = [
            ("EXPORT_LEASE_SECONDS", "3"),
            ("VIDEO_WORKER_CONCURRENCY", "1"),
            ("S3_BUCKET", "videos"),
            ("S3_ENDPOINT", &s3),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
            ("VIDEO_TEMP_DIR", &temp),
        ];
        // The last one of a name holds.
        let variables: Vec<_> = queue.chain(common).chain(more.iter().copied()).collect();
        Server::start(&self.folder, &variables)
    }

    /// Takes in a recording that is in the bucket already; gives its id.
    pub fn video(&self, host: &Server, name: &str) -> String {
        fs::copy(self.folder.path(name), self.bucket.join(name)).expect("a copy");
        let answer = host.post("/api/videos", &json!({"key": name}));
        assert_eq!(answer.code, 201, "{answer:?}\n{}", host.log());
        answer.field("id")
    }

    /// The names of the objects of an export.
    pub fn objects(&self, export: &str) -> Vec<String> {
        let entries = fs::read_dir(self.bucket.join("exports").join(export));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .map(|entry| {
                entry
                    .expect("a file")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        names
    }

    pub fn fetch(&self, host: &Server, export: &str) -> u64 {
        let download = host.get(&format!("/api/exports/{export}/download")).json();
        let link = download["url"].as_str().expect("a link");
        assert!(link.starts_with(&self.s3.url()), "{link}");
        let file = self.folder.path("fetched");
        host.fetch(link, &file);
        shown_frames(&file)
    }
}

#[test]
fn what_one_host_takes_in_any_other_does() {
    any_host_does_what_one_takes_in::<Bullmq>();
}

#[test]
fn what_one_host_takes_in_any_other_does_by_postgres() {
    any_host_does_what_one_takes_in::<Postgres>();
}

fn any_host_does_what_one_takes_in<Q: Shared>() {
    let cloud = Cloud::<Q>::new();
    let (front, back) = (cloud.host(), cloud.host());
    let video = front.video(&cloud.folder.path("recording.mp4"));
    let operations = json!([
        {"type": "trim", "options": {"start": 2, "end": 4}},
        {"type": "thumbnail", "options": {"count": 2}}
    ]);
    let export = back.export(&video, &operations);
    front.wait_for(&export, "completed");
    assert_eq!(
        cloud.objects(&export),
        ["thumbnail-1.jpg", "thumbnail-2.jpg", "video.mp4"]
    );
    assert_eq!(cloud.fetch(&front, &export), 50);
    assert_eq!(cloud.fetch(&back, &export), 50);
    for host in [&front, &back] {
        let health = host.get("/health").json();
        assert_eq!(health["status"], "healthy", "{health}");
        let queue = &health["dependencies"][Q::DEPENDENCY];
        assert_eq!(queue["status"], "ok", "{health}");
    }
    front.stop();
    back.stop();
    assert!(
        !cloud.folder.path("flatbed-data").exists(),
        "nothing is kept on a host"
    );
}

#[test]
fn a_producer_in_node_adds_an_export_and_hears_of_its_end() {
    let cloud = Cloud::<Bullmq>::new();
    let host = cloud.host();
    let video = host.video(&cloud.folder.path("recording.mp4"));
    let node = Node::start("bullmq", &cloud.queue);
    let data = json!({
        "videoId": video,
        "operations": [{"type": "transcode", "options": {"preset": "ultrafast", "resolution": "80x60"}}],
    });
    let options = json!({"attempts": 3, "backoff": {"type": "exponential", "delay": 5000}});
    let (id, end) = cloud.runtime.block_on(async {
        let id = node.add(data, options).await;
        let end = node.wait(&id).await;
        (id, end)
    });
    let files = &end["returned"]["files"];
    assert_eq!(files[0]["name"], "video.mp4", "{end}");
    assert_eq!(files[0]["key"], format!("exports/{id}/video.mp4"));
    host.wait_for(&id, "completed");
    assert_eq!(cloud.fetch(&host, &id), 150);

    // What is wrong with its data fails at once, for Node to see.
    let wrong: Value = cloud.runtime.block_on(async {
        let id = node
            .add(
                json!({"videoId": video, "operations": []}),
                json!({"attempts": 3}),
            )
            .await;
        node.wait(&id).await
    });
    assert!(
        wrong["threw"]
            .as_str()
            .expect("a reason")
            .contains("operations"),
        "{wrong}"
    );
}

#[test]
fn hosts_that_are_killed_lose_no_export() {
    killed_hosts_lose_no_export::<Bullmq>();
}

#[test]
fn hosts_that_are_killed_lose_no_export_by_postgres() {
    killed_hosts_lose_no_export::<Postgres>();
}

fn killed_hosts_lose_no_export<Q: Shared>() {
    let cloud = Cloud::<Q>::new();
    let first = cloud.host();
    let video = first.video(&cloud.folder.path("large.ts"));
    let operations = json!([{"type": "transcode", "options": {"preset": "veryfast"}}]);
    let export = first.export(&video, &operations);
    first.wait_for(&export, "processing");
    first.kill();

    let next = cloud.host();
    let status = next.wait_for(&export, "completed");
    assert_eq!(status["attempts"], 2, "the crash was charged: {status}");
    assert_eq!(cloud.objects(&export), ["video.ts"]);
    assert_eq!(cloud.fetch(&next, &export), 500);
    let stats = next.get("/api/exports/queue/stats").json();
    assert_eq!(
        (&stats["completed"], &stats["active"]),
        (&json!(1), &json!(0)),
        "{stats}"
    );
}

#[test]
fn a_host_cancels_what_another_works_on() {
    another_host_s_export_is_cancelled::<Bullmq>();
}

#[test]
fn a_host_cancels_what_another_works_on_by_postgres() {
    another_host_s_export_is_cancelled::<Postgres>();
}

fn another_host_s_export_is_cancelled<Q: Shared>() {
    let cloud = Cloud::<Q>::new();
    let worker = cloud.host();
    let video = worker.video(&cloud.folder.path("large.ts"));
    let slow = json!([{"type": "transcode", "options": {"preset": "veryslow", "resolution": "1920x1440"}}]);
    let export = worker.export(&video, &slow);
    worker.wait_for(&export, "processing");
    let other = cloud.host();
    let answer = other.delete(&format!("/api/exports/{export}"));
    assert_eq!(answer.code, 202, "{answer:?}");
    other.wait_for(&export, "cancelled");
    crate::support::wait_until("nothing to be left", || cloud.objects(&export).is_empty());
}
