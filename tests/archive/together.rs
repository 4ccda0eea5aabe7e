//! Many producers and workers at once, and rows that somebody holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flatbed::job::Outcome;
use flatbed::queue::Source;
use serde_json::json;
use tokio::time::timeout;
use tokio_postgres::NoTls;

use super::jobs::{Desk, another_queue, settle};
use crate::queue::contract::receive;

/// Rows in which the two tables do not say the same.
const APART: &str = "SELECT jobs.id, jobs.status, job.state, jobs.attempts, job.attempts
    FROM jobs JOIN flatbed_jobs AS job ON job.id = jobs.id::text
    WHERE (jobs.status, jobs.attempts) IS DISTINCT FROM
        (CASE job.state WHEN 'active' THEN 'processing' ELSE job.state END, job.attempts)";

async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Neither sees an error: who waits for the other never waits in a circle.
#[tokio::test(flavor = "multi_thread")]
async fn producers_and_workers_do_not_lock_each_other_out() {
    const PRODUCERS: u32 = 4;
    const ROUNDS: u32 = 40;
    let desk = Desk::new().await;
    desk.database
        .sql("INSERT INTO jobs (video_id) SELECT gen_random_uuid() FROM generate_series(1, 20)")
        .await;
    let is_over = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..4_usize)
        .map(|number| {
            let queue: Arc<dyn Source> = Arc::new(another_queue(&desk.database.url));
            let is_over = Arc::clone(&is_over);
            tokio::spawn(async move {
                let mut done = number;
                while !is_over.load(Ordering::Relaxed) {
                    let received = timeout(Duration::from_millis(100), queue.receive()).await;
                    let Ok(delivery) = received else {
                        continue;
                    };
                    let delivery = delivery.unwrap();
                    done += 1;
                    let outcome = match done % 4 {
                        0 => Outcome::Done(json!({})),
                        1 => Outcome::Retry {
                            after: Some(Duration::ZERO),
                            reason: "again".to_owned(),
                        },
                        2 => Outcome::PutBack,
                        _ => Outcome::Cancelled,
                    };
                    settle(&*delivery, &outcome).await;
                }
                done - number
            })
        })
        .collect();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|number| {
            let url = desk.database.url.clone();
            tokio::spawn(async move {
                let client = client(&url).await;
                for round in 0..ROUNDS {
                    // Several rows a statement, always in the order of their ids:
                    // producers must not lock each other out either.
                    let rows = "(SELECT id FROM jobs ORDER BY id FOR UPDATE)";
                    let first = "(SELECT id FROM held LIMIT 4)";
                    let sql = match (round + number) % 5 {
                        0 => format!(
                            "WITH held AS MATERIALIZED {rows}
                             UPDATE jobs SET status = 'queued' WHERE id IN {first}"
                        ),
                        1 => format!(
                            // What has ended stays as a producer calls it.
                            "WITH held AS MATERIALIZED (SELECT id FROM jobs
                                 WHERE status IN ('queued', 'processing')
                                 ORDER BY id FOR UPDATE)
                             UPDATE jobs SET status = 'cancelled' WHERE id IN {first}"
                        ),
                        2 => format!(
                            "WITH held AS MATERIALIZED {rows}
                             DELETE FROM jobs WHERE id IN (SELECT id FROM held LIMIT 1)"
                        ),
                        3 => "INSERT INTO jobs (video_id) SELECT gen_random_uuid()
                              FROM generate_series(1, 3)"
                            .to_owned(),
                        // Holds its rows for a moment before it asks for the queue's.
                        _ => format!(
                            "BEGIN; CREATE TEMP TABLE held ON COMMIT DROP AS {rows};
                             SELECT pg_sleep(0.02); UPDATE jobs SET status = 'queued'
                             WHERE status = 'processing' AND id IN (SELECT id FROM held);
                             COMMIT"
                        ),
                    };
                    client.batch_execute(&sql).await.unwrap();
                }
            })
        })
        .collect();
    for producer in producers {
        producer.await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    let mut done = 0;
    for worker in workers {
        done += worker.await.unwrap();
    }
    assert!(done > 0);
    desk.requests.catch_up().await.unwrap();
    let apart = desk.database.sql(APART).await;
    assert!(apart.is_empty(), "{apart:?}");
    let behind = "SELECT count(*) FROM flatbed_jobs_behind";
    assert_eq!(desk.database.sql(behind).await, [["0"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_holds_stops_no_worker_and_is_told_later() {
    let desk = Desk::new().await;
    desk.database
        .sql("INSERT INTO jobs (video_id) VALUES (gen_random_uuid())")
        .await;
    let holder = client(&desk.database.url).await;
    holder
        .batch_execute("BEGIN; SELECT * FROM jobs FOR UPDATE")
        .await
        .unwrap();
    let begun = Instant::now();
    let delivery = receive(&desk.queue).await;
    settle(&*delivery, &Outcome::Done(json!({}))).await;
    assert!(begun.elapsed() < Duration::from_secs(30));
    // Not as long as it is held.
    assert_eq!(desk.requests.catch_up().await.unwrap(), 0);
    let status = "SELECT status, attempts FROM jobs";
    assert_eq!(desk.database.sql(status).await, [["queued", "0"]]);
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(desk.requests.catch_up().await.unwrap(), 2);
    assert_eq!(desk.database.sql(status).await, [["completed", "1"]]);
    assert_eq!(desk.requests.catch_up().await.unwrap(), 0);
}

/// A producer that holds a job's row asks for the queue's while a worker, which has
/// that, waits for the job's: the worker gives way, before anybody speaks of a
/// deadlock.
#[tokio::test(flavor = "multi_thread")]
async fn who_would_wait_in_a_circle_gives_way() {
    let desk = Desk::new().await;
    desk.database
        .sql("INSERT INTO jobs (video_id) VALUES (gen_random_uuid())")
        .await;
    let producer = client(&desk.database.url).await;
    producer
        .batch_execute("BEGIN; SELECT * FROM jobs FOR UPDATE")
        .await
        .unwrap();
    let worker = client(&desk.database.url).await;
    let claiming = tokio::spawn(async move {
        let claim = "UPDATE flatbed_jobs SET state = 'active', attempts = attempts + 1";
        worker.batch_execute(claim).await
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock'";
    while desk.database.sql(waits).await == [["0"]] && !claiming.is_finished() {
        tokio::task::yield_now().await;
    }
    producer
        .batch_execute("UPDATE jobs SET status = 'cancelled'; COMMIT")
        .await
        .unwrap();
    claiming.await.unwrap().unwrap();
    let asked = "SELECT state, cancel_asked FROM flatbed_jobs";
    assert_eq!(desk.database.sql(asked).await, [["active", "t"]]);
}
