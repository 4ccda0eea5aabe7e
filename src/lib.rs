//! The worker around the engine of Flatbed ([`flatbed_media`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line: one file a command |
//! | [`fetch`] | downloads from addresses that others name |
//! | [`job`] | a job, its progress and what came of it |
//! | [`queue`] | where jobs come from: the contract, and one file an adapter |
//! | [`secret`] | text that is never printed |
//! | [`setting`] | variables, and all that is wrong with them |
//! | [`store`] | where objects are kept: a folder, or a bucket |
#![forbid(unsafe_code)]

pub mod cli;
pub mod fetch;
pub mod job;
pub mod queue;
pub mod secret;
pub mod setting;
pub mod store;
