//! Exports, as a client of the API sees them: the built program serves, `curl`
//! asks, `ffprobe` judges what comes out.

mod cloud;
mod door;
mod life;
mod server;
mod webhook;
mod worker;

pub use server::Server;
