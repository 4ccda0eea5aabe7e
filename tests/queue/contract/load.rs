//! Many jobs, several consumers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flatbed::job::Outcome;
use flatbed::queue::Lease;
use serde_json::json;
use tokio::sync::watch;

use super::{begin, job, payload};
use crate::queue::fixture::Fixture;

pub async fn many_jobs_are_each_done_once<F: Fixture>() {
    let (fixture, first) = begin::<F>().await;
    let done = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
    let (left, mut none_left) = watch::channel(F::MANY);
    let mut consumers = Vec::new();
    for number in 0..4 {
        let source = if number == 0 {
            first.clone()
        } else {
            fixture.source().await
        };
        let (done, left) = (Arc::clone(&done), left.clone());
        consumers.push(tokio::spawn(async move {
            loop {
                let delivery = source.receive().await.unwrap();
                *done.lock().unwrap().entry(payload(&*delivery)).or_default() += 1;
                let lease = delivery
                    .settle(&Outcome::Done(json!(number)))
                    .await
                    .unwrap();
                assert_eq!(lease, Lease::Held);
                left.send_modify(|left| *left -= 1);
            }
        }));
    }
    for number in 0..F::MANY {
        fixture.add(job(&number.to_string())).await;
    }
    none_left.wait_for(|left| *left == 0).await.unwrap();
    for consumer in consumers {
        consumer.abort();
        assert!(
            consumer.await.unwrap_err().is_cancelled(),
            "a consumer failed"
        );
    }
    let done = done.lock().unwrap();
    assert_eq!(done.len(), F::MANY);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
}
