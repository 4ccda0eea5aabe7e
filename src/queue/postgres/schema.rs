//! The tables, in numbered steps: whoever connects first brings them to the
//! newest.

use tokio_postgres::Client;

use super::failure::Trouble;

/// Tables, in numbered steps.
pub(crate) struct Steps {
    /// The table that says which a database has had; a plain name.
    pub(crate) table: &'static str,
    /// What hosts that make them take turns by: a number of Flatbed's own.
    pub(crate) lock: i64,
    /// Tables that must be there before.
    pub(crate) needs: Option<&'static Steps>,
    /// Never edit one that was released: add another.
    pub(crate) all: &'static [&'static str],
}

/// The tables of the queue.
pub(crate) const JOBS: &Steps = &Steps {
    table: "flatbed_migrations",
    lock: 7_165_065_861_825_654_388,
    needs: None,
    all: MIGRATIONS,
};

const MIGRATIONS: &[&str] = &["
-- due: when the job can be claimed. For a queued job that is its time; for an
-- active one the end of its lease. So one index finds both what waits and what was
-- lost.
-- token: the claim's, which every write of its consumer names.
-- losses: attempts that ended with the loss of their worker.
-- What has a default can be left out by those who add jobs by SQL.
CREATE TABLE flatbed_jobs (
    seq           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue         text        NOT NULL,
    id            text        NOT NULL,
    name          text        NOT NULL DEFAULT 'export',
    payload       bytea       NOT NULL,
    priority      integer     NOT NULL DEFAULT 0,
    state         text        NOT NULL DEFAULT 'queued'
                  CHECK (state IN ('queued', 'active', 'completed', 'failed', 'cancelled')),
    due           timestamptz NOT NULL DEFAULT now(),
    token         uuid,
    attempts      integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts  integer     NOT NULL DEFAULT 3 CHECK (max_attempts > 0),
    losses        integer     NOT NULL DEFAULT 0 CHECK (losses >= 0),
    cancel_asked  boolean     NOT NULL DEFAULT false,
    progress      json,
    result        json,
    failed_reason text,
    enqueued_at   timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    UNIQUE (queue, id)
) WITH (fillfactor = 70);
CREATE INDEX flatbed_jobs_live ON flatbed_jobs (queue, priority, due, seq)
    WHERE state IN ('queued', 'active');
CREATE INDEX flatbed_jobs_finished ON flatbed_jobs (queue, state, finished_at, seq)
    WHERE state IN ('completed', 'failed', 'cancelled');
CREATE TABLE flatbed_paused_queues (name text PRIMARY KEY);
"];

/// How far a database's tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// The last step that it has had; 0 where there is no table yet.
    pub found: usize,
    /// The last step that this program knows.
    pub known: usize,
}

impl Schema {
    /// Whether there is nothing to do.
    pub fn is_current(self) -> bool {
        self.found == self.known
    }

    fn check(self) -> Result<Self, Newer> {
        if self.found > self.known {
            return Err(Newer(self));
        }
        Ok(self)
    }
}

/// The tables were made by a newer Flatbed.
#[derive(Debug, thiserror::Error)]
#[error("its schema is number {}, this program knows {}: update Flatbed", .0.found, .0.known)]
pub(crate) struct Newer(Schema);

/// Looks how far the tables are.
pub(super) async fn examine(client: &Client, tables: &Steps) -> Result<Schema, Trouble> {
    let table = tables.table;
    let is_there = "SELECT to_regclass($1::text) IS NOT NULL";
    let newest = format!("SELECT coalesce(max(version), 0) FROM {table}");
    let mut found = 0;
    if client.query_one(is_there, &[&table]).await?.try_get(0)? {
        let version: i32 = client.query_one(&newest, &[]).await?.try_get(0)?;
        found = usize::try_from(version).unwrap_or_default();
    }
    let known = tables.all.len();
    Ok(Schema { found, known }.check()?)
}

/// Brings the tables to the newest, all steps or none, and before them those that
/// they need; how far they were.
pub(super) async fn migrate(client: &mut Client, tables: &Steps) -> Result<Schema, Trouble> {
    if let Some(needed) = tables.needs {
        alone(client, needed).await?;
    }
    alone(client, tables).await
}

async fn alone(client: &mut Client, tables: &Steps) -> Result<Schema, Trouble> {
    let Steps { table, lock, .. } = tables;
    // Hosts that start at the same time take turns.
    let alone = format!(
        "SELECT pg_advisory_xact_lock({lock});
         CREATE TABLE IF NOT EXISTS {table} (
             version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    );
    let schema = examine(client, tables).await?;
    if schema.is_current() {
        return Ok(schema);
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(&alone).await?;
    // Another host may have been at it meanwhile.
    let schema = examine(transaction.client(), tables).await?;
    let applied = format!("INSERT INTO {table} (version) VALUES ($1)");
    for (number, step) in (1_i32..).zip(tables.all).skip(schema.found) {
        transaction.batch_execute(step).await?;
        transaction.execute(&applied, &[&number]).await?;
    }
    transaction.commit().await?;
    Ok(schema)
}
