//! The tables, in numbered steps: a file is brought to the newest at opening.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// One step each; a file's `user_version` says how many it has had. Never edit
/// one that was released: add another.
const MIGRATIONS: &[&str] = &[
    "
-- due: when the job can be claimed, in ms since 1970. For a queued job that is
-- its time; for an active one the end of its lease. So one index finds both what
-- waits and what was lost.
-- token: raised by each claim; every write of a consumer names the one it got.
CREATE TABLE jobs (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    queue         TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    payload       BLOB    NOT NULL,
    state         TEXT    NOT NULL DEFAULT 'queued'
                  CHECK (state IN ('queued', 'active', 'completed', 'failed', 'cancelled')),
    due           INTEGER NOT NULL,
    token         INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    max_attempts  INTEGER NOT NULL,
    cancel_asked  INTEGER NOT NULL DEFAULT 0,
    progress      TEXT,
    result        TEXT,
    failed_reason TEXT,
    enqueued_at   INTEGER NOT NULL,
    started_at    INTEGER,
    finished_at   INTEGER,
    UNIQUE (queue, id)
) STRICT;
CREATE INDEX jobs_due ON jobs (queue, due, seq, state) WHERE state IN ('queued', 'active');
CREATE INDEX jobs_finished ON jobs (queue, state, finished_at)
    WHERE state IN ('completed', 'failed', 'cancelled');
CREATE TABLE paused_queues (name TEXT PRIMARY KEY) STRICT;
",
    "
-- losses: attempts that ended with the loss of their worker.
ALTER TABLE jobs ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
",
];

/// The file was written by a newer Flatbed.
#[derive(Debug, thiserror::Error)]
#[error("its schema is number {found}, this program knows {known}: update Flatbed")]
pub(in crate::queue) struct Newer {
    pub(in crate::queue) found: usize,
    pub(in crate::queue) known: usize,
}

/// Brings the file to the newest schema.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), Newer>> {
    if version(connection)? == MIGRATIONS.len() {
        return Ok(Ok(()));
    }
    // Another process may be at it too: looked at again under the write lock.
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let Some(steps) = MIGRATIONS.get(found..) else {
        let known = MIGRATIONS.len();
        return Ok(Err(Newer { found, known }));
    };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len().to_string())?;
    transaction.commit()?;
    Ok(Ok(()))
}

fn version(connection: &Connection) -> rusqlite::Result<usize> {
    connection.query_row("PRAGMA user_version", [], |row| {
        row.get::<_, u32>(0).map(|version| version as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert!(migrate(&mut connection).unwrap().is_ok());
        assert!(migrate(&mut connection).unwrap().is_ok());
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = migrate(&mut connection).unwrap().unwrap_err();
        assert!(refused.to_string().contains("update Flatbed"), "{refused}");
        assert_eq!(version(&connection).unwrap(), 99);
    }
}
