//! The worker around the engine of Flatbed ([`flatbed_media`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line: one file a command |
//! | [`config`] | environment variables, read once at the start |
//! | [`job`] | a job, its progress and what came of it |
//! | [`queue`] | where jobs come from: the contract, and one file an adapter |
//! | [`runner`] | receives jobs, runs them, settles them |
//! | [`telemetry`] | log lines and metrics |
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod job;
pub mod queue;
pub mod runner;
pub mod telemetry;
