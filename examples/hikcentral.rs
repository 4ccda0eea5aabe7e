//! A HikCentral to try things with:
//! `hikcentral [--port PORT] [--tls] [--quota REQUESTS] [--busy-every REQUESTS]`. It
//! keeps people in memory, checks every signature, refuses more than so many requests a
//! second, and says what it has. It is for tests alone.

#[path = "../tests/support/hikcentral/mod.rs"]
#[allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the tests', which panic on what they did not expect"
)]
mod hikcentral;

use std::error::Error;
use std::time::Duration;

use hikcentral::{HikCentralServer, Profile, Quota};

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "hikcentral [--port PORT] [--tls] [--quota REQUESTS] [--busy-every REQUESTS]";
    let mut profile = Profile {
        keeps: false,
        ..Profile::default()
    };
    let mut port = 0;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or(usage);
        match argument.as_str() {
            "--port" => port = number()?.parse()?,
            "--tls" => profile.tls = true,
            "--quota" => {
                let requests = number()?.parse()?;
                let each = Duration::from_secs(1);
                profile.quota = Some(Quota { requests, each });
            }
            "--busy-every" => profile.busy_every = Some(number()?.parse()?),
            _ => return Err(usage.into()),
        }
    }
    let server = HikCentralServer::at(profile, port)?;
    let profile = server.profile();
    println!("HIKCENTRAL_URL={}", server.url());
    println!("HIKCENTRAL_APP_KEY={}", profile.key);
    println!("HIKCENTRAL_APP_SECRET={}", profile.secret);
    println!("HIKCENTRAL_ORG_INDEX_CODE={}", profile.organisations[0].0);
    println!("HIKCENTRAL_KIB_FIELD_ID={}", profile.fields[0]);
    if profile.tls {
        println!("HIKCENTRAL_CA_FILE={}", server.certificate().display());
    }
    let mut told = 0;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let requests = server.requests();
        if requests != told {
            told = requests;
            let (people, forged) = (server.count(), server.forged());
            println!("{people} people after {requests} requests, {forged} of them forged");
        }
    }
}
