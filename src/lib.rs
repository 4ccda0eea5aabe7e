//! The worker around the engine of Flatbed ([`flatbed_media`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line: one file a command |
//! | [`catalogue`] | which videos there are |
//! | [`config`] | environment variables, read once at the start |
//! | [`http`] | the HTTP side: one file an API |
//! | [`job`] | a job, its progress and what came of it |
//! | [`queue`] | where jobs come from: the contract, and one file an adapter |
//! | [`runner`] | receives jobs, runs them, settles them |
//! | [`serve`] | the worker, put together; names the concrete adapters |
//! | [`telemetry`] | log lines and metrics |
//! | [`workload`] | what is done with jobs |
#![forbid(unsafe_code)]

pub mod catalogue;
pub mod cli;
pub mod config;
pub mod http;
pub mod job;
pub mod queue;
pub mod runner;
pub mod serve;
pub mod telemetry;
pub mod workload;
