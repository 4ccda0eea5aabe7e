//! An archive of each kind, for one test.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use flatbed::archive::model::{Kind, Passage, Status, StepReport, StepState};
use flatbed::archive::objects::ObjectArchive;
use flatbed::archive::postgres::PostgresArchive;
use flatbed::archive::{
    Analysis, Archive, Embedding, Frame, NewFrame, Piece, Scene, Segment, Step, Transcript, Writer,
};
use flatbed::config::Variables;
use flatbed::store::{Config, Store};
use flatbed_media::Timestamp;
use futures_util::TryStreamExt;
use tempfile::TempDir;
use uuid::Uuid;

use crate::queue::postgres::server::Server;
use crate::support::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};

const BUCKET: &str = "videos";

/// An archive with nothing in it.
pub struct Bench {
    pub archive: Arc<dyn Archive>,
    pub store: Option<Store>,
    pub database: Option<Server>,
    folder: TempDir,
}

impl Bench {
    #[allow(clippy::unused_async, reason = "it is called as the others are")]
    pub async fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Config::folder(folder.path().join("objects"))).unwrap();
        Self::objects(folder, store)
    }

    pub async fn s3() -> Self {
        let (folder, store) = bucket().await;
        Self::objects(folder, store)
    }

    fn objects(folder: TempDir, store: Store) -> Self {
        Self {
            archive: Arc::new(ObjectArchive::new(store.clone())),
            store: Some(store),
            database: None,
            folder,
        }
    }

    /// A Postgres without pgvector.
    pub async fn arrays() -> Self {
        Self::tables(Server::empty_database().await, None, None)
    }

    pub async fn pgvector() -> Self {
        let database = Server::empty_database_with_pgvector().await;
        Self::tables(database, None, None)
    }

    pub async fn hybrid() -> Self {
        let (folder, store) = bucket().await;
        Self::tables(Server::empty_database().await, Some(store), Some(folder))
    }

    fn tables(database: Server, store: Option<Store>, folder: Option<TempDir>) -> Self {
        Self {
            archive: Arc::new(PostgresArchive::new(&database.url, store.clone()).unwrap()),
            store,
            database: Some(database),
            folder: folder.unwrap_or_else(|| tempfile::tempdir().unwrap()),
        }
    }

    /// So many frames, their pictures `content` and their number.
    pub fn frames(&self, count: u32, content: &str) -> Vec<NewFrame> {
        let frames = 0..count;
        frames
            .map(|index| {
                let picture = picture(content, index);
                NewFrame {
                    frame: Frame {
                        index,
                        scene: index,
                        at: seconds(2.0 * f64::from(index) + 0.5),
                        width: 1280,
                        height: 720,
                        bytes: picture.len() as u64,
                        key: None,
                        caption: None,
                        refusal: None,
                    },
                    file: self.file(&format!("{content}-{index}.jpg"), &picture),
                }
            })
            .collect()
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The keys of all objects.
    pub async fn objects_of(&self) -> Vec<String> {
        let Some(store) = &self.store else {
            return Vec::new();
        };
        let all = store.list(None).unwrap();
        let mut keys: Vec<String> = all
            .map_ok(|object| object.key.to_string())
            .try_collect()
            .await
            .unwrap();
        keys.sort();
        keys
    }
}

async fn bucket() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("s3");
    fs::create_dir_all(root.join(BUCKET)).unwrap();
    let server = S3Server::start(&root, 0).await.unwrap();
    let mut variables = Variables::of([
        ("S3_BUCKET", BUCKET),
        ("S3_ENDPOINT", &server.url()),
        ("S3_PREFIX", "video-processing/"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        (
            "VIDEO_TEMP_DIR",
            folder.path().join("temp").to_str().unwrap(),
        ),
    ]);
    let config = Config::s3(&mut variables).unwrap();
    (folder, Store::open(&config).unwrap())
}

pub fn picture(content: &str, index: u32) -> Vec<u8> {
    let mut picture = b"\xff\xd8\xff\xe0\0".to_vec();
    picture.extend(format!("{content} {index}").bytes());
    picture
}

pub fn seconds(seconds: f64) -> Timestamp {
    flatbed::archive::model::seconds::of(seconds)
}

/// Who writes what [`analysis`] begins.
pub fn writer(video: Uuid) -> Writer {
    Writer { video, job: None }
}

/// What is known once the source was looked at.
pub fn analysis(video_id: Uuid, version: &str) -> Analysis {
    let report = StepReport {
        state: StepState::Off,
        note: Some("ENABLE_TRANSCRIPTION is false".to_owned()),
        model: None,
    };
    Analysis {
        video_id,
        source_url: Some("https://example.org/a.mp4".to_owned()),
        source_version: Some(version.to_owned()),
        job_id: None,
        status: Status::Processing,
        error: None,
        duration: Some(seconds(61.2345)),
        width: Some(1920),
        height: Some(1080),
        proxy: None,
        steps: [(Step::Transcribe, report)].into(),
        notes: vec!["no sound".to_owned(), "\u{1f3ac} ünd".to_owned()],
        updated_at: None,
        scenes: Vec::new(),
        frames: Vec::new(),
        transcript: None,
    }
}

pub fn scenes(count: u32) -> Vec<Scene> {
    let scenes = 0..count;
    scenes
        .map(|index| Scene {
            index,
            start: seconds(2.0 * f64::from(index)),
            end: seconds(2.0 * f64::from(index) + 1.966_667),
        })
        .collect()
}

pub fn transcript(words: &str) -> Transcript {
    let piece = |start, end, is_done| Piece {
        start: seconds(start),
        end: seconds(end),
        is_done,
    };
    Transcript {
        language: Some("english".to_owned()),
        pieces: vec![piece(0.0, 30.5, true), piece(31.0, 60.25, false)],
        segments: vec![
            Segment {
                start: seconds(0.08),
                end: seconds(1.5),
                text: words.to_owned(),
            },
            Segment {
                start: seconds(1.5),
                end: seconds(3.333_333),
                text: "second \"line\" \\u0000 \u{1f600}".to_owned(),
            },
        ],
    }
}

pub fn embedding(kind: Kind, index: u32, text: &str, vector: Vec<f32>) -> Embedding {
    Embedding {
        passage: Passage {
            kind,
            index,
            start: seconds(f64::from(index)),
            end: seconds(f64::from(index) + 0.75),
            text: text.to_owned(),
        },
        vector,
    }
}

/// Of that many dimensions: so much of the first, the rest of the second.
pub fn vector(dimensions: usize, first: f32) -> Vec<f32> {
    let mut vector = vec![0.0; dimensions];
    vector[0] = first;
    vector[1] = (1.0 - first * first).sqrt();
    vector
}
