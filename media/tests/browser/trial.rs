//! Both browsers show what is in the file, and say so when they cannot.

use super::{Browser, Task, perform, play_through, seek_to};
use crate::fixture::Source;

#[test]
fn chromium_shows_every_frame() {
    shows_every_frame(Browser::Chromium);
}

#[test]
fn firefox_shows_every_frame() {
    shows_every_frame(Browser::Firefox);
}

fn shows_every_frame(browser: Browser) {
    let clip = Source::new().audio("aac").build();
    let other = Source::new()
        .frames(30)
        .first(500)
        .size(640, 360)
        .fps("30000/1001")
        .build();
    let broken = Source::new()
        .args("-movflags +faststart")
        .keep(0.02)
        .build();
    let tasks = [
        Task::step(&clip.path, 100, clip.fps()),
        Task::play(&clip.path),
        Task::seek(&other.path, &[0.51, 0.01, 0.97]),
        Task::seek(&broken.path, &[3.0]),
    ];
    let [stepped, played, sought, failed] = &perform(browser, &tasks)[..] else {
        unreachable!()
    };

    assert_eq!(stepped.error, None);
    assert_eq!(stepped.numbers(), clip.numbers().collect::<Vec<_>>());
    assert!(
        (stepped.duration - 4.0).abs() < 0.05 && stepped.size == (320, 240),
        "{stepped:?}"
    );

    assert_eq!(played.error, None);
    assert!(
        played.numbers().is_sorted() && played.decoded >= 90,
        "{played:?}"
    );
    assert!(!played.frames.is_empty());
    for frame in &played.frames {
        let due = clip.time_of(frame.number.expect("read above"));
        assert!((frame.time - due).abs() < 0.05, "{frame:?}, due {due}");
    }

    assert_eq!(
        (sought.error.as_ref(), sought.numbers()),
        (None, vec![515, 500, 529])
    );
    assert!(failed.error.is_some(), "{failed:?}");
}

#[test]
fn one_file_is_one_call() {
    let clip = Source::new().frames(20).build();
    let played = play_through(Browser::Chromium, &clip.path);
    assert_eq!(
        (played.error.as_ref(), played.numbers().last()),
        (None, Some(&19))
    );
    let sought = seek_to(Browser::Chromium, &clip.path, &[0.3, 0.1]);
    assert_eq!(sought.iter().map(|seen| seen.1).collect::<Vec<_>>(), [7, 2]);
}
