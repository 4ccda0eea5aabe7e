//! The worker around the engine of Flatbed ([`flatbed_media`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line: one file a command |
#![forbid(unsafe_code)]

pub mod cli;
