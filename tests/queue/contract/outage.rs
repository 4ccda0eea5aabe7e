//! A broker that is gone: calls end in an error, and work again when it is back.

use std::sync::Arc;
use std::time::Duration;

use flatbed::job::Outcome;
use flatbed::queue::{Error, Lease, Source};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{BOUND, job, payload};
use crate::queue::fixture::{Fixture, Settings};
use crate::queue::outage::{AWAY, Proxy, Way, assert_away};

pub async fn a_broker_that_is_gone_is_away_until_it_is_back<F: Fixture>() {
    away_and_back::<F>(Way::Cut).await;
}

pub async fn a_broker_that_is_silent_is_away_until_it_is_back<F: Fixture>() {
    away_and_back::<F>(Way::Silent).await;
}

async fn away_and_back<F: Fixture>(way: Way) {
    let fixture = F::fresh(Settings::default()).await;
    let server = fixture.server().expect("a remote queue has a server");
    let proxy = Proxy::to(server).await;
    let source = fixture.source_at(proxy.address()).await;
    fixture.add(job("held")).await;
    let held = super::receive(&source).await;

    proxy.set(way);
    // Where the connection is the claim, it may be known to be lost with it.
    let gone = |answer: Result<Lease, Error>| match answer {
        Ok(lease) => assert_eq!(lease, Lease::Lost),
        away => assert_away(away),
    };
    gone(timeout(AWAY, held.extend()).await.unwrap());
    let done = Outcome::Done(json!(1));
    gone(timeout(AWAY, held.settle(&done)).await.unwrap());
    // Waiting for jobs that do not come is no hanging: an error comes within the
    // time that one look at the broker may take.
    let receiving = timeout(BOUND, source.receive());
    assert_away(receiving.await.expect("an idle consumer hears of it"));

    proxy.set(Way::Open);
    fixture.add(job("new")).await;
    let working_again = async {
        while next(&source).await.as_deref() != Some("new") {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(BOUND, working_again).await.is_ok(), "it stays away");
}

/// Does the next job; `None` while the broker is away.
async fn next(source: &Arc<dyn Source>) -> Option<String> {
    match source.receive().await {
        Ok(delivery) => {
            let _ = delivery.settle(&Outcome::Done(json!(1))).await;
            Some(payload(&*delivery))
        }
        Err(Error::Away { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}
