//! Signals in mid-write: nothing is left.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;

use crate::support::{Folder, Run, shown_frames, wait_until};

/// A cut of standard input, which is open and has more to come: the program has
/// begun its output and waits for bytes.
struct MidWrite {
    child: Child,
    feeder: JoinHandle<ChildStdin>,
}

impl MidWrite {
    fn begin(folder: &Folder, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let recording = fs::read(folder.path("large.ts")).expect("a recording");
        let feeder = std::thread::spawn(move || {
            // Most of it: the rest is never sent unless a test sends it.
            let most = recording.len() * 3 / 4;
            // It is cut short if the program ends.
            let _ = stdin.write_all(&recording[..most]);
            stdin
        });
        wait_until("the output to be begun", || {
            let begun = |(name, size): (String, u64)| name.starts_with(".clip.ts.") && size > 0;
            folder.content().into_iter().any(begun)
        });
        Self { child, feeder }
    }

    fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// The feeder waits until the program has read its part, or has ended.
    fn end(self) -> Run {
        let run = Run::ended("mid-write", self.child.wait_with_output().expect("an end"));
        drop(self.feeder.join().expect("the feeder ends"));
        run
    }
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-s", name, &id]).status();
    assert!(status.expect("kill").success());
}

#[test]
fn a_signal_in_mid_write_leaves_nothing() {
    for name in ["INT", "TERM", "HUP"] {
        let folder = Folder::with(&["large.ts"]);
        let command = folder.command("cut - --start 1.2 -o clip.ts");
        let running = MidWrite::begin(&folder, command);
        running.signal(name);
        running.end().failed(130, &["cancelled"]);
        assert_eq!(folder.names(), ["large.ts"], "{name}");
    }
}

#[test]
fn what_was_there_survives_a_signal() {
    let folder = Folder::with(&["large.ts"]);
    folder.write("clip.ts", "precious");
    let command = folder.command("cut - --start 1.2 -o clip.ts --force");
    let running = MidWrite::begin(&folder, command);
    running.signal("INT");
    running.end().failed(130, &["cancelled"]);
    assert_eq!(folder.names(), ["clip.ts", "large.ts"]);
    assert_eq!(
        fs::read(folder.path("clip.ts")).expect("the file"),
        b"precious"
    );
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    let folder = Folder::with(&["large.ts"]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_flatbed"))
        .args(["cut", "-", "--end", "2", "-o", "clip.ts"])
        .current_dir(&folder);
    let running = MidWrite::begin(&folder, command);
    running.signal("HUP");
    running.end().succeeded();
    assert_eq!(shown_frames(&folder.path("clip.ts")), 50);
}

/// As `timeout` does, which signals the program and then its process group.
#[test]
fn signals_sent_at_once_are_one_request() {
    let folder = Folder::with(&["large.ts"]);
    let command = folder.command("cut - --start 1.2 -o clip.ts");
    let running = MidWrite::begin(&folder, command);
    // Held, so that both are there before one is answered.
    running.signal("STOP");
    running.signal("TERM");
    running.signal("INT");
    running.signal("CONT");
    running.end().failed(130, &["cancelled"]);
    assert_eq!(folder.names(), ["large.ts"]);
}

#[test]
fn a_later_signal_does_not_wait() {
    let folder = Folder::with(&["large.ts"]);
    // Nobody reads on, so the program comes to wait in a write.
    let mut child = folder
        .command("cut large.ts -o - --format ts")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout
        .read_exact(&mut [0; 188])
        .expect("it has begun to write");
    wait_until("the program's end", || {
        signal(&child, "INT");
        child.try_wait().expect("a status").is_some()
    });
    assert_eq!(child.wait().expect("a status").code(), Some(130));
}
