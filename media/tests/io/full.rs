//! Disks that are full, writers and readers that fail.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flatbed_media::cut::{self, Mode, Options, Report, Segment};
use flatbed_media::{Context, Error, Input, Output};

use super::{Folder, bytes, container};
use crate::fixture::{Fixture, Source};

/// Takes so many bytes and then fails as a full disk does.
struct Small {
    inner: Cursor<Vec<u8>>,
    room: u64,
}

impl Small {
    fn new(room: u64) -> Self {
        Self {
            inner: Cursor::new(Vec::new()),
            room,
        }
    }
}

impl Write for Small {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.inner.position() + data.len() as u64 > self.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Small {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

fn source() -> Fixture {
    Source::new().audio("aac").frames(500).build()
}

fn cut_to(output: Output, mode: Mode) -> Result<Report, Error> {
    let segments = vec![Segment::new(Input::path(source().path))];
    let options = Options {
        mode,
        ..Options::default()
    };
    cut::cut(segments, output, &options, &Context::new())
}

fn check_io(result: Result<Report, Error>, name: &str) {
    match result {
        Err(Error::Io { what, source }) => {
            assert_eq!(what, name);
            assert_eq!(source.kind(), io::ErrorKind::StorageFull, "{source}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_writer_that_is_full() {
    let whole = source().path.metadata().expect("a length").len();
    for extension in ["mp4", "mov", "mkv", "ts"] {
        // At once, in the middle, and shortly before the end.
        for room in [0, 1_000, whole / 2, whole - whole / 20] {
            let kind = container(extension);
            let name = format!("{room} bytes of {extension}");
            check_io(
                cut_to(Output::live(&name, kind, Small::new(room)), Mode::Copy),
                &name,
            );
            check_io(
                cut_to(Output::seekable(&name, kind, Small::new(room)), Mode::Copy),
                &name,
            );
        }
    }
}

#[test]
fn the_device_that_is_always_full() {
    for extension in ["mp4", "mkv", "ts"] {
        let output = Output::path_as("/dev/full", container(extension));
        check_io(cut_to(output, Mode::Copy), "/dev/full");
    }
}

/// A file system of 100 KiB, unmounted when dropped.
struct Tmpfs {
    folder: Folder,
}

impl Tmpfs {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=100k", "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then_some(Self { folder })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let path: &Path = self.folder.path();
        let _ = Command::new("umount").arg(path).status();
    }
}

#[test]
fn a_small_disk() {
    let Some(disk) = Tmpfs::mount() else {
        eprintln!("skipped: no right to mount a tmpfs");
        return;
    };
    assert!(source().path.metadata().expect("a length").len() > 200_000);
    for name in ["clip.mp4", "clip.mov", "clip.mkv", "clip.ts"] {
        for mode in [Mode::Copy, Mode::Exact] {
            let path = disk.file(name);
            let output = Output::path(&path).expect("a name");
            check_io(cut_to(output, mode), &path.display().to_string());
            assert_eq!(disk.folder.names(), [""; 0], "{name}");
        }
    }
}

/// Fails, or panics, after so many bytes.
struct Failing {
    data: Cursor<Vec<u8>>,
    panics: bool,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.data.read(buffer)? {
            0 if self.panics => panic!("a reader's own fault"),
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            read => Ok(read),
        }
    }
}

#[test]
fn a_reader_that_fails_is_no_end_of_file() {
    let fixture = Source::new().container("ts").audio("aac").build();
    let data = bytes(&fixture);
    for panics in [false, true] {
        for part in [0, 5_000, data.len() / 2, data.len()] {
            let failing = Failing {
                data: Cursor::new(data[..part].to_vec()),
                panics,
            };
            let folder = Folder::new();
            let result = folder.cut(
                Input::live("peer", failing),
                "clip.mp4",
                &Options::default(),
            );
            let Err(Error::Io { what, source }) = &result else {
                panic!("{result:?}")
            };
            assert_eq!(what, "peer");
            // The error's own words, not libavformat's.
            let expected = if panics {
                "the stream's reader panicked"
            } else {
                "connection reset"
            };
            assert_eq!(source.to_string(), expected);
        }
    }
}

/// Reads and seeks until so many bytes were read, then fails.
struct Disk {
    file: File,
    left: usize,
}

impl Read for Disk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => return Err(io::Error::from_raw_os_error(5)),
        }
        Ok(read)
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn a_disk_that_fails_in_mid_file_is_no_end_of_file() {
    for container in ["mp4", "mkv", "ts"] {
        let fixture = Source::new()
            .container(container)
            .audio("aac")
            .frames(500)
            .build();
        let file = File::open(&fixture.path).expect("it opens");
        let disk = Disk {
            file,
            left: bytes(&fixture).len() * 3 / 4,
        };
        let folder = Folder::new();
        let result = folder.cut(
            Input::seekable("disk", disk),
            "clip.mp4",
            &Options::default(),
        );
        assert!(
            matches!(&result, Err(Error::Io { what, .. }) if what == "disk"),
            "{result:?}"
        );
    }
}
