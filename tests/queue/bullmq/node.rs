//! npm's `bullmq` and bull-board in a Node process of their own.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::service::root;
use super::Bullmq;

/// One Node process, with a producer, a listener to events, bull-board, and a
/// worker if it is told so.
#[derive(Clone)]
pub struct Node(Arc<Mutex<Process>>);

struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Node {
    /// With `bullmq`, or `bullmq5` for the version before.
    pub fn start(client: &str, fixture: &Bullmq) -> Self {
        let clients = clients();
        assert!(
            clients.join("wanted").exists(),
            "these tests need npm's bullmq: run `scripts/setup --test` first"
        );
        let mut process = Command::new("node")
            .arg(root().join("tests/queue/bullmq/node.mjs"))
            .arg(clients)
            .args([client, &fixture.server.url, &fixture.queue])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self(Arc::new(Mutex::new(Process {
            stdin: process.stdin.take().unwrap(),
            stdout: BufReader::new(process.stdout.take().unwrap()),
            child: process,
        })))
    }

    /// Gives an order and waits for its answer.
    pub async fn ask(&self, order: Value) -> Value {
        let node = self.clone();
        tokio::task::spawn_blocking(move || {
            let mut process = node.0.lock().unwrap();
            writeln!(process.stdin, "{order}").unwrap();
            let mut line = String::new();
            process.stdout.read_line(&mut line).unwrap();
            let answer: Value = serde_json::from_str(&line).expect("Node answers");
            assert!(
                answer.get("error").is_none(),
                "{order}: {}",
                answer["error"]
            );
            answer
        })
        .await
        .unwrap()
    }

    /// Adds a job and tells its id.
    pub async fn add(&self, data: Value, options: Value) -> String {
        let added = json!({"order": "add", "data": data, "options": options});
        self.ask(added).await["id"].as_str().unwrap().to_owned()
    }

    /// What Node knows of a job.
    pub async fn job(&self, id: &str) -> Value {
        self.ask(json!({"order": "job", "id": id})).await
    }

    /// What `waitUntilFinished` comes to.
    pub async fn wait(&self, id: &str) -> Value {
        self.ask(json!({"order": "wait", "id": id})).await
    }

    /// The events about a job, by their names.
    pub async fn heard(&self, id: &str) -> Vec<String> {
        let heard = self.ask(json!({"order": "heard", "id": id})).await;
        let heard = heard["heard"].as_array().unwrap().iter();
        heard
            .map(|event| event["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    /// What bull-board answers, which must be a success.
    pub async fn board(&self, method: &str, route: &str, params: Value, query: Value) -> Value {
        let request = json!({
            "order": "board", "method": method, "route": route, "params": params, "query": query,
        });
        let answer = self.ask(request).await;
        let status = answer["status"].as_u64().unwrap();
        assert!((200..300).contains(&status), "{method} {route}: {answer}");
        answer["body"].clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn clients() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = folder("FLATBED_CACHE")
        .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("flatbed")))
        .or_else(|| Some(folder("HOME")?.join(".cache/flatbed")));
    cache.expect("a home folder").join("bullmq-clients")
}
