//! Standard input and output: text for people, bytes for the engine.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flatbed_media::Input;
use serde::Serialize;

use super::failure::Failure;

const STDIN: &str = "standard input";
pub(super) const STDOUT: &str = "standard output";

/// Writes text to standard output. A reader that left early has read enough.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::io(STDOUT, error)),
    }
}

/// Writes one JSON object to standard output: in lines on a terminal, else in
/// a single one.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let to_json = if io::stdout().is_terminal() {
        serde_json::to_string_pretty
    } else {
        serde_json::to_string
    };
    let json = to_json(value).map_err(|error| Failure::io(STDOUT, error.into()))?;
    print(&(json + "\n"))
}

/// Writes one JSON object as one line of many to standard output.
pub(super) fn print_json_line(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string(value).map_err(|error| Failure::io(STDOUT, error.into()))?;
    print(&(json + "\n"))
}

/// Whether help may be coloured.
pub(super) fn stdout_takes_colours() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Standard input as media: a live stream, or a file that can be sought in
/// where the shell opened one.
pub(super) fn input() -> Result<Input, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::usage(
            "standard input is a terminal; pipe a recording into it",
        ));
    }
    // Unbuffered, and not locked while another thread waits for bytes.
    let mut file = stdin
        .as_fd()
        .try_clone_to_owned()
        .map(File::from)
        .map_err(|error| Failure::io(STDIN, error))?;
    let seekable = file.metadata().is_ok_and(|metadata| metadata.is_file())
        && file.stream_position().is_ok_and(|position| position == 0);
    Ok(if seekable {
        Input::seekable(STDIN, file)
    } else {
        Input::live(STDIN, file)
    })
}

/// All of standard input.
pub(super) fn read_to_end() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::io(STDIN, error))?;
    Ok(bytes)
}

/// Standard output as a place for media. It notes when its reader has gone, so
/// that this can be told from a failure worth a message.
pub(super) struct MediaStdout {
    file: File,
    reader_gone: Arc<AtomicBool>,
}

impl MediaStdout {
    /// The stream, and the note.
    pub(super) fn open() -> Result<(Self, Arc<AtomicBool>), Failure> {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            return Err(Failure::usage(
                "standard output is a terminal; redirect it, or name a file with --output",
            ));
        }
        // Unbuffered: the engine writes large pieces.
        let file = stdout
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
            .map_err(|error| Failure::io(STDOUT, error))?;
        let reader_gone = Arc::new(AtomicBool::new(false));
        let note = Arc::clone(&reader_gone);
        Ok((Self { file, reader_gone }, note))
    }
}

impl Write for MediaStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if matches!(&written, Err(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            self.reader_gone.store(true, Ordering::Relaxed);
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
