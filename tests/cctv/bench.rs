//! The workload alone: what a queue would hand it, and what came of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flatbed::client::hikvision::{self, Hikvision};
use flatbed::clip::{Camera, Order};
use flatbed::config::Variables;
use flatbed::job::{Job, JobId, Outcome};
use flatbed::runner::{JobContext, Workload};
use flatbed::store::{self, Store};
use flatbed::telemetry::Metrics;
use flatbed::workload::cctv::passwords::Keys;
use flatbed::workload::cctv::{Clip, Clips, Config};
use jiff::Timestamp;
use tempfile::TempDir;

use super::camera::Reel;
use crate::support::nvr::Nvr;
use crate::support::observe;
use crate::support::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};

/// Decrypts the passwords of all cameras here.
pub const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

/// A password as rows have it.
pub fn encrypted(password: &str) -> String {
    let fernet = fernet::Fernet::new(KEY).expect("a key");
    fernet.encrypt(password.as_bytes())
}

/// The camera of a recorder; its time mode is the recorder's.
pub fn camera(nvr: &Nvr) -> Camera {
    let profile = nvr.profile();
    Camera {
        id: i64::from(nvr.address().port()),
        name: Some("Meja 1".to_owned()),
        host: "127.0.0.1".to_owned(),
        port: Some(nvr.address().port()),
        scheme: None,
        username: profile.user.to_owned(),
        password_encrypted: encrypted(profile.password),
        track_id: None,
        time_mode: Some(if profile.local { "local" } else { "utc" }.to_owned()),
    }
}

/// An order of what was taken so many milliseconds after a reel's first frame.
pub fn order(item: i64, nvr: &Nvr, reel: &Reel, millis: std::ops::Range<i64>) -> Order {
    Order {
        packing_item_id: item,
        start_time: Some(reel.at(millis.start)),
        end_time: Some(reel.at(millis.end)),
        camera: Some(camera(nvr)),
    }
}

/// A bucket, and what fills it.
pub struct Bench {
    pub s3: S3Server,
    pub clips: Arc<Clips>,
    pub metrics: Metrics,
    folder: TempDir,
}

impl Bench {
    /// With what `change` makes of the default settings.
    pub async fn new(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("s3/clips")).unwrap();
        let s3 = S3Server::start(&folder.path().join("s3"), 0).await.unwrap();
        let temp = folder.path().join("temp").display().to_string();
        let url = s3.url();
        let mut variables = Variables::of([
            ("GCS_BUCKET", "clips"),
            ("GCS_ENDPOINT", &url),
            ("GCS_ACCESS_KEY", ACCESS_KEY),
            ("GCS_SECRET_KEY", SECRET_KEY),
            ("TEMP_VIDEO_DIR", &temp),
        ]);
        let store = store::Config::gcs(&mut variables).unwrap();
        let mut config = Config::new(Keys::parse(KEY).unwrap());
        config.exact = true;
        change(&mut config);
        let metrics = Metrics::new().unwrap();
        let hikvision = hikvision::Config {
            idle: Duration::from_secs(20),
            busy: Duration::from_millis(500),
            busy_first: Duration::from_millis(10),
            ..hikvision::Config::default()
        };
        let clips = Clips {
            config,
            hikvision: Hikvision::new(hikvision).unwrap(),
            store: Store::open(&store).unwrap(),
            bucket: "clips".to_owned(),
            address: format!("{url}/clips"),
            metrics: metrics.clips(),
        };
        Self {
            s3,
            clips: Arc::new(clips),
            metrics,
            folder,
        }
    }

    /// What comes of an attempt at an order, the first of three.
    pub async fn run(&self, order: &Order) -> Outcome {
        self.attempt(order, 1, &self.context()).await
    }

    pub async fn attempt(&self, order: &Order, attempt: u32, context: &JobContext) -> Outcome {
        let job = Job {
            id: JobId::of_foreign(&order.packing_item_id.to_string()),
            name: "clip".to_owned(),
            payload: serde_json::to_vec(order).unwrap(),
            attempt,
            max_attempts: 3,
            enqueued_at: None,
        };
        let clips = Arc::clone(&self.clips);
        let outcome = clips.run(job, context.clone()).await;
        assert_eq!(self.temporary_files(), Vec::<PathBuf>::new(), "{outcome:?}");
        outcome
    }

    pub fn context(&self) -> JobContext {
        JobContext::new(self.metrics.workload("cctv"))
    }

    /// The clip that must come of an order.
    pub async fn clip(&self, order: &Order) -> Clip {
        match self.run(order).await {
            Outcome::Done(value) => serde_json::from_value(value).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Its file.
    pub fn file(&self, clip: &Clip) -> PathBuf {
        self.folder
            .path()
            .join("s3/clips")
            .join(&clip.made.object_key)
    }

    /// The numbers of the frames that it shows.
    pub fn shown(&self, clip: &Clip) -> Vec<u32> {
        observe::numbers(&observe::shown(&self.file(clip)))
    }

    /// All objects' keys.
    pub fn objects(&self) -> Vec<PathBuf> {
        let root = self.folder.path().join("s3/clips");
        let all = files(&root);
        all.into_iter()
            .map(|file| file.strip_prefix(&root).unwrap().to_owned())
            .collect()
    }

    /// Whatever lies in the folder for temporary files.
    pub fn temporary_files(&self) -> Vec<PathBuf> {
        files(&self.folder.path().join("temp"))
    }

    /// A metric's value, 0 where it was never counted.
    pub fn counted(&self, series: &str) -> u64 {
        let text = self.metrics.render().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.map_or(0, |value| value.trim().parse().unwrap())
    }
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// How long after an outcome the item is tried again, and why.
pub fn retried(outcome: &Outcome) -> (u64, String) {
    match outcome {
        Outcome::Retry {
            after: Some(after),
            reason,
        } => (after.as_secs(), reason.clone()),
        other => panic!("{other:?}"),
    }
}

/// Why an item is given up.
pub fn rejected(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reject { reason } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

/// As seconds since the epoch, for what must agree to a millisecond.
pub fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}
