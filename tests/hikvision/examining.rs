//! What an operator is told.

use flatbed::client::hikvision::{Error, Scheme, Settings, TimeMode, Track};
use flatbed::config::Secret;
use jiff::Timestamp;

use super::fixture::{TRACK, after, client, minutes, noon, recorder, settings};
use crate::support::nvr::{Login, Nvr, Profile};

#[tokio::test]
async fn a_device_that_is_well() {
    let start = after(Timestamp::now(), -600);
    let profile = Profile {
        login: Login::Basic,
        ..Profile::jakarta()
    };
    let nvr = Nvr::start(profile, minutes(start, 10)).await;
    let settings = Settings {
        time: TimeMode::Auto,
        ..settings(&nvr)
    };
    let device = client().device(settings).unwrap();
    let told = device.examine(TRACK).await;
    assert!(told.is_well(), "{told:?}");
    assert_eq!(told.login, Ok(Scheme::Basic));
    assert_eq!(told.model.as_deref(), Ok("DS-7616NXI-K2 V4.84.100"));
    assert_eq!(
        (told.time.clone(), told.offset.clone()),
        (Ok("local"), Ok(7 * 3600))
    );
    assert_eq!(told.recordings, Ok(10));
    let tracks = told.tracks.as_ref().unwrap();
    let numbers: Vec<u32> = tracks.iter().map(|channel| channel.track.0).collect();
    assert_eq!(numbers, [101, 102, 201, 202]);
    assert_eq!(tracks[0].name.as_deref(), Some("Packing table & door"));
    assert!(told.advice().iter().any(|advice| advice.contains("https")));
    assert!(
        nvr.seen()
            .iter()
            .all(|seen| !seen.path.ends_with("download"))
    );
}

/// A camera has no list of inputs, and its streams have the names.
#[tokio::test]
async fn a_camera() {
    let profile = Profile {
        is_recorder: false,
        ..Profile::default()
    };
    let (_nvr, device) = recorder(profile, minutes(noon(), 1)).await;
    let told = device.examine(Track(201)).await;
    assert_eq!(
        told.tracks.as_ref().unwrap()[2].name.as_deref(),
        Some("Camera 02")
    );
    assert_eq!(told.recordings, Ok(0));
    assert!(
        told.advice()
            .iter()
            .any(|advice| advice.contains("nothing of this track"))
    );
}

#[tokio::test]
async fn a_device_that_is_not() {
    let nvr = Nvr::start(Profile::default(), Vec::new()).await;
    let wrong = Settings {
        password: Secret::new("hunter2"),
        ..settings(&nvr)
    };
    let told = client().device(wrong).unwrap().examine(TRACK).await;
    assert!(!told.is_well());
    assert!(
        matches!(told.login, Err(Error::Password { .. })),
        "{told:?}"
    );
    assert_eq!(nvr.wrong(), 1, "asked no more");

    let address = nvr.address();
    drop(nvr);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    assert_ne!(port, address.port());
    let away = Settings {
        port: Some(port),
        ..Settings::new("127.0.0.1", "admin", Secret::new("hunter2"))
    };
    let told = client().device(away).unwrap().examine(TRACK).await;
    let error = told.login.unwrap_err();
    assert!(matches!(error, Error::Away { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
