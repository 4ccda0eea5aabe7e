//! A HikCentral to try things with:
//! `hikcentral [--port PORT] [--tls] [--quota REQUESTS] [--busy-every REQUESTS]
//! [--load PEOPLE]`. It keeps people in memory, checks every signature, refuses more than
//! so many requests a second, and says what it has. With `--load` our client adds so many
//! people to it, and it ends. It is for tests alone.

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
use std::time::{Duration, Instant};

use bytes::Bytes;
use flatbed::client::hikcentral::{
    Config, CustomField, HikCentral, NewPerson, PersonCode, PersonId, Trust,
};
use flatbed::config::Secret;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use hikcentral::{HikCentralServer, Profile, Quota};

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "hikcentral [--port PORT] [--tls] [--quota REQUESTS] [--busy-every REQUESTS] \
                 [--load PEOPLE]";
    let mut profile = Profile {
        keeps: false,
        ..Profile::default()
    };
    let (mut port, mut load) = (0, None);
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
            "--load" => load = Some(number()?.parse()?),
            _ => return Err(usage.into()),
        }
    }
    let server = HikCentralServer::at(profile, port)?;
    if let Some(people) = load {
        return fill(&server, people);
    }
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

/// As the worker's stages do: look up, add with a face, a field, three groups; 16 people
/// at once.
#[tokio::main(worker_threads = 2)]
async fn fill(server: &HikCentralServer, people: u32) -> Result<(), Box<dyn Error>> {
    let Profile {
        key, secret, tls, ..
    } = server.profile();
    let mut config = Config::new(server.url().parse()?, Secret::new(key), Secret::new(secret));
    if *tls {
        config.trust = Trust::Anyone;
    }
    config.concurrency = 16;
    let client = HikCentral::new(config)?;
    let mut face = vec![0xff, 0xd8, 0xff];
    face.resize(30_000, 0x55);
    face.extend([0xff, 0xd9]);
    let face = Bytes::from(face);
    let began = Instant::now();
    let added = stream::iter(0..people).map(|number| add(&client, number, face.clone()));
    let added: Vec<_> = added.buffer_unordered(16).try_collect().await?;
    let seconds = began.elapsed().as_secs_f64();
    let (requests, connections) = (server.requests(), server.connections());
    let rate = f64::from(people) / seconds;
    println!(
        "{} people in {seconds:.2} s, {rate:.0} a second; {requests} requests over {connections} \
         connections",
        added.len()
    );
    Ok(())
}

async fn add(client: &HikCentral, number: u32, face: Bytes) -> Result<PersonId, Box<dyn Error>> {
    let code: PersonCode = number.to_string().parse()?;
    if client.person_by_code(&code).await?.is_some() {
        return Err("somebody is there".into());
    }
    let person = NewPerson {
        given_name: "Sample".to_owned(),
        family_name: format!("Person {number}"),
        organisation: "1".to_owned(),
        face: Some(face),
        begin: None,
        end: None,
        code,
    };
    let id = client.add_person(&person).await?;
    let field = CustomField {
        id: "1".to_owned(),
        name: "KIB".to_owned(),
        kind: 0,
    };
    client
        .set_custom_field(&id, &field, person.code.as_str())
        .await?;
    let groups = ["1", "2", "8"].map(|group| client.add_to_group(group, &id));
    try_join_all(groups).await?;
    Ok(id)
}
