//! Pushed jobs: the contract, with a sender that is not of this program.
//!
//! | file | what it does |
//! |---|---|
//! | `sender.rs`, `node.mjs` | npm's `standardwebhooks`, told what to sign and post |

pub mod sender;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use flatbed::config::Variables;
use flatbed::http;
use flatbed::http::failure::Failure;
use flatbed::http::webhook::Check;
use flatbed::queue::webhook::{Config, Door};
use flatbed::queue::{Admin, Ledger, NewJob, Source};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};

use self::sender::Message;
use super::contract;
use super::fixture::{Fixture, Settings};
use super::sqlite::Sqlite;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A queue in a file, and a server before it.
pub struct Webhook {
    queue: Sqlite,
    url: String,
    serving: JoinHandle<()>,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Anything is a job here.
struct Anything;

#[async_trait]
impl Check for Anything {
    async fn check(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(body.to_vec())
    }
}

fn routes(queue: Arc<dyn Ledger>) -> Router {
    let mut variables = Variables::of([("WEBHOOK_SECRET", SECRET)]);
    let open = http::webhook::routes(http::webhook::Webhook {
        door: Door::new(&Config::read(&mut variables).unwrap()),
        queue,
        job: "export",
        check: Arc::new(Anything),
    });
    http::router(Router::new(), open, None)
}

#[async_trait]
impl Fixture for Webhook {
    async fn fresh(settings: Settings) -> Self {
        let queue = Sqlite::fresh(settings).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = routes(queue.admin().await.unwrap());
        Self {
            serving: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
            url: format!("http://{address}/api/jobs/webhook"),
            queue,
        }
    }

    async fn attach(name: &str, settings: Settings) -> Arc<dyn Source> {
        Sqlite::attach(name, settings).await
    }

    fn name(&self) -> String {
        self.queue.name()
    }

    async fn source(&self) -> Arc<dyn Source> {
        self.queue.source().await
    }

    async fn admin(&self) -> Option<Arc<dyn Admin>> {
        self.queue.admin().await
    }

    async fn add(&self, job: NewJob) {
        let message = Message::new(&self.url, SECRET, job.id.as_str(), job.payload);
        let answer = spawn_blocking(move || message.send()).await.unwrap();
        let answer = answer.expect("an answer");
        assert_eq!(answer.code, 202, "{}", answer.text);
        assert_eq!(answer.json()["jobId"], job.id.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    contract::run::<Webhook>().await;
}
