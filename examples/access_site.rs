//! Eposh and HikCentral, simulated, to try the way to the gates with:
//! `access_site PEOPLE`. It prints what `flatbed serve` is to be set to, a line each,
//! and an empty one; and `through` when so many people have all of their privilege
//! groups and nobody is there twice. It is for tests alone.

#[path = "../tests/support/eposh/mod.rs"]
#[allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the tests', which panic on what they did not expect"
)]
mod eposh;
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
use std::io::Write;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use eposh::{EposhServer, TOKEN, groups, kib_number};
use hikcentral::{HikCentralServer, Profile, path};

/// What the tests' servers need of the tests beside them.
mod support {
    use super::PathBuf;

    /// A folder that goes with its value.
    pub struct Folder(tempfile::TempDir);

    impl Folder {
        #[allow(clippy::expect_used, reason = "as the tests have it")]
        pub fn empty() -> Self {
            Self(tempfile::tempdir().expect("a temporary folder"))
        }

        pub fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let people: usize = std::env::args()
        .nth(1)
        .ok_or("access_site PEOPLE")?
        .parse()?;
    let eposh = EposhServer::start([("2026-01-01", people)]);
    let profile = Profile {
        keeps: false,
        ..Profile::default()
    };
    let hikcentral = HikCentralServer::start(profile);
    // They are made when they are first asked for.
    for kind in [eposh::Face::Png, eposh::Face::Jpeg, eposh::Face::WebP] {
        eposh::picture(kind);
    }
    let mut out = std::io::stdout();
    writeln!(out, "EPOSH_API_URL={}", eposh.url())?;
    writeln!(out, "EPOSH_API_TOKEN={TOKEN}")?;
    writeln!(out, "HIKCENTRAL_URL={}", hikcentral.url())?;
    writeln!(out, "HIKCENTRAL_APP_KEY={}", hikcentral.profile().key)?;
    writeln!(out, "HIKCENTRAL_APP_SECRET={}", hikcentral.profile().secret)?;
    writeln!(
        out,
        "HIKCENTRAL_ORG_INDEX_CODE=2\nHIKCENTRAL_KIB_FIELD_ID=1"
    )?;
    writeln!(out, "FETCH_ALLOW_HOSTS=127.0.0.1\n")?;
    out.flush()?;

    let wanted: usize = (0..people).map(|number| groups(number).len()).sum();
    while hikcentral.requests_of(path::GROUP) < wanted {
        sleep(Duration::from_millis(5));
    }
    while !(0..people).all(|number| is_through(&hikcentral, number)) {
        sleep(Duration::from_millis(20));
    }
    let there = hikcentral.people().len();
    if there != people {
        return Err(format!("there are {there} people, and should be {people}").into());
    }
    writeln!(out, "through")?;
    Ok(())
}

fn is_through(hikcentral: &HikCentralServer, number: usize) -> bool {
    let kib = kib_number(number);
    hikcentral.person(&kib).is_some_and(|person| {
        person.fields.get("1") == Some(&kib) && person.groups.len() == groups(number).len()
    })
}
