//! The Postgres of `scripts/services`, or one of a test's own that it may kill.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use uuid::Uuid;

use crate::support::wait_until;

/// A running Postgres, and one of its databases.
pub struct Server {
    pub url: String,
    own: Option<TempDir>,
    /// Of a shared one, by that one's address: to go with this value.
    database: Option<(String, String)>,
}

impl Server {
    /// The one that all tests share.
    pub fn shared() -> Self {
        Self::named("postgres")
    }

    /// One of those that all tests share.
    fn named(name: &str) -> Self {
        let file = root().join("target/services").join(name).join("url");
        let Ok(url) = fs::read_to_string(&file) else {
            panic!("these tests need a Postgres: run `scripts/services start {name}` first")
        };
        Self {
            url: url.trim().to_owned(),
            own: None,
            database: None,
        }
    }

    /// One that nobody else uses.
    pub fn own() -> Self {
        let folder = tempfile::tempdir().unwrap();
        services(folder.path(), "start");
        Self {
            url: address(folder.path()),
            own: Some(folder),
            database: None,
        }
    }

    /// A database of the shared one that is empty.
    pub async fn empty_database() -> Self {
        Self::empty_database_of("postgres").await
    }

    /// A database of the one that knows pgvector.
    pub async fn empty_database_with_pgvector() -> Self {
        Self::empty_database_of("pgvector").await
    }

    async fn empty_database_of(name: &str) -> Self {
        let mut server = Self::named(name);
        let name = format!("test_{}", Uuid::now_v7().simple());
        server.sql(&format!("CREATE DATABASE {name}")).await;
        let (place, _) = server.url.rsplit_once('/').unwrap();
        let url = format!("{place}/{name}");
        let shared = std::mem::replace(&mut server.url, url);
        server.database = Some((shared, name));
        server
    }

    /// Ends it without a word to anyone.
    pub fn kill(&self) {
        let all = self.processes();
        send(&all[..1], Signal::KILL);
        wait_until("Postgres to be gone", || {
            let lives = |pid: &i32| Path::new(&format!("/proc/{pid}")).exists();
            !all.iter().any(lives)
        });
    }

    /// Stops it from answering; the system goes on taking what it is sent.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        send(&self.processes(), signal);
    }

    /// The server and its backends.
    fn processes(&self) -> Vec<i32> {
        let file = self.folder().join("postgres/1-postgres.pid");
        let identity = fs::read_to_string(file).unwrap();
        let pid = identity.split(' ').next().unwrap();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let all = [pid].into_iter().chain(children.split_whitespace());
        all.map(|pid| pid.parse().unwrap()).collect()
    }

    /// Starts it again, with what it had written.
    pub fn restart(&self) {
        services(self.folder(), "start");
        assert_eq!(address(self.folder()), self.url);
    }

    /// Runs statements; the rows of the last one that has any, as text.
    pub async fn sql(&self, statements: &str) -> Vec<Vec<String>> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let answer = client.simple_query(statements).await.unwrap();
        driver.abort();
        let rows = answer.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            let columns = (0..row.len()).map(|column| row.get(column).unwrap_or("NULL").to_owned());
            columns.collect()
        })
        .collect()
    }

    /// The same from where nothing can be awaited.
    pub fn sql_now(&self, statements: &str) -> Vec<Vec<String>> {
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let bound = Duration::from_secs(20);
                runtime
                    .block_on(async { tokio::time::timeout(bound, self.sql(statements)).await })
                    .unwrap()
            });
            asking.join().unwrap()
        })
    }

    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub fn folder(&self) -> &Path {
        self.own.as_ref().expect("a server of one's own").path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((url, database)) = &self.database {
            let shared = Self {
                url: url.clone(),
                own: None,
                database: None,
            };
            shared.sql_now(&format!("DROP DATABASE {database} WITH (FORCE)"));
        }
        if let Some(own) = &self.own {
            services(own.path(), "stop");
            if let Ok(elsewhere) = fs::read_to_string(own.path().join("postgres/data.elsewhere")) {
                let data = Path::new(elsewhere.trim());
                let _ = fs::remove_dir_all(data.parent().unwrap());
            }
        }
    }
}

fn send(processes: &[i32], signal: Signal) {
    for pid in processes {
        // A backend may end meanwhile.
        let _ = kill_process(Pid::from_raw(*pid).unwrap(), signal);
    }
}

fn address(folder: &Path) -> String {
    let url = fs::read_to_string(folder.join("postgres/url")).unwrap();
    url.trim().to_owned()
}

fn services(folder: &Path, order: &str) {
    let done = Command::new(root().join("scripts/services"))
        .arg("--at")
        .arg(folder)
        .args([order, "postgres"])
        .status()
        .unwrap();
    assert!(done.success(), "scripts/services {order} postgres");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
