//! Any bytes as a recording: what it is, or an error of one line.
#![no_main]

use flatbed_media::{Context, Input, Limits, probe};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut limits = Limits::default();
    limits.max_pixels = 1 << 22;
    limits.max_buffered_bytes = 1 << 24;
    let context = Context::new().with_limits(limits);
    if let Err(error) = probe(Input::bytes("fuzzed", bytes), &context) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
});
