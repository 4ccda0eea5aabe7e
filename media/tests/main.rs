//! The engine's integration tests, and the instruments they share.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]
#![allow(
    clippy::field_reassign_with_default,
    reason = "Limits can only be changed, not made, from outside its crate"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "a test has no further use for what it sets up"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sizes, times and samples of small recordings"
)]

#[allow(dead_code, reason = "an instrument may wait for its test")]
mod browser;
mod corpus;
mod cut;
#[allow(dead_code, reason = "an instrument may wait for its test")]
mod fixture;
mod image;
mod io;
mod join;
mod normalize;
#[allow(
    dead_code,
    unused_imports,
    reason = "an instrument may wait for its test"
)]
mod observe;
mod playback;
mod render;
mod scene;
mod still;
