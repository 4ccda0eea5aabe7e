//! Exact cuts of single files: the formats, and what goes wrong at a cut.
//!
//! [`original`] makes a recording and cuts it, [`clip`] looks at the result from outside, through
//! ffmpeg's command line.

mod clip;
mod containers;
mod damage;
mod edges;
mod formats;
mod index;
mod open_gop;
mod original;
mod parameter_sets;
mod program_stream;
mod property;
mod sound;
mod times;
mod transport;
mod units;
