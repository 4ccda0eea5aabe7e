//! The command line, as a shell sees it: the built program is run on recordings
//! that Debian's `ffmpeg` makes, and what it writes is judged by `ffprobe`. And
//! the worker, against real servers and other processes.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod access;
mod analysis;
mod archive;
mod bad_input;
mod cancel;
mod cctv;
mod clock;
mod concat;
mod cut;
mod eposh;
mod exports;
mod fetch;
mod help;
mod hikcentral;
mod hikvision;
mod image;
mod image_api;
mod images;
mod metrics;
mod models;
mod operator;
mod overwriting;
mod probe;
mod queue;
mod render;
mod runner;
mod scenes;
mod sprite;
mod stdio;
mod store;
mod support;
mod thumbnail;
mod usage;

// As the engine's tests, of which these have some, call it.
use support::fixture;
