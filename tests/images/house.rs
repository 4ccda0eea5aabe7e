//! List, bucket, backend and workers of a test.

use std::fs;
use std::path::PathBuf;

use redis::FromRedisValue;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::backend::Backend;
use crate::exports::Server;
use crate::queue::service::Server as Redis;
use crate::support::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};
use crate::support::{Folder, Run, wait_until};

/// Where the public is told to find the bucket.
pub const PUBLIC: &str = "https://pub-xxx.r2.dev";

/// Everything that image jobs need.
pub struct House {
    pub backend: Backend,
    pub redis: Redis,
    pub list: String,
    pub s3: S3Server,
    pub folder: Folder,
    _runtime: Runtime,
}

impl House {
    pub fn new() -> Self {
        let folder = Folder::empty();
        fs::create_dir_all(folder.path("s3/images/raw")).expect("a bucket");
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let s3 = runtime.block_on(S3Server::start(&folder.path("s3"), 0));
        Self {
            backend: Backend::start(),
            redis: Redis::shared("redis"),
            list: format!("task_queue_{}", Uuid::now_v7()),
            s3: s3.expect("an S3 server"),
            folder,
            _runtime: runtime,
        }
    }

    /// The variables of the requirement, and what a test changes.
    pub fn variables(&self, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let own = |text: &str| text.to_owned();
        let mut variables = vec![
            ("FLATBED_WORKLOADS", own("images")),
            ("REDIS_URI", self.redis.url.clone()),
            ("IMAGE_QUEUE_NAME", self.list.clone()),
            ("BACKEND_URL", self.backend.url()),
            ("R2_ENDPOINT", self.s3.url()),
            ("R2_ACCESS_KEY_ID", own(ACCESS_KEY)),
            ("R2_SECRET_ACCESS_KEY", own(SECRET_KEY)),
            ("R2_BUCKET", own("images")),
            ("R2_PUBLIC_URL", own(PUBLIC)),
            ("R2_REGION", own("auto")),
            ("IMAGE_LEASE_SECONDS", own("2")),
            ("SHUTDOWN_GRACE_SECONDS", own("1")),
            ("CALLBACK_PATIENCE_SECONDS", own("2")),
        ];
        // The last one of a name holds.
        variables.extend(more.iter().map(|(name, value)| (*name, own(value))));
        variables
    }

    /// Runs the program with these variables and no others.
    pub fn run(&self, arguments: &str, variables: &[(&'static str, String)]) -> Run {
        let mut command = self.folder.command(arguments);
        command
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (*name, value)));
        Run::of(arguments, &mut command)
    }

    pub fn worker(&self) -> Server {
        self.worker_with(&[])
    }

    pub fn worker_with(&self, more: &[(&'static str, &str)]) -> Server {
        let variables = self.variables(more);
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Server::start(&self.folder, &variables)
    }

    /// A photo in the bucket, its record, and the message about it: as the backend does
    /// it. The record's id.
    pub fn order(&self, number: usize, photo: &[u8]) -> String {
        let id = self.record(number, photo);
        self.push(&id);
        id
    }

    /// The same without the message.
    pub fn record(&self, number: usize, photo: &[u8]) -> String {
        let key = format!("raw/{number}-abc.jpg");
        fs::write(self.object(&key), photo).expect("an object");
        self.backend.order(number, &key, &format!("{PUBLIC}/{key}"))
    }

    /// An image that is at this address alone.
    pub fn order_from(&self, number: usize, url: &str) -> String {
        let id = self.backend.order(number, "", url);
        self.push(&id);
        id
    }

    /// Pushes the message that the requirement shows.
    pub fn push(&self, id: &str) {
        self.push_text(
            &json!({"task_type": "process_image", "payload": {"imageJobID": id}}).to_string(),
        );
    }

    pub fn push_text(&self, message: &str) {
        self.redis.command(&["LPUSH", &self.list, message]);
    }

    /// The file that the S3 server keeps of an object.
    pub fn object(&self, key: &str) -> PathBuf {
        self.folder.path("s3/images").join(key)
    }

    /// Waits until a record has this status.
    #[track_caller]
    pub fn wait_for(&self, id: &str, status: &str) {
        wait_until(&format!("{id} to be {status}"), || {
            let now = self.backend.status(id);
            assert!(
                now == status || now != "FAILED" && now != "COMPLETED",
                "{}",
                self.backend.job(id)
            );
            now == status
        });
    }

    /// Waits until nothing of any job is left in the list but those set aside.
    pub fn wait_until_idle(&self) {
        wait_until("the list to be empty", || self.left() == 0);
    }

    /// How many jobs wait or are worked on.
    pub fn left(&self) -> u64 {
        let of = |command, key: &str| self.number(&[command, &format!("{}{key}", self.list)]);
        of("LLEN", "") + of("LLEN", ":ready") + of("ZCARD", ":active") + of("ZCARD", ":delayed")
    }

    /// Why jobs were set aside, the last first.
    pub fn set_aside(&self) -> Vec<String> {
        let ids = self
            .redis
            .command(&["LRANGE", &format!("{}:dead", self.list), "0", "-1"]);
        let ids = Vec::<String>::from_redis_value(ids).expect("ids");
        let reason = |id: &String| {
            let key = format!("{}:job:{id}", self.list);
            String::from_redis_value(self.redis.command(&["HGET", &key, "reason"]))
                .expect("a reason")
        };
        ids.iter().map(reason).collect()
    }

    pub fn number(&self, command: &[&str]) -> u64 {
        u64::from_redis_value(self.redis.command(command)).expect("a number")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.redis.forget(&format!("{}*", self.list));
    }
}
