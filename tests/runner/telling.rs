//! Whoever waits for a job hears that it has failed for good, before it is set aside.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use flatbed::job::{Job, JobId, Outcome};
use flatbed::queue::sqlite::SqliteQueue;
use flatbed::queue::{Admin, Page, State};
use flatbed::runner::{JobContext, Workload};

use super::bench::Bench;
use crate::queue::contract::until;

/// Every attempt ends so, and telling of it may take for ever.
struct Failing {
    outcome: Outcome,
    for_ever: bool,
    /// What was told, and how many jobs were active then.
    told: Arc<Mutex<Vec<(String, String, usize)>>>,
    ledger: SqliteQueue,
}

#[async_trait]
impl Workload for Failing {
    fn name(&self) -> &'static str {
        "export"
    }

    async fn run(&self, _: Job, _: JobContext) -> Outcome {
        self.outcome.clone()
    }

    async fn failed(&self, _: &JobId, payload: &[u8], reason: &str, context: &JobContext) {
        context.lease_held().await;
        let active = self.ledger.list(State::Active, Page::first(10)).await;
        let told = (
            String::from_utf8(payload.to_vec()).unwrap(),
            reason.to_owned(),
            active.unwrap().len(),
        );
        self.told.lock().unwrap().push(told);
        if self.for_ever {
            std::future::pending::<()>().await;
        }
    }
}

async fn failing(bench: &mut Bench, outcome: Outcome, for_ever: bool) -> Told {
    let told = Arc::default();
    let workload = Failing {
        outcome,
        for_ever,
        told: Arc::clone(&told),
        ledger: bench.queue().await,
    };
    let source = Arc::new(bench.queue().await);
    bench.run_workload(source, Arc::new(workload));
    told
}

type Told = Arc<Mutex<Vec<(String, String, usize)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_while_the_job_is_held() {
    let mut bench = Bench::new().await;
    let told = failing(&mut bench, Outcome::reject("no image"), false).await;
    let id = bench.add("photo").await;
    bench.reaches(&id, State::Failed).await;
    bench.shut_down().await;
    let expected = ("photo".to_owned(), "no image".to_owned(), 1);
    assert_eq!(*told.lock().unwrap(), [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_again_is_told_at_the_end_alone() {
    let mut bench = Bench::new().await;
    let told = failing(&mut bench, Outcome::retry("busy"), false).await;
    let id = bench.add("photo").await;
    let record = bench.reaches(&id, State::Failed).await;
    assert_eq!(record.attempts, 3);
    bench.shut_down().await;
    let expected = ("photo".to_owned(), "busy".to_owned(), 1);
    assert_eq!(*told.lock().unwrap(), [expected]);
}

/// Longer than the lease: it is kept meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_be_told_the_job_goes_back_with_the_process() {
    let mut bench = Bench::new().await;
    bench.config.shutdown_grace = Duration::from_secs(3);
    let told = failing(&mut bench, Outcome::reject("no image"), true).await;
    let id = bench.add_once("photo").await;
    until("somebody is told", async || {
        !told.lock().unwrap().is_empty()
    })
    .await;
    bench.shut_down().await;
    let record = bench.record(&id).await;
    assert_eq!((record.state, record.attempts), (State::Waiting, 0));
    assert_eq!(told.lock().unwrap().len(), 1);
}
