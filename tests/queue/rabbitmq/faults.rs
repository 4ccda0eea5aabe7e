//! A broker that is killed in mid-job, short of memory, out of patience with a long
//! job; and answers that are lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flatbed::job::Outcome;
use flatbed::queue::rabbitmq::{Options, RabbitMq};
use flatbed::queue::{DeadLetters, Error, Lease, NewJob, Source};
use serde_json::json;
use tokio::time::timeout;

use super::super::contract::{BOUND, receive};
use super::super::fixture::{Fixture, Settings, address_of};
use super::super::outage::{AWAY, Proxy, Way, assert_away, received, settled};
use super::super::service::Server;
use super::{Classic, Quorum, Rabbit};

/// A broker that takes messages back after a few seconds, and looks each second.
const IMPATIENT: &str = "[{rabbit, [{consumer_timeout, 3000}, {channel_tick_interval, 1000}]}].";
/// One that has no memory for further messages.
const FULL: &str = "[{rabbit, [{vm_memory_high_watermark, {absolute, 1}}]}].";

async fn begin<const QUORUM: bool>(lines: &str) -> (Rabbit<QUORUM>, Arc<dyn Source>) {
    let server = Server::configured("rabbitmq", lines);
    let fixture = Rabbit::on(server, Settings::default()).await;
    let source = fixture.source().await;
    (fixture, source)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classic_queue_outlives_its_broker() {
    outlives_its_broker(begin::<false>("").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quorum_queue_outlives_its_broker() {
    outlives_its_broker(begin::<true>("").await).await;
}

/// The claim does not: it is a channel. An idle consumer comes back by itself.
async fn outlives_its_broker<const QUORUM: bool>(begun: (Rabbit<QUORUM>, Arc<dyn Source>)) {
    let (fixture, source) = begun;
    for payload in ["active", "retried", "rejected"] {
        fixture.add(NewJob::new("any", payload)).await;
    }
    let active = receive(&source).await;
    let retry = Outcome::Retry {
        after: Some(Duration::from_secs(2)),
        reason: "busy".to_owned(),
    };
    let delivery = receive(&source).await;
    assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    let delivery = receive(&source).await;
    let reject = Outcome::reject("no");
    assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
    let idle = tokio::spawn({
        let source = fixture.source().await;
        async move { received(&*source).await }
    });

    fixture.server.kill();
    assert_eq!(
        timeout(AWAY, active.extend()).await.unwrap().unwrap(),
        Lease::Lost
    );
    let done = Outcome::Done(json!(1));
    assert_eq!(settled(&*active, &done).await, Lease::Lost);
    assert_away(timeout(AWAY, source.receive()).await.unwrap());
    assert_away(timeout(AWAY, fixture.queue().counts()).await.unwrap());
    fixture.server.restart();

    let mut seen = Vec::new();
    for delivery in [
        timeout(BOUND, idle).await.unwrap().unwrap(),
        received(&*source).await,
    ] {
        let job = delivery.job();
        seen.push((String::from_utf8(job.payload.clone()).unwrap(), job.attempt));
        assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    }
    seen.sort();
    assert_eq!(seen, [("active".to_owned(), 2), ("retried".to_owned(), 2)]);
    assert_eq!(fixture.set_aside().await[0].payload, b"rejected");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_job_is_held_past_the_brokers_patience() {
    let (fixture, _) = begin::<false>(IMPATIENT).await;
    let options = Options {
        longest_hold: Duration::from_secs(1),
        ..fixture.options()
    };
    let source: Arc<dyn Source> = Arc::new(RabbitMq::new(&fixture.server.url, options).unwrap());
    fixture.add(NewJob::new("any", "long")).await;
    let delivery = receive(&source).await;
    let other = fixture.source().await;
    let begun = Instant::now();
    let working = async {
        while begun.elapsed() < Duration::from_secs(10) {
            assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        stolen = other.receive() => panic!("somebody got it: {:?}", stolen.map(|it| it.job().clone())),
        () = working => {}
    }
    // What it was renewed to is settled as the first one would have been.
    let retry = Outcome::retry("busy");
    assert_eq!(delivery.settle(&retry).await.unwrap(), Lease::Held);
    let delivery = receive(&other).await;
    assert_eq!(
        (&delivery.job().payload[..], delivery.job().attempt),
        (&b"long"[..], 2)
    );
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

/// While it is held anew: the copy comes back by itself, the attempt charged.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_job_whose_worker_goes_comes_back() {
    let fixture = Classic::fresh(Settings::default()).await;
    let options = Options {
        longest_hold: Duration::ZERO,
        ..fixture.options()
    };
    let queue = RabbitMq::new(&fixture.server.url, options).unwrap();
    let source: Arc<dyn Source> = Arc::new(queue);
    fixture.add(NewJob::new("any", "long")).await;
    let delivery = receive(&source).await;
    assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
    assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
    drop(delivery);
    source.close().await;

    let other = fixture.source().await;
    let delivery = timeout(BOUND * 2, other.receive()).await.unwrap().unwrap();
    assert_eq!(
        (&delivery.job().payload[..], delivery.job().attempt),
        (&b"long"[..], 2)
    );
}

/// The broker closes the channel in mid-job, and nothing but the channel.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_closed_in_mid_job_is_a_lost_claim() {
    let (fixture, source) = begin::<false>(IMPATIENT).await;
    fixture.add(NewJob::new("any", "slow")).await;
    let delivery = receive(&source).await;
    let lost = async {
        while delivery.extend().await.unwrap() == Lease::Held {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(BOUND, lost)
        .await
        .expect("the broker takes it back");
    let done = Outcome::Done(json!(1));
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Lost);
    // The same source goes on.
    let delivery = received(&*source).await;
    assert_eq!(
        (&delivery.job().payload[..], delivery.job().attempt),
        (&b"slow"[..], 2)
    );
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
}

/// The broker has the copy and nobody hears of it: two deliveries, and no loss.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_confirm_loses_no_job() {
    let fixture = Quorum::fresh(Settings::default()).await;
    let proxy = Proxy::to(address_of(&fixture.server.url)).await;
    let source = fixture.source_at(proxy.address()).await;
    // Its channels are open by then.
    fixture.add(NewJob::new("any", "once")).await;
    let delivery = receive(&source).await;
    assert_eq!(
        delivery.settle(&Outcome::PutBack).await.unwrap(),
        Lease::Held
    );
    let delivery = receive(&source).await;

    proxy.set(Way::Mute);
    let answer = timeout(AWAY, delivery.settle(&Outcome::PutBack))
        .await
        .unwrap();
    assert_away(answer);
    proxy.set(Way::Open);
    assert_eq!(settled(&*delivery, &Outcome::PutBack).await, Lease::Lost);
    let mut attempts = Vec::new();
    for _ in 0..2 {
        let delivery = received(&*source).await;
        assert_eq!(delivery.job().payload, b"once");
        attempts.push(delivery.job().attempt);
        let done = Outcome::Done(json!(1));
        assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    }
    // The second one is the first copy's twin, or what was in hand.
    assert!(attempts.iter().all(|attempt| *attempt <= 2), "{attempts:?}");
    assert!(fixture.set_aside().await.is_empty());
}

/// It takes no messages then, but acknowledgements.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_memory_is_worked_empty() {
    let (fixture, source) = begin::<false>("").await;
    for payload in ["done", "retried"] {
        fixture.add(NewJob::new("any", payload)).await;
    }
    fixture.server.kill();
    fixture.server.configure(FULL);
    fixture.server.restart();

    let delivery = received(&*source).await;
    assert_eq!(delivery.job().payload, b"done");
    let retried = received(&*source).await;
    let answer = timeout(AWAY, retried.settle(&Outcome::retry("busy"))).await;
    match answer.unwrap() {
        Err(Error::Away { reason, .. }) => assert!(reason.contains("memory"), "{reason}"),
        other => panic!("{other:?}"),
    }
    // Which the other is none the worse for.
    assert_eq!(retried.extend().await.unwrap(), Lease::Held);
    let done = Outcome::Done(json!(1));
    assert_eq!(delivery.settle(&done).await.unwrap(), Lease::Held);
    assert_eq!(retried.settle(&done).await.unwrap(), Lease::Held);
    assert_eq!(fixture.queue().counts().await.unwrap().waiting, 0);
}
