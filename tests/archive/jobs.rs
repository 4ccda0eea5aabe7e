//! Producers that speak SQL, and the queue that does what they ask.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use flatbed::archive::postgres::{JOB, QUEUE, Requests};
use flatbed::job::{JobId, Outcome};
use flatbed::queue::postgres::{Options, PostgresQueue};
use flatbed::queue::{Admin, Cancel, Delivery, Lease, Ledger, NewJob, Source};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::queue::contract::{BOUND, receive};
use crate::queue::postgres::server::Server;

/// A database with the tables, and a worker's queue.
pub struct Desk {
    pub database: Server,
    pub requests: Requests,
    pub queue: Arc<dyn Source>,
    pub admin: PostgresQueue,
}

impl Desk {
    pub async fn new() -> Self {
        Self::on(Server::empty_database().await).await
    }

    pub async fn on(database: Server) -> Self {
        let requests = Requests::new(&database.url).unwrap();
        requests.prepare(3).await.unwrap();
        let admin = another_queue(&database.url);
        Self {
            queue: Arc::new(admin.clone()),
            admin,
            requests,
            database,
        }
    }

    /// As a producer does it; the ids of video and job.
    async fn ask(&self) -> (String, String) {
        let video = Uuid::now_v7().to_string();
        let job = self
            .database
            .sql(&format!(
                "INSERT INTO videos (id, source_url) VALUES ('{video}', 's3://b/{video}.mp4');
                 INSERT INTO jobs (video_id) VALUES ('{video}') RETURNING id"
            ))
            .await;
        (video, job[0][0].clone())
    }

    /// Status, attempts and error of a job, as a producer sees them.
    async fn row(&self, job: &str) -> [String; 3] {
        let sql = format!("SELECT status, attempts, error FROM jobs WHERE id = '{job}'");
        let row = self.database.sql(&sql).await.remove(0);
        row.try_into().unwrap()
    }

    async fn receive(&self) -> Box<dyn Delivery> {
        receive(&self.queue).await
    }

    /// Nothing can be claimed.
    async fn rests(&self) {
        let counts = self.admin.counts().await.unwrap();
        assert_eq!((counts.waiting, counts.active), (0, 0), "{counts:?}");
    }
}

/// A handle of its own, as another process would have.
pub fn another_queue(url: &str) -> PostgresQueue {
    PostgresQueue::new(url, Options::new(QUEUE)).unwrap()
}

pub async fn settle(delivery: &dyn Delivery, outcome: &Outcome) {
    assert_eq!(delivery.settle(outcome).await.unwrap(), Lease::Held);
}

fn as_json(delivery: &dyn Delivery) -> Value {
    serde_json::from_slice(&delivery.job().payload).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_inserts_two_rows_and_sees_what_becomes_of_them() {
    let desk = Desk::new().await;
    let (video, job) = desk.ask().await;
    assert_eq!(desk.row(&job).await, ["queued", "0", "NULL"]);
    let delivery = desk.receive().await;
    assert_eq!(delivery.job().id.as_str(), job);
    assert_eq!(
        (&*delivery.job().name, delivery.job().max_attempts),
        (JOB, 3)
    );
    let payload = json!({"video_id": video, "source_url": format!("s3://b/{video}.mp4")});
    assert_eq!(as_json(&*delivery), payload);
    let source = desk.requests.source(video.parse().unwrap()).await.unwrap();
    assert_eq!(source, Some(format!("s3://b/{video}.mp4")));
    assert_eq!(desk.row(&job).await, ["processing", "1", "NULL"]);
    settle(&*delivery, &Outcome::Done(json!({}))).await;
    assert_eq!(desk.row(&job).await, ["completed", "1", "NULL"]);
    let moved = "SELECT count(*) FROM jobs WHERE updated_at > created_at";
    assert_eq!(desk.database.sql(moved).await, [["1"]]);
    desk.rests().await;
}

/// Who waits is woken by the insert, not by its own look.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_hears_of_an_insert() {
    let desk = Desk::new().await;
    let listening = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE '%flatbed_jobs%'";
    let queue = Arc::clone(&desk.queue);
    let idle = tokio::spawn(async move { receive(&queue).await });
    while desk.database.sql(listening).await == [["0"]] {
        tokio::task::yield_now().await;
    }
    let (_, job) = desk.ask().await;
    let delivery = timeout(BOUND, idle).await.unwrap().unwrap();
    assert_eq!(delivery.job().id.as_str(), job);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_and_the_last_one_fails() {
    let desk = Desk::new().await;
    desk.requests.prepare(2).await.unwrap();
    let (_, job) = desk.ask().await;
    let again = |reason: &str| Outcome::Retry {
        after: Some(Duration::ZERO),
        reason: reason.to_owned(),
    };
    let delivery = desk.receive().await;
    settle(&*delivery, &again("the source is away")).await;
    assert_eq!(desk.row(&job).await, ["queued", "1", "the source is away"]);
    let delivery = desk.receive().await;
    assert_eq!(delivery.job().attempt, 2);
    assert_eq!(desk.row(&job).await[..2], ["processing", "2"]);
    settle(&*delivery, &again("still away")).await;
    assert_eq!(desk.row(&job).await, ["failed", "2", "still away"]);

    // What was put back costs nothing.
    let (_, job) = desk.ask().await;
    let delivery = desk.receive().await;
    settle(&*delivery, &Outcome::PutBack).await;
    assert_eq!(desk.row(&job).await, ["queued", "0", "NULL"]);
    let delivery = desk.receive().await;
    let reason = "no video".to_owned();
    settle(&*delivery, &Outcome::Reject { reason }).await;
    assert_eq!(desk.row(&job).await, ["failed", "1", "no video"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_that_a_producer_names_are_charged() {
    let desk = Desk::new().await;
    let insert = "INSERT INTO jobs (video_id, attempts) VALUES (gen_random_uuid(), 2) RETURNING id";
    let job = desk.database.sql(insert).await[0][0].clone();
    let delivery = desk.receive().await;
    assert_eq!(
        (delivery.job().attempt, delivery.job().max_attempts),
        (3, 3)
    );
    settle(&*delivery, &Outcome::Done(json!({}))).await;
    assert_eq!(desk.row(&job).await[..2], ["completed", "3"]);
    let insert = insert.replace('2', "7");
    let job = desk.database.sql(&insert).await[0][0].clone();
    let [status, _, error] = desk.row(&job).await;
    assert!(status == "failed" && error.contains("used up"), "{error}");
    desk.rests().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_cancelled_by_its_status_or_by_its_end() {
    for how in [
        "UPDATE jobs SET status = 'cancelled' WHERE id =",
        "DELETE FROM jobs WHERE id =",
    ] {
        let desk = Desk::new().await;
        let (_, job) = desk.ask().await;
        // A worker had it, and it waits to be tried again.
        let begun = format!(
            "UPDATE videos SET status = 'processing', analysis_job_id = '{job}'
             WHERE id = (SELECT video_id FROM jobs WHERE id = '{job}')"
        );
        desk.database.sql(&begun).await;
        desk.database.sql(&format!("{how} '{job}'")).await;
        desk.rests().await;
        let of_it = format!("SELECT status, error FROM videos WHERE analysis_job_id = '{job}'");
        assert_eq!(
            desk.database.sql(&of_it).await,
            [["failed", "cancelled"]],
            "{how}"
        );

        let (_, job) = desk.ask().await;
        let delivery = desk.receive().await;
        desk.database.sql(&format!("{how} '{job}'")).await;
        timeout(BOUND, delivery.cancel_asked()).await.unwrap();
        settle(&*delivery, &Outcome::Cancelled).await;
        desk.rests().await;
        let rows = "SELECT status FROM jobs WHERE status <> 'cancelled'";
        assert_eq!(desk.database.sql(rows).await, Vec::<Vec<String>>::new());
        let left = desk.database.sql("SELECT count(*) FROM jobs").await;
        let expected = if how.starts_with("DELETE") { "0" } else { "2" };
        assert_eq!(left, [[expected]], "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ended_is_asked_for_again_by_its_status() {
    let desk = Desk::new().await;
    let (_, job) = desk.ask().await;
    let again = format!("UPDATE jobs SET status = 'queued' WHERE id = '{job}'");
    let endings = [
        Outcome::Done(json!({})),
        Outcome::Reject {
            reason: "no video".to_owned(),
        },
        Outcome::Cancelled,
    ];
    for outcome in endings {
        let delivery = desk.receive().await;
        assert_eq!(delivery.job().attempt, 1);
        // One that is being done goes on, and its row says so.
        desk.database.sql(&again).await;
        assert_eq!(desk.row(&job).await, ["processing", "1", "NULL"]);
        settle(&*delivery, &outcome).await;
        assert_ne!(desk.row(&job).await[0], "processing");
        desk.rests().await;
        desk.database.sql(&again).await;
        assert_eq!(desk.row(&job).await, ["queued", "0", "NULL"]);
    }
    let charged = format!(
        "UPDATE jobs SET status = 'failed' WHERE id = '{job}';
         UPDATE jobs SET status = 'queued', attempts = 2 WHERE id = '{job}'"
    );
    desk.database.sql(&charged).await;
    assert_eq!(desk.receive().await.job().attempt, 3);
}

/// Those that the door of HTTP adds, and what operators do to them.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_came_otherwise_are_seen_too() {
    let desk = Desk::new().await;
    let video = Uuid::now_v7();
    let payload = json!({ "video_id": video }).to_string();
    let job = NewJob::new(JOB, payload.clone());
    let id = job.id.clone();
    desk.admin.add(job).await.unwrap();
    assert_eq!(desk.row(id.as_str()).await, ["queued", "0", "NULL"]);
    let of = format!("SELECT video_id FROM jobs WHERE id = '{id}'");
    assert_eq!(desk.database.sql(&of).await, [[video.to_string()]]);
    assert_eq!(desk.admin.cancel(&id).await.unwrap(), Cancel::Cancelled);
    assert_eq!(desk.row(id.as_str()).await[0], "cancelled");
    assert!(desk.admin.retry(&id).await.unwrap());
    assert_eq!(desk.row(id.as_str()).await[0], "queued");

    // What cannot be shown is done all the same.
    for (id, payload) in [
        ("message-7", payload.as_str()),
        (&*JobId::random().to_string(), "no json"),
        (&*JobId::random().to_string(), "{\"video_id\": 7}"),
    ] {
        let job = NewJob::new(JOB, payload).with_id(JobId::of_foreign(id));
        desk.admin.add(job).await.unwrap();
    }
    for _ in 0..4 {
        let delivery = desk.receive().await;
        settle(&*delivery, &Outcome::Done(json!({}))).await;
    }
    assert_eq!(desk.row(id.as_str()).await[0], "completed");
    assert_eq!(
        desk.database.sql("SELECT count(*) FROM jobs").await,
        [["1"]]
    );
    // Another queue of the database is none of its business.
    let other = PostgresQueue::new(&desk.database.url, Options::new("other")).unwrap();
    other.add(NewJob::new(JOB, payload)).await.unwrap();
    assert_eq!(
        desk.database.sql("SELECT count(*) FROM jobs").await,
        [["1"]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_jobs_of_one_statement_are_each_done_once() {
    const JOBS: usize = 1000;
    let desk = Desk::new().await;
    desk.database
        .sql(&format!(
            "INSERT INTO videos (source_url) SELECT 'https://example.org/' || n || '.mp4'
                 FROM generate_series(1, {JOBS}) AS n;
             INSERT INTO jobs (video_id) SELECT id FROM videos"
        ))
        .await;
    let workers: Vec<_> = (0..2)
        .flat_map(|_| {
            let queue: Arc<dyn Source> = Arc::new(another_queue(&desk.database.url));
            (0..4).map(move |_| {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move {
                    let mut done = Vec::new();
                    // Nothing for a while is the end.
                    while let Ok(delivery) = timeout(Duration::from_secs(3), queue.receive()).await
                    {
                        let delivery = delivery.unwrap();
                        done.push(as_json(&*delivery)["video_id"].to_string());
                        let outcome = Outcome::Done(json!({}));
                        settle(&*delivery, &outcome).await;
                    }
                    done
                })
            })
        })
        .collect();
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await.unwrap());
    }
    assert_eq!(done.len(), JOBS);
    assert_eq!(done.iter().collect::<HashSet<_>>().len(), JOBS);
    let completed = "SELECT count(*) FROM jobs WHERE status = 'completed' AND attempts = 1";
    assert_eq!(desk.database.sql(completed).await, [[JOBS.to_string()]]);
}

/// As where the end of one job asks for the next.
#[tokio::test(flavor = "multi_thread")]
async fn triggers_of_a_producer_may_ask_too() {
    let desk = Desk::new().await;
    desk.database
        .sql(
            "CREATE FUNCTION follow_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.status = 'completed' AND NEW.attempts = 1 THEN
                     INSERT INTO jobs (video_id, attempts) VALUES (NEW.video_id, 1);
                 END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER follow_up BEFORE UPDATE ON jobs
                 FOR EACH ROW EXECUTE FUNCTION follow_up()",
        )
        .await;
    let (video, job) = desk.ask().await;
    for expected in 1..=2 {
        let delivery = desk.receive().await;
        assert_eq!(delivery.job().attempt, expected);
        assert_eq!(as_json(&*delivery)["video_id"], *video);
        settle(&*delivery, &Outcome::Done(json!({}))).await;
    }
    assert_eq!(desk.row(&job).await[..2], ["completed", "1"]);
    let rows = "SELECT status, attempts FROM jobs ORDER BY attempts";
    let expected = [["completed", "1"], ["completed", "2"]];
    assert_eq!(desk.database.sql(rows).await, expected);
    desk.rests().await;
}

/// What a producer takes back was never asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_rolled_back_asks_for_nothing() {
    let desk = Desk::new().await;
    desk.database
        .sql(
            "BEGIN; INSERT INTO jobs (video_id) VALUES (gen_random_uuid());
             SAVEPOINT a; INSERT INTO jobs (video_id) VALUES (gen_random_uuid()); ROLLBACK",
        )
        .await;
    desk.rests().await;
    let (_, job) = desk.ask().await;
    desk.database
        .sql("BEGIN; UPDATE jobs SET status = 'cancelled'; ROLLBACK")
        .await;
    assert_eq!(desk.receive().await.job().id.as_str(), job);
}
