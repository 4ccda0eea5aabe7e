//! Images over HTTP: the built program serves, `curl` asks, `ffprobe` judges what comes
//! out.
//!
//! | file | what it asks |
//! |---|---|
//! | `ask.rs` | requests for images, whole and half |
//! | `at_once.rs` | small images, answered with at once |
//! | `jobs.rs` | the others: made, fetched, cancelled, done again after a crash |
//! | `refused.rs` | what is refused at the door, with the field's name |
//! | `floods.rs` | more than can be done: memory, places, slow callers |
//! | `cloud.rs` | hosts that share Redis or Postgres, and a bucket |
//! | `workload.rs` | the workload by itself: second runs, what is left behind |

mod ask;
mod at_once;
mod cloud;
mod floods;
mod jobs;
mod refused;
mod workload;

pub use ask::wait_for;
