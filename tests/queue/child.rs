//! Another process that has the same queue: this test binary, run again.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use flatbed::job::Outcome;
use flatbed::queue::Source;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::bullmq::Bullmq;
use super::contract::{BOUND, receive};
use super::fixture::{Fixture, Settings};
use super::packing_items::contract::{InPostgres, InSqlite};
use super::postgres::Postgres;
use super::rabbitmq::{Classic, Quorum};
use super::redis_list::List;
use super::sqlite::Sqlite;
use super::sqs::Sqs;
use super::webhook::Webhook;

/// Names the adapter and its queue, and makes `child` a worker.
const QUEUE: &str = "FLATBED_TEST_CHILD";

/// A worker that claims one job and holds it, without ever extending its lease.
pub struct Child {
    process: std::process::Child,
    lines: tokio::sync::Mutex<mpsc::UnboundedReceiver<String>>,
    stdin: Mutex<ChildStdin>,
}

impl Child {
    pub fn start<F: Fixture>(fixture: &F) -> Self {
        let queue = format!("{}={}", std::any::type_name::<F>(), fixture.name());
        let program = std::env::current_exe().unwrap();
        let mut process = Command::new(program)
            .args([
                "--exact",
                "queue::child::child",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(QUEUE, queue)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            // Among the lines that the test runner writes.
            for line in stdout.lines().map_while(Result::ok) {
                if let Some((_, line)) = line.split_once("child: ") {
                    let _ = sender.send(line.to_owned());
                }
            }
        });
        Self {
            process,
            lines: lines.into(),
            stdin: stdin.into(),
        }
    }

    /// The next line that it says.
    pub async fn line(&self) -> String {
        let mut lines = self.lines.lock().await;
        let line = timeout(BOUND, lines.recv())
            .await
            .expect("the child says something");
        line.expect("the child lives")
    }

    /// Has it try to settle.
    pub fn ask_to_settle(&self) {
        self.stdin.lock().unwrap().write_all(b"settle\n").unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not a test but the worker of those above; without `QUEUE` there is nothing
/// to do.
#[test]
fn child() {
    let Ok(queue) = std::env::var(QUEUE) else {
        return;
    };
    let (adapter, name) = queue.split_once('=').unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let settings = Settings::default();
        let source: Arc<dyn Source> = if adapter == std::any::type_name::<Sqlite>() {
            Sqlite::attach(name, settings).await
        } else if adapter == std::any::type_name::<Bullmq>() {
            Bullmq::attach(name, settings).await
        } else if adapter == std::any::type_name::<Postgres>() {
            Postgres::attach(name, settings).await
        } else if adapter == std::any::type_name::<Webhook>() {
            Webhook::attach(name, settings).await
        } else if adapter == std::any::type_name::<List>() {
            List::attach(name, settings).await
        } else if adapter == std::any::type_name::<Classic>() {
            Classic::attach(name, settings).await
        } else if adapter == std::any::type_name::<Quorum>() {
            Quorum::attach(name, settings).await
        } else if adapter == std::any::type_name::<InPostgres>() {
            InPostgres::attach(name, settings).await
        } else if adapter == std::any::type_name::<InSqlite>() {
            InSqlite::attach(name, settings).await
        } else if adapter == std::any::type_name::<Sqs>() {
            Sqs::attach(name, settings).await
        } else {
            panic!("{adapter} is not known to tests/queue/child.rs")
        };
        let delivery = receive(&source).await;
        let job = delivery.job();
        let payload = String::from_utf8_lossy(&job.payload);
        println!("\nchild: claimed {payload} attempt {}", job.attempt);
        // Blocks the thread: nothing is awaited while it holds the job.
        let mut asked = String::new();
        std::io::stdin().read_line(&mut asked).unwrap();
        let extend = delivery.extend().await.unwrap();
        let settle = delivery
            .settle(&Outcome::Done(json!("late")))
            .await
            .unwrap();
        println!("\nchild: extend {extend:?}, settle {settle:?}");
    });
}
