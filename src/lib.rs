//! The worker around the engine of Flatbed ([`flatbed_media`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`archive`] | what is known of analysed videos |
//! | [`aws`] | access to AWS and to what speaks its protocols |
//! | [`catalogue`] | which videos there are |
//! | [`cli`] | the command line: one file a command |
//! | [`client`] | talks to recorders, models and other systems |
//! | [`clip`] | a clip that is asked for, and what was made |
//! | [`config`] | environment variables, read once at the start |
//! | [`fetch`] | downloads from addresses that others name |
//! | [`http`] | the HTTP side: one file an API |
//! | [`job`] | a job, its progress and what came of it |
//! | [`queue`] | where jobs come from: the contract, and one file an adapter |
//! | [`runner`] | receives jobs, runs them, settles them |
//! | [`serve`] | the worker, put together; names the concrete adapters |
//! | [`store`] | where objects are kept: a folder, or a bucket |
//! | [`telemetry`] | log lines and metrics |
//! | `tls` | whose certificates are taken |
//! | [`workload`] | what is done with jobs |
#![forbid(unsafe_code)]

pub mod archive;
pub mod aws;
pub mod catalogue;
pub mod cli;
pub mod client;
pub mod clip;
pub mod config;
pub mod fetch;
pub mod http;
pub mod job;
pub mod queue;
pub mod runner;
pub mod serve;
pub mod store;
pub mod telemetry;
mod tls;
pub mod workload;
