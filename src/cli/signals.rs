//! Ctrl-C and its like: the first asks the engine to stop, a later one does not
//! ask.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use flatbed_media::{Cancel, Context};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::failure::Failure;

const CANCELLED: i32 = 130;

/// Signals this close to the first are the same request. `timeout` sends SIGTERM
/// to the program and again to its process group, and so do wrappers that pass on
/// a Ctrl-C which the terminal has already sent to all.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// A context whose call these signals cancel.
pub(super) fn context() -> Result<Context, Failure> {
    let cancel = Cancel::new();
    cancel_on_signals(&cancel).map_err(|error| Failure::io("signals", error))?;
    Ok(Context::new().with_cancel(cancel))
}

/// Sets `cancel` on the first SIGINT, SIGTERM or SIGHUP; ends the process on a
/// SIGINT or SIGTERM that comes [`SAME_REQUEST`] or later after the first. A
/// closing terminal may hang up twice, so SIGHUP stays polite.
///
/// What the process was started to ignore, as by `nohup`, stays ignored.
fn cancel_on_signals(cancel: &Cancel) -> io::Result<()> {
    let heeded: Vec<i32> = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|&signal| !is_ignored(signal))
        .collect();
    let mut signals = Signals::new(&heeded)?;
    let cancel = cancel.clone();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let mut first: Option<Instant> = None;
            for signal in signals.forever() {
                let asked = *first.get_or_insert_with(Instant::now);
                if signal != SIGHUP && asked.elapsed() >= SAME_REQUEST {
                    low_level::exit(CANCELLED);
                }
                cancel.cancel();
            }
        })?;
    Ok(())
}

/// Whether the signal's disposition is "ignore". Linux tells without unsafe
/// code; elsewhere it counts as not ignored.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}
