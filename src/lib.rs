//! The worker around the engine of Flatbed ([`flatbed_media`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line: one file a command |
//! | [`config`] | environment variables, read once at the start |
//! | [`fetch`] | downloads from addresses that others name |
//! | [`job`] | a job, its progress and what came of it |
//! | [`queue`] | where jobs come from: the contract, and one file an adapter |
//! | [`runner`] | receives jobs, runs them, settles them |
//! | [`store`] | where objects are kept: a folder, or a bucket |
//! | [`telemetry`] | log lines and metrics |
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod fetch;
pub mod job;
pub mod queue;
pub mod runner;
pub mod store;
pub mod telemetry;
