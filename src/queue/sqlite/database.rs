//! One connection on a thread of its own, which async code sends its statements
//! to.
//!
//! A process has one connection to a file: its statements never wait for each
//! other's locks, only for other processes'. The same thread looks whether
//! another process has written, while somebody waits for that.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{oneshot, watch};

use super::schema::Newer;
use crate::queue::{Error, Result};

/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);

/// How often it tries again meanwhile. SQLite's own time-out lets those who wait
/// long try less and less often, up to 100 ms: where others come and go all the
/// time, one of them may wait for longer than its lease.
const TRY: Duration = Duration::from_millis(2);

/// How often the thread looks for other processes' writes while somebody waits:
/// half of what an idle claim may take at most.
const LOOK: Duration = Duration::from_millis(10);

/// What makes or updates the tables.
pub(in crate::queue) type Prepare = fn(&mut Connection) -> rusqlite::Result<Result<(), Newer>>;

type Command = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle to the thread; clones share it. The last one that goes ends it.
#[derive(Clone)]
pub(in crate::queue) struct Database {
    commands: mpsc::Sender<Command>,
    changes: watch::Sender<u64>,
    watchers: Arc<AtomicUsize>,
    path: Arc<Path>,
}

impl Database {
    /// Opens or creates the file, and has `prepare` bring its tables up to date.
    pub(in crate::queue) async fn open(path: &Path, prepare: Prepare) -> Result<Self> {
        let (commands, inbox) = mpsc::channel::<Command>();
        let (opened, is_open) = oneshot::channel();
        let database = Self {
            commands,
            changes: watch::Sender::new(0),
            watchers: Arc::default(),
            path: path.into(),
        };
        let worker = Worker {
            inbox,
            changes: database.changes.clone(),
            watchers: Arc::clone(&database.watchers),
        };
        let name = path.to_owned();
        thread::Builder::new()
            .name("sqlite".to_owned())
            .spawn(move || match connect(&name, prepare) {
                Ok(connection) => {
                    let _ = opened.send(Ok(()));
                    worker.run(connection);
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|error| database.refused("no thread for it", error))?;
        match is_open.await {
            Ok(Ok(())) => Ok(database),
            Ok(Err(Opening::Newer(newer))) => Err(database.refused(&newer.to_string(), newer)),
            Ok(Err(Opening::Sqlite(error))) => Err(database.error(error)),
            Err(gone) => Err(database.away("its thread ended", gone)),
        }
    }

    /// Runs `statements` on the thread.
    ///
    /// They run to their end even if the future is dropped; what they return is
    /// then dropped on the thread.
    pub(in crate::queue) async fn call<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.send(move |connection| {
            let _ = reply.send(statements(connection));
        });
        match answer.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.error(error)),
            Err(gone) => Err(self.away("its thread ended", gone)),
        }
    }

    /// The same for what a producer was promised: on the disk when it returns, so
    /// that it outlives a loss of power.
    ///
    /// Other writes are in the file too, and outlive a crash of the process; a
    /// loss of power may undo the last of them, which costs a second run of a
    /// job. They need no fsync of their own: the next durable one, or checkpoint,
    /// covers them.
    pub(in crate::queue) async fn call_durable<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.call(move |connection| {
            connection.pragma_update(None, "synchronous", "FULL")?;
            let result = statements(connection);
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            result
        })
        .await
    }

    /// Runs `statements` some time, without an answer.
    pub(in crate::queue) fn send(&self, statements: impl FnOnce(&mut Connection) + Send + 'static) {
        // The thread ends only after all handles have gone, this one too.
        let _ = self.commands.send(Box::new(statements));
    }

    /// Tells all who wait in this process that there may be something to claim.
    pub(in crate::queue) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Hears of writes: other processes' within `LOOK`, this one's by `changed`.
    pub(in crate::queue) fn watch(&self) -> Watch {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Watch {
            changes: self.changes.subscribe(),
            watchers: Arc::clone(&self.watchers),
        }
    }

    fn error(&self, error: rusqlite::Error) -> Error {
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::NotADatabase
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch,
            ) => self.refused(&reason, error),
            _ => self.away(&reason, error),
        }
    }

    fn away(&self, reason: &str, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        Error::Away {
            queue: self.label(),
            reason: reason.to_owned(),
            source: Some(Box::new(source)),
        }
    }

    fn refused(
        &self,
        reason: &str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        Error::Refused {
            queue: self.label(),
            reason: reason.to_owned(),
            source: Some(Box::new(source)),
        }
    }

    fn label(&self) -> String {
        format!("the queue in {}", self.path.display())
    }
}

/// While it lives, the thread looks for other processes' writes.
pub(in crate::queue) struct Watch {
    changes: watch::Receiver<u64>,
    watchers: Arc<AtomicUsize>,
}

impl Watch {
    /// What was written until now is known.
    pub(in crate::queue) fn seen(&mut self) {
        self.changes.mark_unchanged();
    }

    /// Waits for a write after the last `seen`.
    pub(in crate::queue) async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Worker {
    inbox: mpsc::Receiver<Command>,
    changes: watch::Sender<u64>,
    watchers: Arc<AtomicUsize>,
}

impl Worker {
    fn run(self, mut connection: Connection) {
        let mut version = data_version(&connection);
        let mut looked = Instant::now();
        loop {
            // Whoever starts to watch sends a command afterwards: no need to
            // look up from `recv` for that.
            let command = if self.watchers.load(Ordering::Relaxed) == 0 {
                self.inbox.recv().map_err(RecvTimeoutError::from)
            } else {
                self.inbox.recv_timeout(LOOK)
            };
            match command {
                Ok(command) => command(&mut connection),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if looked.elapsed() >= LOOK {
                looked = Instant::now();
                let now = data_version(&connection);
                if now != version {
                    version = now;
                    self.changes.send_modify(|count| *count += 1);
                }
            }
        }
    }
}

/// A number that changes when another connection has written; reading it costs
/// some microseconds and no disk.
fn data_version(connection: &Connection) -> Option<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").ok()?;
    statement.query_row([], |row| row.get(0)).ok()
}

enum Opening {
    Newer(Newer),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Opening {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Waits for another process's write, for the `tries + 1`st time; `false` to give up.
fn wait_for_others(tries: i32) -> bool {
    thread_local! {
        static SINCE: Cell<Instant> = Cell::new(Instant::now());
    }
    if tries == 0 {
        SINCE.set(Instant::now());
    }
    if SINCE.get().elapsed() >= BUSY {
        return false;
    }
    thread::sleep(TRY);
    true
}

fn connect(path: &PathBuf, prepare: Prepare) -> Result<Connection, Opening> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait_for_others))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(64);
    prepare(&mut connection)?.map_err(Opening::Newer)?;
    Ok(connection)
}
