//! Cancel: while a read blocks, while packets are written, before anything is done.

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use flatbed_media::cut::{self, Mode, Options, Segment};
use flatbed_media::{Cancel, Context, Error, Input, Output, probe};

use super::{Folder, bytes};
use crate::fixture::Source;

/// Gives its bytes, says so, and then blocks until the other end of `hold` is gone.
struct Stuck {
    data: Cursor<Vec<u8>>,
    told: Option<Sender<()>>,
    hold: Receiver<()>,
}

impl Read for Stuck {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.data.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        drop(self.told.take());
        let _ = self.hold.recv();
        Ok(0)
    }
}

/// Runs `call` on a stream that blocks behind `data`, and cancels once it does.
fn cancelled_while_blocked<T>(data: Vec<u8>, call: impl FnOnce(Input, &Context) -> T) -> T {
    let (told, blocked) = channel();
    let (release, hold) = channel();
    let stuck = Stuck {
        data: Cursor::new(data),
        told: Some(told),
        hold,
    };
    let cancel = Cancel::new();
    let context = Context::new().with_cancel(cancel.clone());
    let result = thread::scope(|scope| {
        scope.spawn(move || {
            // Ends when the reader drops its end.
            let _ = blocked.recv();
            cancel.cancel();
        });
        call(Input::live("stuck", stuck), &context)
    });
    // Only now may the reading thread go on: the call did not wait for it.
    drop(release);
    result
}

#[test]
fn a_blocked_read_does_not_hold_a_cut() {
    let fixture = Source::new().container("ts").audio("aac").build();
    let data = bytes(&fixture);
    for part in [0, 100, data.len() / 3, data.len() / 2, data.len()] {
        for name in ["clip.mp4", "clip.mkv", "clip.ts"] {
            let folder = Folder::new();
            let result = cancelled_while_blocked(data[..part].to_vec(), |input, context| {
                let output = Output::path(folder.file(name)).expect("a name");
                cut::cut(
                    vec![Segment::new(input)],
                    output,
                    &Options::default(),
                    context,
                )
            });
            assert!(
                matches!(result, Err(Error::Cancelled)),
                "{part}: {result:?}"
            );
            assert_eq!(folder.names(), [""; 0], "{part}");
        }
    }
}

#[test]
fn a_blocked_read_does_not_hold_a_probe() {
    let fixture = Source::new().container("ts").build();
    let data = bytes(&fixture)[..10_000].to_vec();
    let result = cancelled_while_blocked(data, probe);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
}

#[test]
fn in_mid_write_nothing_is_left() {
    let fixture = Source::new().audio("aac").frames(500).build();
    for mode in [Mode::Exact, Mode::Copy, Mode::Reencode] {
        for name in ["clip.mp4", "clip.mov", "clip.mkv", "clip.ts"] {
            let folder = Folder::new();
            let cancel = Cancel::new();
            let context = Context::new().with_cancel(cancel.clone());
            let seen = folder.path().to_owned();
            let context = context.with_progress(move |progress| {
                if progress.done.as_micros() > 5_000_000 {
                    // Something is there, under another name.
                    assert_eq!(std::fs::read_dir(&seen).expect("a list").count(), 1);
                    cancel.cancel();
                }
            });
            let output = Output::path(folder.file(name)).expect("a name");
            let options = Options {
                mode,
                ..Options::default()
            };
            let segments = vec![Segment::new(Input::path(&fixture.path))];
            let result = cut::cut(segments, output, &options, &context);
            assert!(
                matches!(result, Err(Error::Cancelled)),
                "{name}: {result:?}"
            );
            assert_eq!(folder.names(), [""; 0], "{name}");
        }
    }
}

#[test]
fn a_token_that_was_set_before_stops_everything() {
    let fixture = Source::new().build();
    let cancel = Cancel::new();
    cancel.cancel();
    let context = Context::new().with_cancel(cancel);
    let folder = Folder::new();
    let output = Output::path(folder.file("clip.mp4")).expect("a name");
    let segments = vec![Segment::new(Input::path(&fixture.path))];
    let result = cut::cut(segments, output, &Options::default(), &context);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert_eq!(folder.names(), [""; 0]);
    let result = probe(Input::path(&fixture.path), &context);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
}
