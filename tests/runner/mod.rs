//! The runner, on a real queue, with workloads made up for the purpose.
//!
//! | file | what it does |
//! |---|---|
//! | `bench.rs` | a queue with a runner at it, and workloads that are closures |
//! | `stopping.rs` | cancel, deadline, drain, a lost lease |
//! | `surviving.rs` | panics, busy cores, a queue that is away |
//! | `telling.rs` | whoever waits hears that a job has failed for good |

mod bench;
mod stopping;
mod surviving;
mod telling;
