//! The producer's and the operator's side.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::connection::{Parameters, cancels, jobs};
use super::failure::Trouble;
use super::rows::{record, record_columns, seconds, text};
use super::{PostgresQueue, Shared};
use crate::job::JobId;
use crate::queue::{Added, Admin, Cancel, Counts, Ledger, NewJob, Page, Record, Result, State};

const ADD: &str = concat!(
    "WITH added AS (
        INSERT INTO flatbed_jobs (queue, id, name, payload, due, max_attempts)
        VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), $6)
        ON CONFLICT (queue, id) DO NOTHING RETURNING queue)
     SELECT pg_notify('",
    jobs!(),
    "', queue) FROM added"
);

const FIND: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM flatbed_jobs WHERE queue = $1 AND id = $2"
);

/// One statement: a claim cannot come in between.
const CANCEL: &str = concat!(
    "WITH cancelled AS (
        UPDATE flatbed_jobs SET
            state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
            finished_at = CASE state WHEN 'queued' THEN now() END,
            cancel_asked = (state = 'active')
        WHERE queue = $1 AND id = $2 AND state IN ('queued', 'active')
        RETURNING state, queue)
     SELECT state, CASE state WHEN 'active' THEN pg_notify('",
    cancels!(),
    "', queue) END FROM cancelled"
);

const STATE: &str = "SELECT state FROM flatbed_jobs WHERE queue = $1 AND id = $2";

const RETRY: &str = concat!(
    "WITH retried AS (
        UPDATE flatbed_jobs SET state = 'queued', due = now(), attempts = 0, token = NULL,
            cancel_asked = false, progress = NULL, finished_at = NULL
        WHERE queue = $1 AND id = $2 AND state IN ('failed', 'cancelled')
        RETURNING queue)
     SELECT pg_notify('",
    jobs!(),
    "', queue) FROM retried"
);

const PAUSE: &str =
    "INSERT INTO flatbed_paused_queues (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";

const RESUME: &str = concat!(
    "WITH resumed AS (DELETE FROM flatbed_paused_queues WHERE name = $1 RETURNING name)
     SELECT pg_notify('",
    jobs!(),
    "', name) FROM resumed"
);

const COUNTS: &str = "
    SELECT count(*) FILTER (WHERE state = 'queued' AND due <= now()) AS ready,
           count(*) FILTER (WHERE state = 'active') AS active,
           count(*) FILTER (WHERE state = 'completed') AS completed,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state = 'queued' AND due > now()) AS delayed,
           EXISTS (SELECT FROM flatbed_paused_queues WHERE name = $1) AS paused
    FROM flatbed_jobs WHERE queue = $1";

#[async_trait]
impl Ledger for PostgresQueue {
    async fn add(&self, job: NewJob) -> Result<Added> {
        let options = &self.0.options;
        let attempts = job.max_attempts.unwrap_or(options.retry.attempts);
        let attempts = i32::try_from(attempts.max(1)).unwrap_or(i32::MAX);
        let added = self
            .0
            .records
            .execute(
                ADD,
                &[
                    &options.queue,
                    &job.id.as_str(),
                    &text(&job.name),
                    &job.payload,
                    &seconds(job.delay),
                    &attempts,
                ],
            )
            .await?;
        Ok(if added == 0 { Added::Known } else { Added::New })
    }

    async fn find(&self, id: &JobId) -> Result<Option<Record>> {
        let key: Parameters<'_> = &[&self.0.options.queue, &id.as_str()];
        Ok(self.0.listed(FIND, key).await?.pop())
    }

    async fn cancel(&self, id: &JobId) -> Result<Cancel> {
        let key: Parameters<'_> = &[&self.0.options.queue, &id.as_str()];
        if let Some(state) = self.0.state(CANCEL, key).await? {
            return Ok(if state == "active" {
                Cancel::Asked
            } else {
                Cancel::Cancelled
            });
        }
        Ok(match self.0.state(STATE, key).await?.as_deref() {
            Some("completed") => Cancel::TooLate(State::Completed),
            Some("failed") => Cancel::TooLate(State::Failed),
            Some(_) => Cancel::TooLate(State::Cancelled),
            None => Cancel::Unknown,
        })
    }
}

#[async_trait]
impl Admin for PostgresQueue {
    async fn counts(&self) -> Result<Counts> {
        let queue = &self.0.options.queue;
        let row = self.0.records.query_row(COUNTS, &[queue]).await?;
        let counted = row.as_ref().map(counts).transpose();
        let counted = counted.map_err(|error| self.0.unreadable(error))?;
        Ok(counted.unwrap_or_default())
    }

    async fn list(&self, state: State, page: Page) -> Result<Vec<Record>> {
        let which = match state {
            State::Completed => "state = 'completed' ORDER BY finished_at DESC, seq DESC",
            State::Failed => "state = 'failed' ORDER BY finished_at DESC, seq DESC",
            State::Cancelled => "state = 'cancelled' ORDER BY finished_at DESC, seq DESC",
            State::Active => "state = 'active' ORDER BY due, seq",
            State::Delayed => "state = 'queued' AND due > now() ORDER BY due, seq",
            State::Waiting => {
                "state = 'queued' AND due <= now()
                 AND NOT EXISTS (SELECT FROM flatbed_paused_queues WHERE name = $1)
                 ORDER BY priority, due, seq"
            }
            State::Paused => {
                "state = 'queued' AND due <= now()
                 AND EXISTS (SELECT FROM flatbed_paused_queues WHERE name = $1)
                 ORDER BY priority, due, seq"
            }
        };
        let sql = format!(
            "SELECT {} FROM flatbed_jobs WHERE queue = $1 AND {which} LIMIT $2 OFFSET $3",
            record_columns!()
        );
        let (limit, offset) = (i64::from(page.limit), i64::from(page.offset));
        let page: Parameters<'_> = &[&self.0.options.queue, &limit, &offset];
        self.0.listed(&sql, page).await
    }

    async fn retry(&self, id: &JobId) -> Result<bool> {
        let key: Parameters<'_> = &[&self.0.options.queue, &id.as_str()];
        Ok(self.0.records.execute(RETRY, key).await? > 0)
    }

    async fn set_paused(&self, paused: bool) -> Result<()> {
        let sql = if paused { PAUSE } else { RESUME };
        self.0
            .records
            .execute(sql, &[&self.0.options.queue])
            .await?;
        Ok(())
    }
}

impl Shared {
    async fn listed(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Record>> {
        let rows = self.records.query(sql, parameters).await?;
        let records: Result<_, _> = rows.iter().map(record).collect();
        records.map_err(|error| self.unreadable(error))
    }

    /// The first column of the only row.
    async fn state(&self, sql: &str, key: Parameters<'_>) -> Result<Option<String>> {
        let row = self.records.query_row(sql, key).await?;
        let state = row.map(|row| row.try_get(0)).transpose();
        state.map_err(|error| self.unreadable(error))
    }

    fn unreadable(&self, error: tokio_postgres::Error) -> crate::queue::Error {
        Trouble::from(error).error(&self.address)
    }
}

fn counts(row: &Row) -> Result<Counts, tokio_postgres::Error> {
    let number = |name| row.try_get::<_, i64>(name).map(i64::unsigned_abs);
    let (ready, is_paused) = (number("ready")?, row.try_get("paused")?);
    Ok(Counts {
        waiting: if is_paused { 0 } else { ready },
        active: number("active")?,
        completed: number("completed")?,
        failed: number("failed")?,
        delayed: number("delayed")?,
        paused: if is_paused { ready } else { 0 },
    })
}
