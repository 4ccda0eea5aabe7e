//! A server of `scripts/services`, or one of a test's own that it may kill.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// A running server.
pub struct Server {
    pub url: String,
    name: &'static str,
    own: Option<TempDir>,
}

impl Server {
    /// The one that all tests share.
    pub fn shared(name: &'static str) -> Self {
        let folder = root().join("target/services");
        assert!(
            folder.join(name).join("url").exists(),
            "these tests need {name}: run `scripts/services start {name}` first"
        );
        Self {
            url: address(&folder, name),
            name,
            own: None,
        }
    }

    /// One that nobody else uses.
    pub fn own(name: &'static str) -> Self {
        Self::configured(name, "")
    }

    /// A Redis of one's own that has written whatever it has answered.
    pub fn careful_redis() -> Self {
        let server = Self::own("redis");
        server.command(&["CONFIG", "SET", "appendfsync", "always"]);
        server
    }

    /// One that nobody else uses, with these lines in its configuration, where it reads one.
    pub fn configured(name: &'static str, lines: &str) -> Self {
        let own = tempfile::tempdir().unwrap();
        configure(own.path(), name, lines);
        services(own.path(), "start", name);
        Self {
            url: address(own.path(), name),
            name,
            own: Some(own),
        }
    }

    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Ends it without a word to anyone.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        let entry = PathBuf::from(format!("/proc/{}", self.pid().as_raw_nonzero()));
        let begun = Instant::now();
        while entry.exists() {
            let name = self.name;
            assert!(begun.elapsed() < Duration::from_secs(60), "{name} lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it from answering; the system goes on taking what it is sent.
    pub fn freeze(&self, frozen: bool) {
        self.signal(if frozen { Signal::STOP } else { Signal::CONT });
    }

    fn signal(&self, signal: Signal) {
        kill_process_group(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        let name = self.name;
        let file = self.folder().join(format!("{name}/1-{name}.pid"));
        let identity = std::fs::read_to_string(file).unwrap();
        let pid = identity.split(' ').next().unwrap().parse().unwrap();
        Pid::from_raw(pid).unwrap()
    }

    /// Starts it again, with what it had written.
    pub fn restart(&self) {
        services(self.folder(), "start", self.name);
        assert_eq!(address(self.folder(), self.name), self.url);
    }

    /// Changes what it reads when it is next started.
    pub fn configure(&self, lines: &str) {
        configure(self.folder(), self.name, lines);
    }

    /// Runs one command of Redis.
    pub fn command(&self, words: &[&str]) -> redis::Value {
        let mut connection = redis::Client::open(&*self.url)
            .unwrap()
            .get_connection()
            .unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut connection).unwrap()
    }

    /// Removes the keys like `pattern` from the Redis that all share.
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
            services(own.path(), "stop", self.name);
        }
    }
}

fn configure(folder: &Path, name: &str, lines: &str) {
    let home = folder.join(name);
    std::fs::create_dir_all(&home).unwrap();
    if lines.is_empty() {
        return;
    }
    std::fs::write(home.join(format!("{name}.config")), lines).unwrap();
}

fn address(folder: &Path, name: &str) -> String {
    let url = std::fs::read_to_string(folder.join(name).join("url")).unwrap();
    url.trim().to_owned()
}

fn services(folder: &Path, order: &str, name: &str) {
    let done = Command::new(root().join("scripts/services"))
        .arg("--at")
        .arg(folder)
        .args([order, name])
        .status()
        .unwrap();
    assert!(done.success(), "scripts/services {order} {name}");
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
