//! A plain Redis list: the contract, and what only a list and a Redis that fails
//! show.
//!
//! | file | what it does |
//! |---|---|
//! | `faults.rs` | a Redis that is killed, full, or silent |

mod faults;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flatbed::job::{Outcome, RetryPolicy};
use flatbed::queue::redis_list::{Options, RedisList};
use flatbed::queue::{Admin, Counts, DeadLetters, Error, Lease, NewJob, Source, State};
use redis::Value;
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use super::contract::{self, BOUND, receive, until};
use super::fixture::{Fixture, SetAside, Settings, address_of, letters};
use super::service::Server;

/// A list of its own name on a server that others use too.
pub struct List {
    server: Server,
    key: String,
    settings: Settings,
}

impl List {
    fn on(server: Server, settings: Settings) -> Self {
        Self {
            server,
            key: format!("task_queue_{}", Uuid::now_v7()),
            settings,
        }
    }

    /// A handle of its own, as another process would have.
    fn queue(&self) -> RedisList {
        open(&self.server.url, &self.key, self.settings)
    }

    /// As any producer does it.
    fn push(&self, payload: &[u8]) {
        let mut connection = redis::Client::open(&*self.server.url)
            .unwrap()
            .get_connection()
            .unwrap();
        let mut push = redis::cmd("LPUSH");
        let _: u64 = push
            .arg(&self.key)
            .arg(payload)
            .query(&mut connection)
            .unwrap();
    }

    fn keys(&self) -> Vec<String> {
        let keys = self.server.command(&["KEYS", &format!("{}*", self.key)]);
        redis::from_redis_value(keys).unwrap()
    }
}

impl Drop for List {
    fn drop(&mut self) {
        self.server.forget(&format!("{}*", self.key));
    }
}

fn open(url: &str, list: &str, settings: Settings) -> RedisList {
    let options = Options {
        lease: settings.lease,
        retry: settings.retry,
        ..Options::new(list)
    };
    RedisList::new(url, options).unwrap()
}

#[async_trait]
impl Fixture for List {
    const REMOTE: bool = true;

    async fn fresh(settings: Settings) -> Self {
        Self::on(Server::shared("redis"), settings)
    }

    async fn attach(name: &str, settings: Settings) -> Arc<dyn Source> {
        let (url, list) = name.split_once(' ').unwrap();
        Arc::new(open(url, list, settings))
    }

    fn name(&self) -> String {
        format!("{} {}", self.server.url, self.key)
    }

    async fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.queue())
    }

    fn server(&self) -> Option<SocketAddr> {
        Some(address_of(&self.server.url))
    }

    async fn source_at(&self, address: SocketAddr) -> Arc<dyn Source> {
        let url = format!("redis://{address}");
        Arc::new(open(&url, &self.key, self.settings))
    }

    async fn admin(&self) -> Option<Arc<dyn Admin>> {
        None
    }

    async fn add(&self, job: NewJob) {
        self.push(&job.payload);
    }

    async fn set_aside(&self) -> Vec<SetAside> {
        letters(&self.queue()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    contract::run::<List>().await;
}

/// Bytes that are no text, and the same twice.
#[tokio::test(flavor = "multi_thread")]
async fn equal_messages_are_two_jobs() {
    let fixture = List::fresh(Settings::default()).await;
    let source = fixture.source().await;
    let payload = b"\0\xff\r\n same";
    fixture.push(payload);
    fixture.push(payload);
    let (one, other) = (receive(&source).await, receive(&source).await);
    assert_eq!(one.job().payload, payload);
    assert_eq!(other.job().payload, payload);
    assert_ne!(one.job().id, other.job().id);

    // Each has attempts of its own.
    let failed = Outcome::retry("busy");
    assert_eq!(one.settle(&failed).await.unwrap(), Lease::Held);
    let again = receive(&source).await;
    assert_eq!((&again.job().id, again.job().attempt), (&one.job().id, 2));
    assert_eq!(other.job().attempt, 1);
    for delivery in [again, other] {
        let lease = delivery.settle(&Outcome::Done(json!(1))).await.unwrap();
        assert_eq!(lease, Lease::Held);
    }
    assert_eq!(fixture.queue().counts().await.unwrap(), Counts::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_message_is_next_and_nothing_is_left_behind() {
    let fixture = List::fresh(Settings::default()).await;
    let (queue, source) = (fixture.queue(), fixture.source().await);
    for number in 0..3 {
        fixture.push(number.to_string().as_bytes());
    }
    for number in 0..3 {
        let delivery = receive(&source).await;
        assert_eq!(delivery.job().payload, number.to_string().as_bytes());
        assert_eq!(delivery.job().name, fixture.key);
        let counts = queue.counts().await.unwrap();
        assert_eq!((counts.waiting, counts.active), (2 - number, 1));
        let lease = delivery.settle(&Outcome::Done(json!(1))).await.unwrap();
        assert_eq!(lease, Lease::Held);
    }
    // But the notes of what was settled, which end by themselves.
    for key in fixture.keys() {
        assert!(key.contains(":settled:"), "{key}");
        assert!(matches!(
            fixture.server.command(&["PTTL", &key]),
            Value::Int(1..)
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_is_told_and_tried_again() {
    let fixture = List::fresh(Settings::default()).await;
    let (queue, source) = (fixture.queue(), fixture.source().await);
    fixture.push(b"bad");
    let delivery = receive(&source).await;
    let id = delivery.job().id.clone();
    let reject = Outcome::reject("not an image");
    assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);

    let [letter] = &queue.dead_letters(10).await.unwrap()[..] else {
        panic!("one job is set aside")
    };
    assert_eq!((&letter.id, &letter.payload[..]), (&id, &b"bad"[..]));
    assert_eq!(letter.reason.as_deref(), Some("not an image"));
    assert_eq!(letter.attempts, Some(1));
    assert!(letter.at.is_some());
    assert_eq!(queue.counts().await.unwrap().failed, 1);

    assert!(queue.retry(&id).await.unwrap());
    assert!(!queue.retry(&id).await.unwrap(), "it is there no more");
    let delivery = receive(&source).await;
    assert_eq!((&delivery.job().id, delivery.job().attempt), (&id, 1));
    assert_eq!(queue.counts().await.unwrap().failed, 0);
}

/// By any process, and again until somebody has dealt with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_lost_its_last_worker_is_told_of_until_it_is_dealt_with() {
    let settings = Settings {
        lease: Duration::from_millis(100),
        retry: RetryPolicy {
            attempts: 1,
            ..Settings::default().retry
        },
    };
    let fixture = List::fresh(settings).await;
    let (lost, claiming) = (fixture.source().await, fixture.source().await);
    fixture.push(b"one");
    let delivery = receive(&lost).await;
    let id = delivery.job().id.clone();
    // Whoever looks next sets it aside, and ends before it tells of it.
    until("it is set aside", async || {
        let next = timeout(Duration::from_millis(50), claiming.receive()).await;
        drop(next);
        fixture.queue().counts().await.unwrap().failed > 0
    })
    .await;
    let source = fixture.source().await;
    let told = timeout(BOUND, source.set_aside()).await.unwrap();
    assert_eq!((&told.id, told.state), (&id, State::Failed));
    assert_eq!(told.payload.as_deref(), Some(&b"one"[..]));
    let reason = told.reason.as_deref();
    assert_eq!(reason, Some("its worker was lost in attempt 1 of 1"));
    let untold = || {
        let key = format!("{}:untold", fixture.key);
        let number = fixture.server.command(&["ZSCORE", &key, id.as_str()]);
        number != Value::Nil
    };
    assert!(untold(), "nobody has dealt with it yet");
    // The next call says that it was.
    let next = tokio::spawn(async move { source.set_aside().await });
    until("it is known", async || !untold()).await;
    next.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_dead_jobs_are_kept() {
    let fixture = List::fresh(Settings::default()).await;
    let options = Options {
        dead_kept: 2,
        ..Options::new(&fixture.key)
    };
    let queue = RedisList::new(&fixture.server.url, options).unwrap();
    let source: Arc<dyn Source> = Arc::new(queue.clone());
    for number in 0..4 {
        fixture.push(number.to_string().as_bytes());
        let delivery = receive(&source).await;
        let reject = Outcome::reject("no");
        assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
    }
    let dead = queue.dead_letters(10).await.unwrap();
    let payloads: Vec<_> = dead.iter().map(|letter| &letter.payload[..]).collect();
    assert_eq!(payloads, [b"3", b"2"]);
}

/// Workers of before go on at the same list.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_worker_shares_the_list() {
    let fixture = List::fresh(Settings::default()).await;
    let source = fixture.source().await;
    let idle = tokio::spawn(async move { receive(&source).await });
    let mut taken = None;
    let mut number = 0;
    // Whoever is quicker gets a message; both get some.
    while taken.is_none() || !idle.is_finished() {
        fixture.push(number.to_string().as_bytes());
        number += 1;
        assert!(number < 10_000, "one of them starves");
        let popped = fixture.server.command(&["BRPOP", &fixture.key, "0.01"]);
        if popped != Value::Nil {
            taken = Some(popped);
        }
    }
    idle.await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_no_list_is_told_in_one_line() {
    let fixture = List::fresh(Settings::default()).await;
    fixture.server.command(&["SET", &fixture.key, "text"]);
    let error = fixture.queue().receive().await.err().unwrap();
    let line = error.to_string();
    assert!(matches!(error, Error::Refused { .. }), "{line}");
    assert!(
        line.contains(&fixture.key) && !line.contains('\n'),
        "{line}"
    );
}
