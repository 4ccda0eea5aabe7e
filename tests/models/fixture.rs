//! Clients with little patience, pictures and sounds.

use std::time::Duration;

use flatbed::client::models::{Config, Data, Models, Sound};
use flatbed::config::Secret;
use flatbed::telemetry::Metrics;

use crate::support::models::{ModelServer, Profile, Tone, wav};

/// A JPEG, as far as anybody looks; each number another one.
pub fn picture(number: u8) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0flatbed".as_slice(), &[number]].concat()
}

/// Two tones with a pause between them, in four seconds.
pub const TONES: [Tone; 2] = [
    Tone {
        start: 500,
        end: 1500,
        pitch: 440,
    },
    Tone {
        start: 2500,
        end: 3250,
        pitch: 880,
    },
];

pub fn sound() -> Sound {
    Sound {
        name: "talk.wav".to_owned(),
        length: Duration::from_secs(4),
        data: Data::Bytes(wav(4000, &TONES).into()),
    }
}

/// As a server's address has it, with its key, and soon tired.
pub fn config(server: &ModelServer) -> Config {
    let url = format!("{}/", server.url()).parse().expect("an address");
    Config {
        key: Some(Secret::new(Profile::KEY)),
        timeout: Duration::from_secs(60),
        patience: Duration::from_secs(120),
        first_pause: Duration::from_millis(10),
        ..Config::new(url)
    }
}

pub fn client_of(config: Config) -> Models {
    let metrics = Metrics::new().expect("metrics");
    Models::new(config, metrics.models()).expect("a client")
}

pub fn client(server: &ModelServer) -> Models {
    client_of(config(server))
}

/// OpenAI's, and a client of it.
pub fn models() -> (ModelServer, Models) {
    let server = ModelServer::start(Profile::default());
    let client = client(&server);
    (server, client)
}

/// Waits for what the other side does, with a bound for what hangs.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    assert!(waited.is_ok(), "waited for {what}");
}
