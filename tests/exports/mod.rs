//! Exports, as a client of the API sees them: the built program serves, `curl`
//! asks, `ffprobe` judges what comes out.

pub mod cloud;
mod document;
mod door;
mod faults;
mod life;
mod memory;
mod server;
mod webhook;
mod worker;

pub use document::Tour;
pub use memory::memory;
pub use server::{Answer, Server};
