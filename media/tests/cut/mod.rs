//! Exact cuts of single files: the cases of notes/cutting.md and the formats of issue 2.

mod clip;
mod edges;
mod open_gop;
mod containers;
mod formats;
mod sound;
