//! A folder of its own for each test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::recording;

/// A temporary folder with recordings in it.
pub struct Folder(TempDir);

impl Folder {
    /// A folder with the recordings of these names (see `recording.rs`).
    pub fn with(recordings: &[&str]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        for name in recordings {
            fs::copy(recording::made(name), folder.path(name)).expect("a recording is copied");
        }
        folder
    }

    pub fn empty() -> Self {
        Self::with(&[])
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("a file is written");
    }

    /// The program, about to run in this folder with the arguments of a command
    /// line that has no quotes.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flatbed"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .env_remove("FLATBED_LOG")
            .env_remove("RUST_LOG");
        command
    }

    /// Runs the program to its end.
    pub fn flatbed(&self, arguments: &str) -> Run {
        Run::of(arguments, &mut self.command(arguments))
    }

    /// Runs the program, which must do what it is asked, and reads the JSON
    /// object that it prints.
    pub fn json(&self, arguments: &str) -> Value {
        let run = self.flatbed(&format!("{arguments} --json"));
        run.succeeded();
        serde_json::from_slice(&run.stdout).expect("one JSON object")
    }

    /// Runs the program, which must refuse: with this exit code, one line on
    /// standard error with all of `words` in it, nothing on standard output,
    /// and nothing changed in the folder.
    pub fn refuses(&self, arguments: &str, code: i32, words: &[&str]) {
        let before = self.content();
        let run = self.flatbed(arguments);
        run.failed(code, words);
        assert_eq!(self.content(), before, "{arguments}: left something");
    }

    /// All files, hidden ones as well, and their sizes.
    pub fn content(&self) -> BTreeMap<String, u64> {
        let entries = fs::read_dir(self.0.path()).expect("a folder");
        let describe = |entry: fs::DirEntry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.metadata().map_or(0, |metadata| metadata.len()))
        };
        entries
            .map(|entry| describe(entry.expect("a file")))
            .collect()
    }

    /// The names of all files, hidden ones as well.
    pub fn names(&self) -> Vec<String> {
        self.content().into_keys().collect()
    }
}

/// How the program ended.
pub struct Run {
    arguments: String,
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Run {
    pub fn of(arguments: &str, command: &mut Command) -> Self {
        Self::ended(arguments, command.output().expect("the program starts"))
    }

    pub fn ended(arguments: &str, output: Output) -> Self {
        Self {
            arguments: arguments.to_owned(),
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).expect("text on standard error"),
        }
    }

    pub fn text(&self) -> &str {
        str::from_utf8(&self.stdout).expect("text on standard output")
    }

    #[track_caller]
    pub fn succeeded(&self) {
        assert_eq!(self.code, Some(0), "{}: {}", self.arguments, self.stderr);
    }

    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) {
        let Self {
            arguments, stderr, ..
        } = self;
        assert_eq!(self.code, Some(code), "{arguments}: {stderr}");
        assert!(
            self.stdout.is_empty(),
            "{arguments}: {:?}",
            self.stdout.len()
        );
        assert_eq!(stderr.lines().count(), 1, "{arguments}: {stderr}");
        assert!(stderr.starts_with("flatbed: "), "{arguments}: {stderr}");
        for word in words {
            assert!(
                stderr.contains(word),
                "{arguments}: no {word:?} in {stderr}"
            );
        }
    }
}

/// Waits for something that another process does. The bound only ends what hangs:
/// the machine may be busy.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(600),
            "waited for {what}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        self.0.path()
    }
}
