//! The Redis of `scripts/services`, or one of a test's own that it may kill.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A running Redis.
pub struct Server {
    pub url: String,
    own: Option<TempDir>,
}

impl Server {
    /// The one that all tests share.
    pub fn shared() -> Self {
        let file = root().join("target/services/redis/url");
        let Ok(url) = std::fs::read_to_string(&file) else {
            panic!("these tests need a Redis: run `scripts/services start redis` first")
        };
        Self {
            url: url.trim().to_owned(),
            own: None,
        }
    }

    /// One that nobody else uses.
    pub fn own() -> Self {
        let folder = tempfile::tempdir().unwrap();
        services(folder.path(), "start");
        Self {
            url: address(folder.path()),
            own: Some(folder),
        }
    }

    /// Ends it without a word to anyone.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        let entry = PathBuf::from(format!("/proc/{}", self.pid().as_raw_nonzero()));
        let begun = Instant::now();
        while entry.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "Redis lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it from answering; the system goes on taking what it is sent.
    pub fn freeze(&self, frozen: bool) {
        self.signal(if frozen { Signal::STOP } else { Signal::CONT });
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        let file = self.folder().join("redis/1-redis.pid");
        let identity = std::fs::read_to_string(file).unwrap();
        let pid = identity.split(' ').next().unwrap().parse().unwrap();
        Pid::from_raw(pid).unwrap()
    }

    /// Starts it again, with what it had written.
    pub fn restart(&self) {
        services(self.folder(), "start");
        assert_eq!(address(self.folder()), self.url);
    }

    /// Runs one command.
    pub fn command(&self, words: &[&str]) -> redis::Value {
        let mut connection = redis::Client::open(&*self.url)
            .unwrap()
            .get_connection()
            .unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut connection).unwrap()
    }

    /// Removes the keys like `pattern` from the server that all share.
    pub fn forget(&self, pattern: &str) {
        const FORGET: &str = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
            redis.call('DEL', key) end";
        if self.own.is_none() {
            self.command(&["EVAL", FORGET, "0", pattern]);
        }
    }

    fn folder(&self) -> &Path {
        self.own.as_ref().expect("a server of one's own").path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            services(own.path(), "stop");
        }
    }
}

fn address(folder: &Path) -> String {
    let url = std::fs::read_to_string(folder.join("redis/url")).unwrap();
    url.trim().to_owned()
}

fn services(folder: &Path, order: &str) {
    let done = Command::new(root().join("scripts/services"))
        .arg("--at")
        .arg(folder)
        .args([order, "redis"])
        .status()
        .unwrap();
    assert!(done.success(), "scripts/services {order} redis");
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
