//! The recordings that the engine's own tests are made with: `media/tests/fixture`
//! without the tests of itself.

#[path = "../../media/tests/fixture/barcode.rs"]
pub mod barcode;
#[path = "../../media/tests/fixture/cache.rs"]
mod cache;
#[path = "../../media/tests/fixture/chunks.rs"]
mod chunks;
#[path = "../../media/tests/fixture/command.rs"]
mod command;
#[path = "../../media/tests/fixture/elementary.rs"]
mod elementary;
#[path = "../../media/tests/fixture/encode.rs"]
mod encode;
#[path = "../../media/tests/fixture/matroska.rs"]
mod matroska;
#[path = "../../media/tests/fixture/picture.rs"]
mod picture;
#[path = "../../media/tests/fixture/program_stream.rs"]
mod program_stream;
#[path = "../../media/tests/fixture/random.rs"]
mod random;
#[path = "../../media/tests/fixture/recording.rs"]
mod recording;
#[path = "../../media/tests/fixture/sound.rs"]
mod sound;

pub use encode::Source;
pub use program_stream::Recorder;
