//! Clips of cameras: the simulated recorder has numbered frames, the S3 server of
//! the tests is the bucket, and what lies in it is decoded.
//!
//! | file | what it asks |
//! |---|---|
//! | `camera.rs` | a recorder with numbered footage |
//! | `bench.rs` | the workload alone, without a queue |
//! | `cutting.rs` | which frames a clip shows, and how much of what was asked for |
//! | `breaking.rs` | downloads that break off, are empty, busy, or stopped |
//! | `refusing.rs` | what comes back, what does not, and when |
//! | `site.rs` | the worker's process among recorders, Postgres and bucket |
//! | `serving.rs` | from rows to objects and back to rows |

mod bench;
mod breaking;
mod camera;
mod cutting;
mod refusing;
mod serving;
mod site;
