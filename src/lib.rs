//! The worker around the engine of Flatbed ([`flatbed_media`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line: one file a command |
//! | [`job`] | a job, its progress and what came of it |
//! | [`queue`] | where jobs come from: the contract, and one file an adapter |
#![forbid(unsafe_code)]

pub mod cli;
pub mod job;
pub mod queue;
