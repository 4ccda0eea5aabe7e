//! SQS, as moto's server keeps it: the contract, and what only SQS shows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flatbed::aws::Access;
use flatbed::config::Variables;
use flatbed::job::Outcome;
use flatbed::queue::sqs::{Options, SqsQueue};
use flatbed::queue::{Admin, DeadLetters, Error, Lease, NewJob, Source};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::contract::{self, BOUND, receive};
use super::fixture::{Fixture, SetAside, Settings, address_of, letters};
use super::outage::{AWAY, Proxy, Way, assert_away, settled};
use super::service::Server;

/// A queue of its own name, with a redrive policy, on a server that others use too.
pub struct Sqs {
    server: Server,
    name: String,
    url: String,
    /// Reading the certificates takes longer than a call.
    client: reqwest::Client,
    settings: Settings,
}

impl Sqs {
    async fn with(settings: Settings, attributes: Value) -> Self {
        let mut fixture = Self {
            server: Server::shared("sqs"),
            name: format!("test-{}", Uuid::now_v7()),
            url: String::new(),
            client: reqwest::Client::new(),
            settings,
        };
        fixture.url = fixture.create(&fixture.name, attributes).await;
        fixture
    }

    /// As any other client does it.
    async fn call(&self, action: &str, body: Value) -> Value {
        let call = self
            .client
            .post(&self.server.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{action}"))
            // moto reads the region there.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/sqs/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .body(body.to_string());
        let answer = call.send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }

    async fn create(&self, name: &str, attributes: Value) -> String {
        let call = json!({"QueueName": name, "Attributes": attributes});
        let created = self.call("CreateQueue", call).await;
        created["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// Has SQS set messages aside by itself, at `dead`.
    async fn redrive(&self, dead: &str, most: u32) {
        let attributes = json!({"QueueUrl": dead, "AttributeNames": ["QueueArn"]});
        let arn = self.call("GetQueueAttributes", attributes).await;
        let policy = json!({
            "deadLetterTargetArn": arn["Attributes"]["QueueArn"],
            "maxReceiveCount": most.to_string(),
        });
        let policy = json!({"RedrivePolicy": policy.to_string()});
        let set = json!({"QueueUrl": self.url, "Attributes": policy});
        self.call("SetQueueAttributes", set).await;
    }

    fn dead_name(&self) -> String {
        format!("{}-dead", self.name)
    }

    fn options(&self) -> Options {
        options(&self.url, &self.server.url, self.settings)
    }

    /// A handle of its own, as another process would have.
    fn queue(&self) -> SqsQueue {
        SqsQueue::new(self.options()).unwrap()
    }

    async fn send(&self, body: Value) {
        let mut body = body;
        body["QueueUrl"] = json!(self.url);
        self.call("SendMessage", body).await;
    }
}

impl Drop for Sqs {
    fn drop(&mut self) {
        // The server keeps all in memory, and many messages make it slow.
        let (server, url) = (self.server.url.clone(), self.url.clone());
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let call = reqwest::Client::new()
                .post(server)
                .header("content-type", "application/x-amz-json-1.0")
                .header("x-amz-target", "AmazonSQS.DeleteQueue")
                .body(json!({"QueueUrl": url}).to_string());
            runtime.block_on(call.send()).is_ok()
        });
        let _ = deleting.join();
    }
}

fn access() -> Access {
    Access::read(&mut Variables::of([
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ]))
}

fn options(url: &str, endpoint: &str, settings: Settings) -> Options {
    Options {
        endpoint: Some(endpoint.to_owned()),
        lease: settings.lease,
        wait: Duration::from_secs(5),
        retry: settings.retry,
        ..Options::new(url, access())
    }
}

#[async_trait]
impl Fixture for Sqs {
    const REMOTE: bool = true;
    /// It is written in Python, and looks at all messages for each.
    const MANY: usize = 200;

    async fn fresh(settings: Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let fixture = Self::with(settings, json!({})).await;
        let dead = fixture.create(&fixture.dead_name(), json!({})).await;
        fixture.redrive(&dead, 10).await;
        fixture
    }

    async fn attach(name: &str, settings: Settings) -> Arc<dyn Source> {
        let (endpoint, url) = name.split_once(' ').unwrap();
        Arc::new(SqsQueue::new(options(url, endpoint, settings)).unwrap())
    }

    fn name(&self) -> String {
        format!("{} {}", self.server.url, self.url)
    }

    async fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.queue())
    }

    fn server(&self) -> Option<SocketAddr> {
        Some(address_of(&self.server.url))
    }

    async fn source_at(&self, address: SocketAddr) -> Arc<dyn Source> {
        let endpoint = format!("http://{address}");
        let options = options(&self.url, &endpoint, self.settings);
        Arc::new(SqsQueue::new(options).unwrap())
    }

    async fn admin(&self) -> Option<Arc<dyn Admin>> {
        None
    }

    async fn add(&self, job: NewJob) {
        let body = String::from_utf8(job.payload).unwrap();
        self.send(json!({"MessageBody": body})).await;
    }

    async fn set_aside(&self) -> Vec<SetAside> {
        letters(&self.queue()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    contract::run::<Sqs>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_is_told_and_tried_again() {
    let fixture = Sqs::fresh(Settings::default()).await;
    let (queue, source) = (fixture.queue(), fixture.source().await);
    let tenant = json!({"DataType": "String", "StringValue": "north"});
    let message = json!({"MessageBody": "bad", "MessageAttributes": {"tenant": tenant}});
    fixture.send(message).await;
    let delivery = receive(&source).await;
    assert!(delivery.job().enqueued_at.is_some());
    let id = delivery.job().id.clone();
    let reject = Outcome::reject("not a video");
    assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
    assert_eq!(queue.counts().await.unwrap().failed, 1);

    for _ in 0..2 {
        let [letter] = &queue.dead_letters(10).await.unwrap()[..] else {
            panic!("one job is set aside")
        };
        assert_eq!((&letter.id, &letter.payload[..]), (&id, &b"bad"[..]));
        assert_eq!(letter.reason.as_deref(), Some("not a video"));
        assert_eq!(letter.attempts, Some(1));
    }
    assert!(queue.retry(&id).await.unwrap());
    assert!(!queue.retry(&id).await.unwrap(), "it is there no more");
    let delivery = receive(&source).await;
    assert_eq!((&delivery.job().id, delivery.job().attempt), (&id, 1));
}

/// SQS has set it aside by its own rule, with no word of ours.
#[tokio::test(flavor = "multi_thread")]
async fn the_queues_own_rule_bounds_the_attempts() {
    let fixture = Sqs::fresh(Settings::default()).await;
    let name = json!({"QueueName": fixture.dead_name()});
    let dead = fixture.call("GetQueueUrl", name).await;
    fixture.redrive(dead["QueueUrl"].as_str().unwrap(), 1).await;

    let source = fixture.source().await;
    fixture.add(NewJob::new("any", "once")).await;
    let delivery = receive(&source).await;
    assert!(delivery.job().is_last_attempt());
    let retry = Outcome::retry("busy");
    assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    assert_eq!(fixture.set_aside().await[0].reason.as_deref(), Some("busy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_would_have_nowhere_to_go_are_not_begun() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fixture = Sqs::with(Settings::default(), json!({})).await;
    fixture.add(NewJob::new("any", "x")).await;
    let error = fixture.queue().receive().await.err().unwrap();
    let line = error.to_string();
    assert!(matches!(error, Error::Refused { .. }), "{line}");
    assert!(
        line.contains("AWS_SQS_DEAD_LETTER_URL") && !line.contains('\n'),
        "{line}"
    );

    // Named in the settings, it needs no policy.
    let dead = fixture.create(&fixture.dead_name(), json!({})).await;
    let options = Options {
        dead_letter_url: Some(dead),
        ..fixture.options()
    };
    let source: Arc<dyn Source> = Arc::new(SqsQueue::new(options).unwrap());
    assert_eq!(receive(&source).await.job().payload, b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_one_line() {
    let server = Server::shared("sqs");
    let settings = Settings::default();
    let url = format!("{}/123456789012/there-is-none", server.url);
    let queue = SqsQueue::new(options(&url, &server.url, settings)).unwrap();
    let error = queue.receive().await.err().unwrap();
    let line = error.to_string();
    assert!(matches!(error, Error::Refused { .. }), "{line}");
    assert!(
        line.contains("AWS_SQS_QUEUE_URL") && !line.contains('\n'),
        "{line}"
    );
    assert!(!line.contains("hunter2"), "{line}");

    for address in ["jobs", "ftp://host/jobs", ""] {
        let opened = SqsQueue::new(options(&url, address, settings));
        assert!(
            matches!(opened.err(), Some(Error::Refused { .. })),
            "{address}"
        );
    }
    // Nobody is there.
    let queue = SqsQueue::new(options(&url, "http://127.0.0.1:9", settings)).unwrap();
    assert_away(timeout(AWAY, queue.receive()).await.unwrap());
}

/// As somebody moves it from the dead-letter queue in the console.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_moved_back_with_its_attempts_has_one_more() {
    let fixture = Sqs::fresh(Settings::default()).await;
    let source = fixture.source().await;
    let number = json!({"DataType": "Number", "StringValue": "3"});
    let message = json!({"MessageBody": "x", "MessageAttributes": {"flatbed-attempts": number}});
    fixture.send(message).await;
    let delivery = receive(&source).await;
    assert!(delivery.job().is_last_attempt());
    let done = Outcome::Done(json!(1));
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
}

/// Order is kept, and a message that is put back finds its group again.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_keeps_the_order_is_worked_too() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ordered = json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"});
    let mut fixture = Sqs::with(Settings::default(), json!({})).await;
    let name = format!("{}.fifo", fixture.name);
    fixture.url = fixture.create(&name, ordered.clone()).await;
    let dead = fixture
        .create(&format!("{}-dead.fifo", fixture.name), ordered)
        .await;
    let options = Options {
        dead_letter_url: Some(dead),
        ..fixture.options()
    };
    let source: Arc<dyn Source> = Arc::new(SqsQueue::new(options).unwrap());
    fixture
        .send(json!({"MessageBody": "1", "MessageGroupId": "g"}))
        .await;
    let delivery = receive(&source).await;
    assert_eq!(
        delivery.settle(&Outcome::PutBack).await.unwrap(),
        Lease::Held
    );
    let delivery = receive(&source).await;
    assert_eq!(
        (&delivery.job().payload[..], delivery.job().attempt),
        (&b"1"[..], 1)
    );
    let reject = Outcome::reject("no");
    assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
}

/// The message is deleted, and nobody hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_whose_answer_is_lost_is_made_once() {
    let fixture = Sqs::fresh(Settings {
        lease: Duration::from_secs(60),
        ..Settings::default()
    })
    .await;
    let proxy = Proxy::to(address_of(&fixture.server.url)).await;
    let source = fixture.source_at(proxy.address()).await;
    fixture.add(NewJob::new("any", "x")).await;
    let delivery = receive(&source).await;
    proxy.set(Way::Mute);
    let done = Outcome::Done(json!(1));
    assert_away(timeout(AWAY, delivery.settle(&done)).await.unwrap());
    proxy.set(Way::Open);
    assert_eq!(settled(&*delivery, &done).await, Lease::Held);
    assert_eq!(fixture.queue().counts().await.unwrap().active, 0);
}

/// A message is held for 12 hours at most; longer is not asked for.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_twelve_hours_are_asked_for() {
    let fixture = Sqs::fresh(Settings {
        lease: Duration::from_secs(13 * 3600),
        ..Settings::default()
    })
    .await;
    let source = fixture.source().await;
    assert_eq!(source.lease(), Duration::from_secs(12 * 3600));
    fixture.add(NewJob::new("any", "long")).await;
    let delivery = timeout(BOUND, source.receive()).await.unwrap().unwrap();
    let retry = Outcome::Retry {
        after: Some(Duration::from_secs(24 * 3600)),
        reason: "tomorrow".to_owned(),
    };
    assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    assert_eq!(fixture.queue().counts().await.unwrap().active, 1);
}
