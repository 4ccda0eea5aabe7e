//! Plays files in real browsers and reads every frame's number back from a canvas.
//!
//! A loopback HTTP server hands out one page and the videos; the browser, headless and with a
//! fresh profile, is told its tasks by the page, and posts one JSON report. The test blocks on
//! that report. One start of a browser costs seconds, so give it all tasks at once:
//!
//! ```
//! let reports = browser::perform(Browser::Firefox, &[
//!     Task::play(&clip),
//!     Task::seek(&clip, &[0.5, 2.02]),
//! ]);
//! assert_eq!(reports[0].error, None);
//! assert_eq!(reports[1].numbers(), [73, 111]);
//! ```
//!
//! Debian's Chromium plays H.264 but no HEVC (then it shows nothing and reports no error);
//! Firefox plays H.264 through Debian's libavcodec.

mod page;
mod process;
mod server;

mod trial;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

pub use page::Report;
pub use process::Browser;

/// The longest a browser may take for its start. A hang is a failure, not a hung test run.
const START: Duration = Duration::from_secs(120);
/// The longest that one task may take on top of it.
const TASK: Duration = Duration::from_secs(120);

/// What the page does with one video.
#[derive(Clone, Debug)]
pub struct Task {
    path: PathBuf,
    deed: Deed,
}

#[derive(Clone, Debug)]
enum Deed {
    Play { rate: f64 },
    Seek { times: Vec<f64> },
}

impl Task {
    /// Plays from the start to the end at half speed, so that two slow cores keep up.
    pub fn play(path: &Path) -> Self {
        Self::play_at(path, 0.5)
    }

    /// Plays from the start to the end at `rate` times the normal speed (0.25 to 4).
    pub fn play_at(path: &Path, rate: f64) -> Self {
        Self {
            path: path.into(),
            deed: Deed::Play { rate },
        }
    }

    /// Seeks to each of `times` (seconds), in this order, and looks at the frame shown there.
    /// Aim at the middle of a frame: browsers round times to microseconds.
    pub fn seek(path: &Path, times: &[f64]) -> Self {
        Self {
            path: path.into(),
            deed: Deed::Seek {
                times: times.to_vec(),
            },
        }
    }

    /// Seeks to the middle of each of `frames` frames at `fps`: looks at every frame, whatever
    /// the machine's speed.
    pub fn step(path: &Path, frames: u32, (numerator, denominator): (u32, u32)) -> Self {
        let middle =
            |frame| (f64::from(frame) + 0.5) * f64::from(denominator) / f64::from(numerator);
        Self::seek(path, &(0..frames).map(middle).collect::<Vec<_>>())
    }
}

/// Starts `browser` once and has it do all `tasks`; one report for each.
///
/// # Panics
/// If the browser is not installed (with the line that mends it), ends early, or gives no report
/// in time. A video that does not play is no panic but [`Report::error`].
pub fn perform(browser: Browser, tasks: &[Task]) -> Vec<Report> {
    let (sender, receiver) = mpsc::channel();
    let videos = tasks.iter().map(|task| task.path.clone()).collect();
    let server = server::Server::start(page::orders(tasks), videos, sender.clone());
    let running = process::start(browser, &server.address(), sender);
    let patience = START + TASK * u32::try_from(tasks.len()).expect("few tasks");
    let body = match receiver.recv_timeout(patience) {
        Ok(Event::Report(body)) => body,
        Ok(Event::Exit) => panic!("{browser:?} ended by itself:\n{}", running.output()),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            panic!(
                "{browser:?} gave no report in {patience:?}:\n{}",
                running.output()
            )
        }
    };
    let reports = page::read(&body);
    assert_eq!(
        reports.len(),
        tasks.len(),
        "{browser:?} gave a report for each task"
    );
    reports
}

/// Plays one file; see [`Task::play`].
pub fn play_through(browser: Browser, path: &Path) -> Report {
    perform(browser, &[Task::play(path)]).remove(0)
}

/// Seeks in one file: the media time and the number of the frame shown at each of `times`.
///
/// # Panics
/// As [`perform`]; also if the video reports an error or a frame cannot be read.
pub fn seek_to(browser: Browser, path: &Path, times: &[f64]) -> Vec<(f64, u32)> {
    let report = perform(browser, &[Task::seek(path, times)]).remove(0);
    assert_eq!(report.error, None, "{browser:?}, {}", path.display());
    let times = report.frames.iter().map(|frame| frame.time);
    times.zip(report.numbers()).collect()
}

/// What can end the wait for a browser.
enum Event {
    /// The body of the page's report.
    Report(Vec<u8>),
    /// All processes of the browser have ended.
    Exit,
}
