//! Models to try things with: `models [--port PORT] [--key KEY]`. It answers as OpenAI's
//! API does, without any model behind it. It is for tests alone.

#[path = "../tests/support/models/mod.rs"]
#[allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the tests', which panic on what they did not expect"
)]
mod models;

use std::error::Error;

use models::{ModelServer, Profile};

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "models [--port PORT] [--key KEY]";
    let mut profile = Profile {
        key: None,
        ..Profile::default()
    };
    let mut port = 0;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or(usage)?;
        match argument.as_str() {
            "--port" => port = value.parse()?,
            "--key" => profile.key = Some(value.leak()),
            _ => return Err(usage.into()),
        }
    }
    let server = ModelServer::at(profile, port)?;
    println!("OPENAI_BASE_URL={}", server.url());
    loop {
        std::thread::park();
    }
}
