//! Photos and animations to WebP: what comes out, seen by ffmpeg, and what is
//! refused.
//!
//! [`scene`] makes pictures whose every part is known, [`files`] puts them into
//! files, [`made`] converts and looks.

mod animations;
mod colours;
mod contact_sheets;
mod faces;
mod files;
mod formats;
mod hostile;
mod made;
pub mod mutations;
mod orientations;
mod pools;
mod qualities;
mod scene;
mod sizes;
