//! Ctrl-C and its like: the first asks the engine to stop, the second does not
//! ask.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use flatbed_media::{Cancel, Context};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::failure::Failure;

const CANCELLED: i32 = 130;

/// A context whose call these signals cancel.
pub(super) fn context() -> Result<Context, Failure> {
    let cancel = Cancel::new();
    cancel_on_signals(&cancel).map_err(|error| Failure::io("signals", error))?;
    Ok(Context::new().with_cancel(cancel))
}

/// Sets `cancel` on the first SIGINT, SIGTERM or SIGHUP; ends the process on the
/// second SIGINT or SIGTERM. A closing terminal may hang up twice, so SIGHUP
/// stays polite.
///
/// What the process was started to ignore, as by `nohup`, stays ignored.
fn cancel_on_signals(cancel: &Cancel) -> io::Result<()> {
    let heeded: Vec<i32> = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|&signal| !is_ignored(signal))
        .collect();
    let again = Arc::new(AtomicBool::new(false));
    for &signal in heeded.iter().filter(|&&signal| signal != SIGHUP) {
        // In this order: the first signal passes the first line and arms it.
        flag::register_conditional_shutdown(signal, CANCELLED, Arc::clone(&again))?;
        flag::register(signal, Arc::clone(&again))?;
    }
    let mut signals = Signals::new(&heeded)?;
    let cancel = cancel.clone();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for _ in signals.forever() {
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
