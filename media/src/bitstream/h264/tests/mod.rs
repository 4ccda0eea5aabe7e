//! Real streams: made by the `ffmpeg` command at test time, taken apart and put
//! together here, and decoded by `ffmpeg` again.

mod edge;
mod hostile;
mod open_gop;
mod paff;
mod second;
mod slices;
mod support;
