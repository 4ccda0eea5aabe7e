//! The frames that a player shows, as the engine's own tests see them:
//! `media/tests/observe` without the rest of it.

#[path = "../../media/tests/observe/shown.rs"]
mod shown;
#[path = "../../media/tests/observe/tool.rs"]
mod tool;

pub use shown::{numbers, shown};
