//! Clients with little patience.

use std::time::Duration;

use flatbed::client::eposh::{Config, Eposh};
use flatbed::config::Secret;
use jiff::civil::Date;

use crate::support::eposh::{EposhServer, TOKEN};

pub fn config(server: &EposhServer) -> Config {
    Config {
        timeout: Duration::from_secs(60),
        patience: Duration::from_secs(120),
        first_pause: Duration::from_millis(10),
        ..Config::new(
            server.url().parse().expect("an address"),
            Secret::new(TOKEN),
        )
    }
}

pub fn client_of(config: Config) -> Eposh {
    Eposh::new(config).expect("a client")
}

/// Eposh with so many people on the first of January, and a client of it.
pub fn eposh(people: usize) -> (EposhServer, Eposh) {
    let server = EposhServer::start([("2026-01-01", people)]);
    let client = client_of(config(&server));
    (server, client)
}

pub fn first() -> Date {
    Date::constant(2026, 1, 1)
}
