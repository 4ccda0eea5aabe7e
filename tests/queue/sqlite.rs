//! SQLite: the contract, and what only a file promises.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use flatbed::queue::sqlite::{Options, SqliteQueue};
use flatbed::queue::{Admin, Error, Ledger, NewJob, Source};
use tempfile::TempDir;

use super::contract;
use super::fixture::{Fixture, Settings};

/// A file in a folder that goes with it.
pub struct Sqlite {
    folder: TempDir,
    settings: Settings,
}

impl Sqlite {
    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("jobs.sqlite")
    }

    async fn queue(&self) -> SqliteQueue {
        open(&self.file(), self.settings).await
    }
}

async fn open(file: &Path, settings: Settings) -> SqliteQueue {
    let options = Options {
        lease: settings.lease,
        retry: settings.retry,
        ..Options::new("video-processing")
    };
    SqliteQueue::open(file, options).await.unwrap()
}

#[async_trait]
impl Fixture for Sqlite {
    async fn fresh(settings: Settings) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings,
        }
    }

    async fn attach(name: &str, settings: Settings) -> Arc<dyn Source> {
        Arc::new(open(Path::new(name), settings).await)
    }

    fn name(&self) -> String {
        self.file().to_str().unwrap().to_owned()
    }

    async fn source(&self) -> Arc<dyn Source> {
        Arc::new(self.queue().await)
    }

    async fn admin(&self) -> Option<Arc<dyn Admin>> {
        Some(Arc::new(self.queue().await))
    }

    async fn add(&self, job: NewJob) {
        self.queue().await.add(job).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_is_kept() {
    contract::run::<Sqlite>().await;
}

/// One file, two queues.
#[tokio::test]
async fn queues_of_one_file_do_not_mix() {
    let fixture = Sqlite::fresh(Settings::default()).await;
    let one = SqliteQueue::open(&fixture.file(), Options::new("one"))
        .await
        .unwrap();
    let other = SqliteQueue::open(&fixture.file(), Options::new("other"))
        .await
        .unwrap();
    let job = NewJob::new("export", "1");
    one.add(job.clone()).await.unwrap();
    other
        .add(NewJob {
            payload: b"2".to_vec(),
            ..job
        })
        .await
        .unwrap();
    assert_eq!(other.receive().await.unwrap().job().payload, b"2");
    assert_eq!(one.receive().await.unwrap().job().payload, b"1");
}

/// Opened at once by several processes, the file is migrated by one of them.
#[tokio::test(flavor = "multi_thread")]
async fn many_open_a_new_file_at_once() {
    let fixture = Sqlite::fresh(Settings::default()).await;
    let file = fixture.file();
    let openings: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let file = file.clone();
                async move {
                    open(&file, Settings::default())
                        .await
                        .counts()
                        .await
                        .unwrap()
                }
            })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jobs.sqlite");
    std::fs::write(
        &file,
        "not a database, but long enough to be read as one".repeat(100),
    )
    .unwrap();
    for path in [&file, &folder.path().join("missing/jobs.sqlite")] {
        let error = SqliteQueue::open(path, Options::new("any"))
            .await
            .err()
            .unwrap();
        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        let line = error.to_string();
        assert!(
            line.contains(path.to_str().unwrap()) && !line.contains('\n'),
            "{line}"
        );
    }
}
