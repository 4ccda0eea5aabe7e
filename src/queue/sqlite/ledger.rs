//! The producer's and the operator's side.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::SqliteQueue;
use super::rows::{millis, now, record, record_columns};
use crate::job::JobId;
use crate::queue::{Added, Admin, Cancel, Counts, Ledger, NewJob, Page, Record, Result, State};

#[async_trait]
impl Ledger for SqliteQueue {
    async fn add(&self, job: NewJob) -> Result<Added> {
        const ADD: &str = concat!(
            "INSERT INTO jobs (queue, id, name, payload, due, max_attempts, enqueued_at)
             VALUES (:queue, :id, :name, :payload, ",
            now!(),
            " + :delay, :max, ",
            now!(),
            ")
             ON CONFLICT (queue, id) DO NOTHING"
        );
        let queue = self.0.options.queue.clone();
        let max_attempts = job
            .max_attempts
            .unwrap_or(self.0.options.retry.attempts)
            .max(1);
        let added = self
            .0
            .database
            .call_durable(move |connection| {
                connection.prepare_cached(ADD)?.execute(named_params! {
                    ":queue": queue,
                    ":id": job.id.as_str(),
                    ":name": job.name,
                    ":payload": job.payload,
                    ":delay": millis(job.delay),
                    ":max": max_attempts,
                })
            })
            .await?;
        if added == 0 {
            return Ok(Added::Known);
        }
        self.0.database.changed();
        Ok(Added::New)
    }

    async fn find(&self, id: &JobId) -> Result<Option<Record>> {
        const FIND: &str = concat!(
            "SELECT ",
            record_columns!(),
            " FROM jobs WHERE queue = :queue AND id = :id"
        );
        let (queue, id) = (self.0.options.queue.clone(), id.clone());
        self.0
            .database
            .call(move |connection| {
                connection
                    .prepare_cached(FIND)?
                    .query_row(named_params! {":queue": queue, ":id": id.as_str()}, record)
                    .optional()
            })
            .await
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancel> {
        let (queue, id) = (self.0.options.queue.clone(), id.clone());
        let cancel = self
            .0
            .database
            .call_durable(move |connection| cancel(connection, &queue, &id))
            .await?;
        if cancel == Cancel::Asked {
            self.0.cancels.notify_waiters();
        }
        Ok(cancel)
    }
}

fn cancel(connection: &Connection, queue: &str, id: &JobId) -> rusqlite::Result<Cancel> {
    // One statement: a claim cannot come in between.
    const CANCEL: &str = concat!(
        "UPDATE jobs SET
            state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
            finished_at = CASE state WHEN 'queued' THEN ",
        now!(),
        " END,
            cancel_asked = (state = 'active')
         WHERE queue = :queue AND id = :id AND state IN ('queued', 'active')
         RETURNING state"
    );
    let key = named_params! {":queue": queue, ":id": id.as_str()};
    let state: Option<String> = connection
        .prepare_cached(CANCEL)?
        .query_row(key, |row| row.get(0))
        .optional()?;
    if let Some(state) = state {
        return Ok(if state == "active" {
            Cancel::Asked
        } else {
            Cancel::Cancelled
        });
    }
    let finished: Option<String> = connection
        .prepare_cached("SELECT state FROM jobs WHERE queue = :queue AND id = :id")?
        .query_row(key, |row| row.get(0))
        .optional()?;
    Ok(match finished.as_deref() {
        Some("completed") => Cancel::TooLate(State::Completed),
        Some("failed") => Cancel::TooLate(State::Failed),
        Some(_) => Cancel::TooLate(State::Cancelled),
        None => Cancel::Unknown,
    })
}

#[async_trait]
impl Admin for SqliteQueue {
    async fn counts(&self) -> Result<Counts> {
        let queue = self.0.options.queue.clone();
        self.0
            .database
            .call(move |connection| counts(connection, &queue))
            .await
    }

    async fn list(&self, state: State, page: Page) -> Result<Vec<Record>> {
        let queue = self.0.options.queue.clone();
        // Spelled out, or the indices would not be used.
        let which = match state {
            State::Completed | State::Failed | State::Cancelled => {
                format!(
                    "state = '{}' ORDER BY finished_at DESC, seq DESC",
                    state.as_str()
                )
            }
            State::Active => "state = 'active' ORDER BY due, seq".to_owned(),
            State::Delayed => {
                concat!("state = 'queued' AND due > ", now!(), " ORDER BY due, seq").to_owned()
            }
            State::Waiting | State::Paused => {
                let not = if state == State::Waiting { "NOT" } else { "" };
                format!(
                    "state = 'queued' AND due <= {}
                     AND {not} EXISTS (SELECT 1 FROM paused_queues WHERE name = :queue)
                     ORDER BY due, seq",
                    now!()
                )
            }
        };
        let sql = format!(
            "SELECT {} FROM jobs WHERE queue = :queue AND {which} LIMIT :limit OFFSET :offset",
            record_columns!()
        );
        self.0
            .database
            .call(move |connection| {
                let page =
                    named_params! {":queue": queue, ":limit": page.limit, ":offset": page.offset};
                let mut statement = connection.prepare_cached(&sql)?;
                let records = statement.query_map(page, record)?;
                records.collect()
            })
            .await
    }

    async fn retry(&self, id: &JobId) -> Result<bool> {
        const RETRY: &str = concat!(
            "UPDATE jobs SET state = 'queued', due = ",
            now!(),
            ", attempts = 0,
                cancel_asked = 0, progress = NULL, finished_at = NULL
             WHERE queue = :queue AND id = :id AND state IN ('failed', 'cancelled')"
        );
        let (queue, id) = (self.0.options.queue.clone(), id.clone());
        let retried = self
            .0
            .database
            .call_durable(move |connection| {
                connection
                    .prepare_cached(RETRY)?
                    .execute(named_params! {":queue": queue, ":id": id.as_str()})
            })
            .await?;
        self.0.database.changed();
        Ok(retried > 0)
    }

    async fn set_paused(&self, paused: bool) -> Result<()> {
        let queue = self.0.options.queue.clone();
        let sql = if paused {
            "INSERT OR IGNORE INTO paused_queues (name) VALUES (:queue)"
        } else {
            "DELETE FROM paused_queues WHERE name = :queue"
        };
        self.0
            .database
            .call_durable(move |connection| {
                connection.execute(sql, named_params! {":queue": queue})
            })
            .await?;
        self.0.database.changed();
        Ok(())
    }
}

fn counts(connection: &Connection, queue: &str) -> rusqlite::Result<Counts> {
    // Both halves are answered by an index alone.
    const COUNTS: &str = concat!(
        "SELECT state, due > ",
        now!(),
        " AS later, count(*) FROM jobs
         WHERE queue = :queue AND state IN ('queued', 'active') GROUP BY 1, 2
         UNION ALL
         SELECT state, 0, count(*) FROM jobs
         WHERE queue = :queue AND state IN ('completed', 'failed') GROUP BY 1"
    );
    let queue = named_params! {":queue": queue};
    let paused: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM paused_queues WHERE name = :queue)")?
        .query_row(queue, |row| row.get(0))?;
    let mut counts = Counts::default();
    let mut statement = connection.prepare_cached(COUNTS)?;
    let mut rows = statement.query(queue)?;
    while let Some(row) = rows.next()? {
        let state: String = row.get(0)?;
        let number = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
        *match (state.as_str(), row.get(1)?) {
            ("queued", true) => &mut counts.delayed,
            ("queued", false) if paused => &mut counts.paused,
            ("queued", false) => &mut counts.waiting,
            ("active", _) => &mut counts.active,
            ("completed", _) => &mut counts.completed,
            _ => &mut counts.failed,
        } += number;
    }
    Ok(counts)
}
