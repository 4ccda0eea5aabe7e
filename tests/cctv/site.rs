//! A site as it runs: recorders, a Postgres, a bucket, and `flatbed serve` beside
//! them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use super::bench::{KEY, encrypted, files};
use super::camera::Reel;
use crate::exports::Server;
use crate::queue::postgres::server::Server as Postgres;
use crate::support::nvr::{Nvr, Profile};
use crate::support::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};
use crate::support::{Folder, Run, observe, wait_until};

/// The site; recorders and bucket run here, the worker is a process.
pub struct Site {
    pub folder: Folder,
    pub database: Postgres,
    pub s3: S3Server,
    pub runtime: Runtime,
}

/// A row of `packing_items` and what belongs to it.
#[derive(Debug, Clone)]
pub struct Item {
    pub id: i64,
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Site {
    /// With empty tables.
    pub fn new() -> Self {
        let folder = Folder::empty();
        fs::create_dir_all(folder.path("s3/clips")).expect("a bucket");
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let s3 = runtime.block_on(S3Server::start(&folder.path("s3"), 0));
        let site = Self {
            database: runtime.block_on(Postgres::empty_database()),
            s3: s3.expect("an S3 server"),
            folder,
            runtime,
        };
        let migrated = site.run("migrate");
        migrated.succeeded();
        assert!(
            migrated.text().contains("packing_items"),
            "{}",
            migrated.text()
        );
        site
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let own = |text: &str| text.to_owned();
        vec![
            ("DATABASE_URL", self.database.url.clone()),
            ("CAMERA_ENCRYPTION_KEY", own(KEY)),
            ("GCS_BUCKET", own("clips")),
            ("GCS_ENDPOINT", self.s3.url()),
            ("GCS_ACCESS_KEY", own(ACCESS_KEY)),
            ("GCS_SECRET_KEY", own(SECRET_KEY)),
            (
                "TEMP_VIDEO_DIR",
                self.folder.path("temp").display().to_string(),
            ),
            ("FLATBED_WORKLOADS", own("cctv")),
            ("BATCH_SIZE", own("1000")),
            ("CCTV_LEASE_SECONDS", own("3")),
            ("EXACT_CUT", own("true")),
        ]
    }

    /// The program, run with the settings of a worker.
    pub fn run(&self, command: &str) -> Run {
        let mut program = self.folder.command(command);
        program.env_clear().envs(self.variables());
        program.env("WORKER_PORT", "0");
        Run::of(command, &mut program)
    }

    /// A worker, with these settings too.
    pub fn worker(&self, more: &[(&str, &str)]) -> Server {
        let own = self.variables();
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let all: Vec<_> = own.chain(more.iter().copied()).collect();
        Server::start(&self.folder, &all)
    }

    /// A recorder, and its row.
    pub fn camera(&self, id: i64, profile: Profile, reel: &Reel) -> Nvr {
        let password = profile.password;
        self.camera_with(id, profile, reel, password)
    }

    /// The same where the row has this password.
    pub fn camera_with(&self, id: i64, profile: Profile, reel: &Reel, password: &str) -> Nvr {
        let mode = if profile.local { "local" } else { "utc" };
        let user = profile.user;
        let nvr = Nvr::start(profile, reel.files.clone());
        let nvr = self.runtime.block_on(nvr);
        self.database.sql_now(&format!(
            "INSERT INTO cameras (id, name, host, port, username, password_encrypted, time_mode)
             VALUES ({id}, 'Meja {id}', '127.0.0.1', {}, '{user}', '{}', '{mode}')",
            nvr.address().port(),
            encrypted(password),
        ));
        nvr
    }

    /// An item that is ready: so many milliseconds of a reel.
    pub fn item(&self, camera: i64, reel: &Reel, millis: std::ops::Range<i64>) -> Item {
        let (start, end) = (reel.at(millis.start), reel.at(millis.end));
        let rows = self.database.sql_now(&format!(
            "INSERT INTO packing_items (camera_id, start_time, end_time, status)
             VALUES ({camera}, '{start}', '{end}', 'READY_FOR_BATCH') RETURNING id"
        ));
        let id = rows[0][0].parse().expect("a number");
        Item { id, start, end }
    }

    /// How many items have each status.
    pub fn statuses(&self) -> BTreeMap<String, u64> {
        let rows = self
            .database
            .sql_now("SELECT status, count(*) FROM packing_items GROUP BY status");
        let count = |row: &Vec<String>| (row[0].clone(), row[1].parse().expect("a number"));
        rows.iter().map(count).collect()
    }

    /// Waits until all items have ended.
    pub fn wait_for_all(&self, workers: &[&Server]) {
        wait_until("all items", || {
            let statuses = self.statuses();
            let open = ["READY_FOR_BATCH", "PROCESSING"].map(|name| statuses.contains_key(name));
            let done = open == [false, false];
            if !done {
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            done
        });
        for worker in workers {
            assert!(!worker.log().contains("panicked"), "{}", worker.log());
        }
    }

    /// Columns of an item's clip, as text.
    pub fn clip(&self, item: &Item, columns: &str) -> Vec<String> {
        let rows = self.database.sql_now(&format!(
            "SELECT {columns} FROM mini_clips WHERE packing_item_id = {}",
            item.id
        ));
        assert_eq!(rows.len(), 1, "{item:?}: {}", self.status(item).join(" "));
        rows[0].clone()
    }

    /// Status and error of an item.
    pub fn status(&self, item: &Item) -> Vec<String> {
        let rows = self.database.sql_now(&format!(
            "SELECT status, coalesce(error, '') FROM packing_items WHERE id = {}",
            item.id
        ));
        rows[0].clone()
    }

    /// Where an item's object lies.
    pub fn object(&self, item: &Item) -> PathBuf {
        let key = self.clip(item, "object_key").remove(0);
        self.folder.path("s3/clips").join(key)
    }

    /// The numbers of the frames that its clip shows.
    pub fn shown(&self, item: &Item) -> Vec<u32> {
        observe::numbers(&observe::shown(&self.object(item)))
    }

    /// All temporary files.
    pub fn temporary_files(&self) -> Vec<PathBuf> {
        files(&self.folder.path("temp"))
    }
}
