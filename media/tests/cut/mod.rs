//! Exact cuts of single files: the cases of notes/cutting.md and the formats of issue 2.
//!
//! [`clip`] makes a cut and looks at the result from outside, through ffmpeg's command line.

mod clip;
mod containers;
mod damage;
mod edges;
mod formats;
mod index;
mod open_gop;
mod parameter_sets;
mod program_stream;
mod property;
mod sound;
mod times;
