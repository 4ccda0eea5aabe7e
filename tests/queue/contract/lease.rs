//! Leases: held as long as they are extended, fenced off once they are lost.

use std::time::Instant;

use flatbed::job::{Outcome, Progress};
use flatbed::queue::Lease;
use serde_json::json;
use tokio::time::sleep;

use super::{admin, begin, job, payload, receive};
use crate::queue::fixture::Fixture;

pub async fn extending_holds_the_job<F: Fixture>() {
    let (fixture, holder) = begin::<F>().await;
    let other = fixture.source().await;
    fixture.add(job("held")).await;
    let delivery = receive(&holder).await;
    let begun = Instant::now();
    let extending = async {
        while begun.elapsed() < holder.lease() * 2 {
            assert_eq!(delivery.extend().await.unwrap(), Lease::Held);
            sleep(holder.lease() / 8).await;
        }
    };
    tokio::select! {
        stolen = other.receive() => {
            panic!("somebody got {:?}", stolen.map(|delivery| payload(&*delivery)))
        }
        () = extending => {}
    }
    assert_eq!(
        delivery.settle(&Outcome::Done(json!(1))).await.unwrap(),
        Lease::Held
    );
}

pub async fn a_lost_lease_is_fenced_off<F: Fixture>() {
    let (fixture, late) = begin::<F>().await;
    let other = fixture.source().await;
    let new = job("contested");
    let id = new.id.clone();
    fixture.add(new).await;

    let lost = receive(&late).await;
    // Its lease is not extended: it ends, and the job goes to the other one.
    let held = receive(&other).await;
    assert_eq!(payload(&*held), "contested");
    if other.capabilities().counts_crashes {
        assert_eq!(held.job().attempt, 2);
    }
    assert_eq!(lost.extend().await.unwrap(), Lease::Lost);
    if late.capabilities().progress {
        let told = lost.progress(&Progress::percent(99)).await;
        assert_eq!(told.unwrap_or(Lease::Lost), Lease::Lost);
    }
    for outcome in [
        Outcome::Done(json!("late")),
        Outcome::retry("late"),
        Outcome::reject("late"),
        Outcome::Cancelled,
        Outcome::PutBack,
    ] {
        assert_eq!(
            lost.settle(&outcome).await.unwrap(),
            Lease::Lost,
            "{outcome:?}"
        );
    }
    assert_eq!(held.extend().await.unwrap(), Lease::Held);
    assert_eq!(
        held.settle(&Outcome::Done(json!("in time"))).await.unwrap(),
        Lease::Held
    );
    assert_eq!(
        lost.settle(&Outcome::Done(json!("late"))).await.unwrap(),
        Lease::Lost
    );
    if late.capabilities().ledger {
        let record = super::record(&admin(&fixture).await, &id).await;
        assert_eq!(record.result, Some(json!("in time")));
        assert_ne!(record.progress, Some(Progress::percent(99)));
    }
}
