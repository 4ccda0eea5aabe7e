//! How a busy device is asked again: after a while that doubles, with some chance
//! in it, for so long and no longer.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Config;

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(15);

/// Counts the tries of one call.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    next: Duration,
    pub(super) tries: u32,
}

impl Patience {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            until: Instant::now() + config.busy,
            next: config.busy_first,
            tries: 0,
        }
    }

    /// Waits, unless it has waited long enough: then false.
    pub(super) async fn wait(&mut self) -> bool {
        self.tries += 1;
        let wait = self.next.mul_f64(0.75 + 0.5 * chance());
        if Instant::now() + wait > self.until {
            return false;
        }
        sleep(wait).await;
        self.next = (self.next * 2).min(LONGEST);
        true
    }
}

/// 0 to 1, so that workers that were refused together do not come back together.
fn chance() -> f64 {
    let [.., byte] = *Uuid::now_v7().as_bytes();
    f64::from(byte) / 255.0
}
