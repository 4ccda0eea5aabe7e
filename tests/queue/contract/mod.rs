//! The contract of `flatbed::queue`, one function a sentence, for any adapter.
//!
//! [`run`] runs all parts at once, each on a queue of its own, prints a table
//! of what ran and what the adapter is excused from, and fails if a part did.
//! `FLATBED_PART=name` runs one.

mod claim;
pub mod crash;
mod lease;
mod ledger;
mod load;
mod outage;
mod outcome;

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use flatbed::job::JobId;
use flatbed::queue::{Admin, Capabilities, Delivery, NewJob, Record, Source, State};
use tokio::time::timeout;

use super::fixture::{Fixture, Settings};

/// No wait of a part takes longer, however slow the machine is.
pub const BOUND: Duration = Duration::from_secs(60);

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Part {
    name: &'static str,
    /// What the adapter must be able to do, and its name.
    needs: (&'static str, fn(Capabilities) -> bool),
    run: fn() -> Running,
}

macro_rules! parts {
    ($($needs:path: $($module:ident::$part:ident),+ $(,)?;)+) => {
        vec![$($(Part {
            name: concat!(stringify!($module), "::", stringify!($part)),
            needs: (stringify!($needs), $needs),
            run: || Box::pin($module::$part::<F>()),
        }),+),+]
    };
}

fn all(_: Capabilities) -> bool {
    true
}
/// The broker is a server that may be gone.
fn remote<F: Fixture>(_: Capabilities) -> bool {
    F::REMOTE
}
fn expiring_lease(can: Capabilities) -> bool {
    can.expiring_lease
}
fn uncharged_put_back(can: Capabilities) -> bool {
    can.uncharged_put_back
}
fn counts_crashes(can: Capabilities) -> bool {
    can.counts_crashes
}
fn repeatable_settle(can: Capabilities) -> bool {
    can.repeatable_settle
}
fn ledger(can: Capabilities) -> bool {
    can.ledger
}
fn ledger_and_progress(can: Capabilities) -> bool {
    can.ledger && can.progress
}
fn ledger_and_cancel(can: Capabilities) -> bool {
    can.ledger && can.cancel
}

fn parts<F: Fixture>() -> Vec<Part> {
    parts! {
        all:
            claim::a_job_arrives_as_it_was_sent,
            claim::two_consumers_never_share_a_job,
            claim::an_idle_consumer_is_woken,
            claim::a_receive_that_is_given_up_loses_nothing,
            claim::nothing_is_held_back,
            outcome::a_retry_waits,
            outcome::the_last_failure_sets_aside,
            outcome::a_rejected_job_is_set_aside_at_once,
            outcome::a_job_put_back_is_there_at_once,
            outcome::settled_jobs_do_not_come_back,
            lease::extending_holds_the_job,
            load::many_jobs_are_each_done_once,
            crash::a_killed_worker_loses_no_job;
        remote::<F>:
            outage::a_broker_that_is_gone_is_away_until_it_is_back,
            outage::a_broker_that_is_silent_is_away_until_it_is_back;
        expiring_lease:
            lease::a_lost_lease_is_fenced_off,
            crash::a_stopped_worker_is_fenced_off;
        counts_crashes:
            crash::a_job_that_kills_its_workers_is_set_aside;
        uncharged_put_back:
            outcome::putting_back_is_not_charged;
        repeatable_settle:
            outcome::settling_twice_is_settling_once;
        ledger:
            ledger::an_id_is_added_once,
            ledger::a_record_tells_the_whole_story,
            ledger::counts_and_lists_agree,
            ledger::a_delayed_job_waits,
            ledger::a_paused_queue_gives_nothing,
            ledger::a_failed_job_can_be_retried,
            ledger::old_jobs_are_forgotten,
            ledger::a_waiting_job_is_cancelled;
        ledger_and_progress:
            ledger::progress_is_seen;
        ledger_and_cancel:
            ledger::an_active_job_hears_of_its_cancel,
            ledger::a_result_beats_a_cancel;
    }
}

/// Runs the suite on the adapter of `F`.
pub async fn run<F: Fixture>() {
    let can = F::fresh(Settings::default())
        .await
        .source()
        .await
        .capabilities();
    let only = std::env::var("FLATBED_PART").ok();
    let mut running = Vec::new();
    let mut table = String::new();
    for part in parts::<F>() {
        let (need, has) = part.needs;
        if only
            .as_ref()
            .is_some_and(|only| !part.name.ends_with(only.as_str()))
        {
            let _ = writeln!(table, "not asked  {}", part.name);
        } else if has(can) {
            running.push((part.name, tokio::spawn(timeout(BOUND * 2, (part.run)()))));
        } else {
            let _ = writeln!(table, "excused    {} (needs {need})", part.name);
        }
    }
    let mut failed = 0;
    for (name, part) in running {
        let verdict = match part.await {
            Ok(Ok(())) => "passed   ",
            Ok(Err(_)) => "TIMED OUT",
            Err(_) => "FAILED   ",
        };
        failed += usize::from(verdict != "passed   ");
        let _ = writeln!(table, "{verdict}  {name}");
    }
    eprintln!("{table}");
    assert_eq!(failed, 0, "parts of the contract failed:\n{table}");
}

/// What most parts begin with: a queue, and a consumer of it.
async fn begin<F: Fixture>() -> (F, Arc<dyn Source>) {
    let fixture = F::fresh(Settings::default()).await;
    let source = fixture.source().await;
    (fixture, source)
}

async fn admin<F: Fixture>(fixture: &F) -> Arc<dyn Admin> {
    fixture
        .admin()
        .await
        .expect("an adapter with the capability has it")
}

/// The next delivery.
pub async fn receive(source: &Arc<dyn Source>) -> Box<dyn Delivery> {
    timeout(BOUND, source.receive())
        .await
        .expect("a delivery comes")
        .expect("the broker is there")
}

fn job(payload: &str) -> NewJob {
    NewJob::new("export", payload)
}

fn payload(delivery: &dyn Delivery) -> String {
    String::from_utf8(delivery.job().payload.clone()).unwrap()
}

async fn record(admin: &Arc<dyn Admin>, id: &JobId) -> Record {
    admin.find(id).await.unwrap().expect("the job is known")
}

async fn state(admin: &Arc<dyn Admin>, id: &JobId) -> State {
    record(admin, id).await.state
}

/// Waits until `condition` holds.
pub async fn until<Fut: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> Fut) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(BOUND, waiting).await.is_ok(), "never: {what}");
}
