//! Checks with real streams: libx265 makes them, the `ffmpeg` program's
//! decoder and header tracer are the second opinion. Without it they fail.

mod cut;
mod facts;
mod ffmpeg;
mod splice;
mod stream;
