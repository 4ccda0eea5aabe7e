//! npm's `standardwebhooks` in a Node process, which signs and posts.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One for all tests of this process; it ends with it.
static NODE: OnceLock<Node> = OnceLock::new();

struct Node {
    stdin: Mutex<ChildStdin>,
    /// Who waits for which answer.
    waiting: Mutex<HashMap<u64, mpsc::Sender<Value>>>,
    number: AtomicU64,
}

/// A message as its sender has it.
#[derive(Clone)]
pub struct Message {
    pub url: String,
    /// Each signs it.
    pub secrets: Vec<String>,
    pub id: String,
    /// Seconds since 1970.
    pub at: u64,
    pub body: Vec<u8>,
    /// In the place of those that belong to it.
    pub headers: Value,
}

/// What was answered; `None` where the connection ended first.
pub struct Answer {
    pub code: u64,
    pub text: String,
}

impl Message {
    pub fn new(url: &str, secret: &str, id: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            url: url.to_owned(),
            secrets: vec![secret.to_owned()],
            id: id.to_owned(),
            at: now(),
            body: body.into(),
            headers: json!({}),
        }
    }

    /// Signs and posts it.
    pub fn send(&self) -> Option<Answer> {
        let node = NODE.get_or_init(start);
        let number = node.number.fetch_add(1, Ordering::Relaxed);
        let order = json!({
            "number": number, "url": self.url, "secrets": self.secrets, "id": self.id,
            "at": self.at, "body": STANDARD.encode(&self.body), "headers": self.headers,
        });
        let (answered, answer) = mpsc::channel();
        node.waiting.lock().unwrap().insert(number, answered);
        writeln!(node.stdin.lock().unwrap(), "{order}").unwrap();
        let answer = answer.recv().expect("Node answers");
        Some(Answer {
            code: answer["code"].as_u64()?,
            text: answer["text"].as_str()?.to_owned(),
        })
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

pub fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn start() -> Node {
    let clients = clients();
    assert!(
        clients.join("wanted").exists(),
        "these tests need npm's standardwebhooks: run `scripts/setup --test` first"
    );
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/queue/webhook/node.mjs");
    let mut child = Command::new("node")
        .arg(script)
        .arg(clients)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // It lives until this process has ended, and must hold nothing of it.
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdin = child.stdin.take().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            let answer: Value = serde_json::from_str(&line).expect("JSON");
            let number = answer["number"].as_u64().expect("a number");
            let waiting = &NODE.wait().waiting;
            let answered = waiting.lock().unwrap().remove(&number);
            // Who asked may be gone.
            let _ = answered.expect("one who waits").send(answer);
        }
        // Nobody waits for an answer that cannot come.
        NODE.wait().waiting.lock().unwrap().clear();
        let _ = child.wait();
    });
    Node {
        stdin: stdin.into(),
        waiting: Mutex::default(),
        number: AtomicU64::new(0),
    }
}

fn clients() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("FLATBED_CACHE")
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("flatbed")))
        .or_else(|| Some(folder("HOME")?.join(".cache/flatbed")));
    cache.expect("a home folder").join("webhook-clients")
}
