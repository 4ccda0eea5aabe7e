//! An input's pictures and sound, decoded, on one timeline: what analysing reads.
//!
//! | file | what it does |
//! |---|---|
//! | `source.rs` | the input: which streams are read, and where the timeline begins |
//! | `pictures.rs` | decoded pictures, each with its time |

pub(crate) mod pictures;
pub(crate) mod source;
