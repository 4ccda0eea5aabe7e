//! Progress: it rises, and it ends near the whole.

use std::sync::{Arc, Mutex};

use flatbed_media::cut::{self, Mode, Options, Segment};
use flatbed_media::{Context, Input, Output, Progress, Timestamp};

use super::{Folder, frames};
use crate::fixture::Source;

fn watched(options: &Options) -> Vec<Progress> {
    let parts = Source::new().audio("aac").segments(&[100, 100, 100]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let context = Context::new().with_progress({
        let seen = Arc::clone(&seen);
        move |progress| seen.lock().expect("no test panics in here").push(progress)
    });
    let folder = Folder::new();
    let output = Output::path(folder.file("clip.mp4")).expect("a name");
    let segment = |part: &crate::fixture::Fixture| Segment::new(Input::path(&part.path));
    let segments = parts.iter().map(segment).collect();
    cut::cut(segments, output, options, &context).expect("a cut");
    drop(context);
    Arc::into_inner(seen)
        .expect("the last one")
        .into_inner()
        .expect("no panic")
}

#[test]
fn it_rises_over_all_segments() {
    for mode in [Mode::Exact, Mode::Copy, Mode::Reencode] {
        let options = Options {
            mode,
            ..frames(30, 280)
        };
        let seen = watched(&options);
        assert!(seen.len() > 5, "{seen:?}");
        assert!(seen.is_sorted_by_key(|progress| progress.done), "{seen:?}");
        assert!(seen[0].done >= Timestamp::ZERO);
        let total = Timestamp::from_micros(250 * 40_000);
        let last = seen.last().expect("some").done;
        assert!(last.as_micros() > total.as_micros() * 9 / 10, "{last}");
        // A copy may begin a GOP earlier.
        assert!(last.as_micros() <= total.as_micros() + 1_000_000, "{last}");
        assert!(
            seen.iter().all(|progress| progress.total == Some(total)),
            "{seen:?}"
        );
    }
}

#[test]
fn the_whole_is_not_guessed() {
    let seen = watched(&Options::default());
    assert!(
        seen.iter().all(|progress| progress.total.is_none()),
        "{seen:?}"
    );
    assert!(seen.last().expect("some").done.as_micros() > 11_000_000);
}
