//! RabbitMQ: the contract on classic and on quorum queues, and what only a broker
//! with queues of its own shows.
//!
//! | file | what it does |
//! |---|---|
//! | `broker.rs` | the broker, as any other client sees it |
//! | `faults.rs` | a broker that is killed, full, out of patience; answers that are lost |

pub mod broker;
mod faults;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flatbed::job::{JobId, Outcome};
use flatbed::queue::rabbitmq::{Options, Publisher, QueueType, RabbitMq};
use flatbed::queue::{Admin, DeadLetters, Error, Lease, NewJob, Source};
use lapin::types::{AMQPValue, FieldTable, LongString};
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use self::broker::Broker;
use super::contract::{self, crash, receive, until};
use super::fixture::{Fixture, SetAside, Settings, address_of, letters};
use super::service::Server;

/// A queue of its own name on a broker that others use too.
pub struct Rabbit<const QUORUM: bool> {
    server: Server,
    broker: Broker,
    queue: String,
    settings: Settings,
}

pub type Classic = Rabbit<false>;
pub type Quorum = Rabbit<true>;

impl<const QUORUM: bool> Rabbit<QUORUM> {
    async fn on(server: Server, settings: Settings) -> Self {
        let fixture = Self {
            broker: Broker::at(&server.url).await,
            server,
            queue: format!("test-{}", Uuid::now_v7()),
            settings,
        };
        // Declares it.
        fixture.queue().counts().await.unwrap();
        fixture
    }

    fn options(&self) -> Options {
        options::<QUORUM>(&self.queue, self.settings)
    }

    /// A handle of its own, as another process would have.
    fn queue(&self) -> RabbitMq {
        RabbitMq::new(&self.server.url, self.options()).unwrap()
    }

    fn dead_queue(&self) -> String {
        self.options().dead_queue
    }
}

impl<const QUORUM: bool> Drop for Rabbit<QUORUM> {
    fn drop(&mut self) {
        if !self.server.is_own() {
            self.broker.forget([self.queue.clone(), self.dead_queue()]);
        }
    }
}

fn options<const QUORUM: bool>(queue: &str, settings: Settings) -> Options {
    Options {
        lease: settings.lease,
        retry: settings.retry,
        heartbeat: Duration::from_secs(2),
        queue_type: if QUORUM {
            QueueType::Quorum
        } else {
            QueueType::Classic
        },
        ..Options::new(queue)
    }
}

#[async_trait]
impl<const QUORUM: bool> Fixture for Rabbit<QUORUM> {
    const REMOTE: bool = true;

    async fn fresh(settings: Settings) -> Self {
        Self::on(Server::shared("rabbitmq"), settings).await
    }

    async fn attach(name: &str, settings: Settings) -> Arc<dyn Source> {
        let (url, queue) = name.split_once(' ').unwrap();
        Arc::new(RabbitMq::new(url, options::<QUORUM>(queue, settings)).unwrap())
    }

    fn name(&self) -> String {
        format!("{} {}", self.server.url, self.queue)
    }

    async fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.queue())
    }

    fn server(&self) -> Option<SocketAddr> {
        Some(address_of(&self.server.url))
    }

    async fn source_at(&self, address: SocketAddr) -> Arc<dyn Source> {
        let url = format!("amqp://guest:guest@{address}/%2f");
        Arc::new(RabbitMq::new(&url, self.options()).unwrap())
    }

    async fn admin(&self) -> Option<Arc<dyn Admin>> {
        None
    }

    async fn add(&self, job: NewJob) {
        self.broker.publish(&self.queue, &job.payload).await;
    }

    async fn set_aside(&self) -> Vec<SetAside> {
        letters(&self.queue()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_classic_queues() {
    contract::run::<Classic>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept_on_quorum_queues() {
    contract::run::<Quorum>().await;
}

/// Its heartbeat is missed; what it says later goes nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_is_fenced_off() {
    crash::a_stopped_worker_is_fenced_off::<Classic>().await;
}

/// Declared by somebody else, with arguments that are not ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_used_as_it_is() {
    let server = Server::shared("rabbitmq");
    let broker = Broker::at(&server.url).await;
    let queue = format!("test-{}", Uuid::now_v7());
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-priority".into(), AMQPValue::LongInt(5));
    broker.declare(&queue, arguments).await;
    broker.publish(&queue, b"old").await;

    let url = server.url.clone();
    let source: Arc<dyn Source> =
        Arc::new(RabbitMq::new(&url, options::<true>(&queue, Settings::default())).unwrap());
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().payload, b"old");
    let retry = Outcome::retry("busy");
    assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    let delivery = receive(&source).await;
    assert_eq!(delivery.job().attempt, 2);
    let done = Outcome::Done(json!(1));
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    broker.forget([queue.clone(), format!("{queue}.dead")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_somebody_has_to_itself_is_refused_in_one_line() {
    let server = Server::shared("rabbitmq");
    let broker = Broker::at(&server.url).await;
    let queue = format!("test-{}", Uuid::now_v7());
    broker.declare_exclusive(&queue).await;
    let source = RabbitMq::new(&server.url, Options::new(&queue)).unwrap();
    let error = source.receive().await.err().unwrap();
    let line = error.to_string();
    assert!(matches!(error, Error::Refused { .. }), "{line}");
    assert!(line.contains("to itself") && !line.contains('\n'), "{line}");
    broker.forget([format!("{queue}.dead")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_so_without_the_password() {
    let address = address_of(&Server::shared("rabbitmq").url);
    for (url, said) in [
        (
            format!("amqp://guest:hunter2@{address}/%2f"),
            "RABBITMQ_URL",
        ),
        (
            format!("amqp://guest:guest@{address}/hunter2"),
            "virtual host",
        ),
        (format!("http://guest:hunter2@{address}"), "amqp://"),
        ("amqp//guest:hunter2@".to_owned(), "amqp://"),
    ] {
        let opened = RabbitMq::new(&url, Options::new("any"));
        let error = match opened {
            Ok(queue) => queue.receive().await.err().unwrap(),
            Err(error) => error,
        };
        let line = error.to_string();
        assert!(matches!(error, Error::Refused { .. }), "{line}");
        assert!(line.contains(said) && !line.contains('\n'), "{line}");
        assert!(!line.contains("guest:hunter2"), "{line}");
    }
    for name in [String::new(), "q".repeat(201)] {
        let url = format!("amqp://guest:guest@{address}/%2f");
        assert!(RabbitMq::new(&url, Options::new(name)).is_err());
    }
    // A port without TLS.
    let url = format!("amqps://guest:guest@{address}/%2f");
    let queue = RabbitMq::new(&url, Options::new("any")).unwrap();
    let error = queue.receive().await.err().unwrap();
    assert!(matches!(error, Error::Away { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_producer_said_of_its_message_stays() {
    let fixture = Classic::fresh(Settings::default()).await;
    let source = fixture.source().await;
    fixture.broker.publish_person(&fixture.queue).await;
    let mut ids = Vec::new();
    for attempt in 1..=3 {
        let delivery = receive(&source).await;
        let job = delivery.job();
        assert_eq!((job.attempt, &*job.name), (attempt, "person"));
        assert!(job.enqueued_at.is_some());
        ids.push(job.id.clone());
        let retry = Outcome::retry("busy");
        assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    }
    assert_eq!(ids, vec!["kib-2611852".parse::<JobId>().unwrap(); 3]);
    let dead = fixture.broker.take(&fixture.dead_queue()).await.unwrap();
    assert!(broker::is_person(&dead), "{dead:?}");
    let headers = dead.properties.headers().clone().unwrap();
    let reason = AMQPValue::LongString(LongString::from("busy"));
    assert_eq!(headers.inner().get("x-flatbed-reason"), Some(&reason));
    let attempts = AMQPValue::LongUInt(3);
    assert_eq!(headers.inner().get("x-flatbed-attempts"), Some(&attempts));
}

/// Else a deploy would charge attempts to jobs that nobody has begun.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_took_is_put_back_before_the_end() {
    let fixture = Classic::fresh(Settings::default()).await;
    let done = Outcome::Done(json!(1));
    for number in 0..30_u64 {
        let source = fixture.source().await;
        let patience = Duration::from_micros(5_000 + number * 400);
        let idle = timeout(patience, source.receive());
        let (taken, ()) = tokio::join!(idle, fixture.add(NewJob::new("any", "{}")));
        if let Ok(delivery) = taken {
            assert_eq!(delivery.unwrap().settle(&done).await.unwrap(), Lease::Held);
            source.close().await;
            continue;
        }
        source.close().await;
        let other = fixture.source().await;
        let delivery = receive(&other).await;
        assert_eq!(delivery.job().attempt, 1, "number {number}");
        assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
        other.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_is_told_and_tried_again() {
    let fixture = Classic::fresh(Settings::default()).await;
    let (queue, source) = (fixture.queue(), fixture.source().await);
    for payload in ["first", "second"] {
        fixture.add(NewJob::new("any", payload)).await;
        let delivery = receive(&source).await;
        let reject = Outcome::reject(format!("not this: {payload}"));
        assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
    }
    let letters = queue.dead_letters(10).await.unwrap();
    let [first, second] = &letters[..] else {
        panic!("two jobs are set aside: {letters:?}")
    };
    assert_eq!(first.payload, b"first");
    assert_eq!(second.reason.as_deref(), Some("not this: second"));
    assert_eq!(second.attempts, Some(1));
    assert!(second.at.is_some());
    // It only looked.
    until("they are all back", async || {
        queue.counts().await.unwrap().failed == 2
    })
    .await;

    assert!(queue.retry(&second.id).await.unwrap());
    let delivery = receive(&source).await;
    assert_eq!(
        (&delivery.job().id, delivery.job().attempt),
        (&second.id, 1)
    );
    until("the other is back", async || {
        queue.counts().await.unwrap().failed == 1
    })
    .await;
    assert!(
        !queue.retry(&second.id).await.unwrap(),
        "it is there no more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_where_it_is_sent_or_it_is_said() {
    let fixture = Classic::fresh(Settings::default()).await;
    let source = fixture.source().await;
    let options = fixture.options();
    let publisher = Publisher::new(&fixture.server.url, &options).unwrap();
    let id = JobId::random();
    let exchange = fixture
        .broker
        .bound_exchange(&fixture.queue, "people")
        .await;
    publisher
        .publish(&exchange, "people", &id, b"{}")
        .await
        .unwrap();
    let delivery = receive(&source).await;
    assert_eq!(
        (&delivery.job().id, &delivery.job().payload[..]),
        (&id, &b"{}"[..])
    );

    // Before this one is acknowledged, the next stage's is confirmed.
    publisher
        .publish("", &fixture.queue, &id, b"next")
        .await
        .unwrap();
    let done = Outcome::Done(json!(1));
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    assert_eq!(receive(&source).await.job().payload, b"next");

    for (exchange, key) in [
        (&*exchange, "nobody"),
        ("", "nobody"),
        ("nowhere", "people"),
    ] {
        let error = publisher
            .publish(exchange, key, &id, b"")
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
    // An error of the channel is not one of the connection.
    publisher
        .publish("", &fixture.queue, &id, b"on")
        .await
        .unwrap();
    publisher.close().await;
}
