//! Server, models and videos of a test.

use std::fs;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use crate::exports::Server;
use crate::support::models::{ModelServer, Profile};
use crate::support::s3_server::{ACCESS_KEY, S3Server, SECRET_KEY};
use crate::support::{Folder, wait_until};

/// What an analysis needs.
pub struct House {
    pub folder: Folder,
    pub models: ModelServer,
    pub s3: S3Server,
    _runtime: Runtime,
}

impl House {
    pub fn new() -> Self {
        Self::with(Profile::default())
    }

    pub fn with(profile: Profile) -> Self {
        let folder = Folder::with(&["talk.mp4"]);
        fs::create_dir_all(folder.path("s3/videos")).expect("a bucket");
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let s3 = runtime.block_on(S3Server::start(&folder.path("s3"), 0));
        Self {
            folder,
            models: ModelServer::start(profile),
            s3: s3.expect("an S3 server"),
            _runtime: runtime,
        }
    }

    /// The video as an address of a file.
    pub fn talk(&self) -> String {
        self.folder.path("talk.mp4").display().to_string()
    }

    /// The models, and what a test needs besides.
    pub fn serve(&self, more: &[(&str, &str)]) -> Server {
        let dirs = self.folder.path("").display().to_string();
        let url = self.models.url();
        let mut variables = vec![
            ("FLATBED_WORKLOADS", "exports,analysis"),
            ("OPENAI_API_KEY", Profile::KEY),
            ("OPENAI_BASE_URL", &*url),
            ("ANALYSIS_SOURCE_DIRS", &*dirs),
            ("ANALYSIS_LEASE_SECONDS", "2"),
            ("VIDEO_TEMP_DIR", &*dirs),
        ];
        // The last one of a name holds.
        variables.extend(more);
        Server::start(&self.folder, &variables)
    }

    /// The bucket's variables.
    pub fn bucket(&self) -> Vec<(&'static str, String)> {
        let own = |text: &str| text.to_owned();
        vec![
            ("AWS_S3_BUCKET", own("videos")),
            ("S3_ENDPOINT", self.s3.url()),
            ("AWS_REGION", own("us-east-1")),
            ("AWS_ACCESS_KEY_ID", own(ACCESS_KEY)),
            ("AWS_SECRET_ACCESS_KEY", own(SECRET_KEY)),
            ("S3_PREFIX", own("video-processing/")),
        ]
    }
}

/// Has a video analysed, and waits for the end.
pub fn analyse(server: &Server, source: &str) -> Value {
    let video = Uuid::now_v7().to_string();
    let path = format!("/api/videos/{video}/analyze");
    let answer = server.post(&path, &json!({"source_url": source}));
    assert_eq!(answer.code, 202, "{answer:?}\n{}", server.log());
    assert_eq!(answer.json()["status"], "queued");
    wait_for(server, &video, "completed")
}

/// Waits until a video's analysis has this status.
pub fn wait_for(server: &Server, video: &str, status: &str) -> Value {
    let mut last = Value::Null;
    wait_until(&format!("{video} to be {status}"), || {
        let answer = server.get(&format!("/api/videos/{video}/analysis"));
        if answer.code == 404 {
            return false;
        }
        last = answer.json();
        let ended = ["completed", "failed"].map(Value::from);
        assert!(
            last["status"] == status || !ended.contains(&last["status"]),
            "{last:#}\n{}",
            server.log()
        );
        last["status"] == status
    });
    last
}

/// That all steps found what is in the talk.
pub fn assert_whole(analysis: &Value) {
    for step in [
        "normalize",
        "transcribe",
        "scenes",
        "frames",
        "vision",
        "embed",
    ] {
        assert_eq!(analysis["steps"][step]["state"], "done", "{analysis:#}");
    }
    let scenes = analysis["scenes"].as_array().expect("scenes");
    let starts: Vec<f64> = scenes
        .iter()
        .map(|scene| scene["start"].as_f64().unwrap())
        .collect();
    assert_eq!(starts, [0.0, 3.0, 6.0, 9.0]);
    let frames = analysis["frames"].as_array().expect("frames");
    assert_eq!(frames.len(), 4);
    for (frame, start) in frames.iter().zip(starts) {
        let at = frame["at"].as_f64().unwrap();
        assert!((start..start + 3.0).contains(&at), "{frame}");
        assert!(
            frame["caption"]
                .as_str()
                .is_some_and(|text| text.starts_with("A ")),
            "{frame}"
        );
    }
    let segments = analysis["transcript"]["segments"]
        .as_array()
        .expect("segments");
    let said: Vec<&str> = segments
        .iter()
        .map(|said| said["text"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["A tone of 440 hertz.", "A tone of 880 hertz."]);
    // As they are heard, to the twentieth of a second and AAC's edges.
    for (segment, [start, end]) in segments.iter().zip([[1.0, 3.0], [8.0, 10.0]]) {
        let near = |name: &str, time: f64| (segment[name].as_f64().unwrap() - time).abs() < 0.15;
        assert!(near("start", start) && near("end", end), "{segment}");
    }
}
