//! Image jobs: the built program between a real Redis, a real S3 server as R2, and a
//! backend that stands in for the one of the requirement.
//!
//! | file | what it asks |
//! |---|---|
//! | `backend.rs` | the backend: its model to the letter, and faults by order |
//! | `house.rs` | list, bucket, backend and workers of a test |
//! | `photos.rs` | pictures that ffmpeg makes |
//! | `flow.rs` | what becomes of a job, and what is said of it |
//! | `sources.rs` | where images come from, and where they may not |
//! | `others.rs` | messages of other tasks |
//! | `outages.rs` | a backend or a bucket that is away, a wrong token |
//! | `deaths.rs` | workers that are killed, or late |

mod backend;
mod deaths;
mod flow;
mod house;
mod others;
mod outages;
pub mod photos;
mod sources;
