//! Whole files, methods, faults, hanging up.

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use flatbed::client::hikvision::{Config, Download, Error};
use flatbed_media::{Cancel, Context, Input};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::fixture::{TRACK, all, device_of, hasty, minutes, noon, recorder, until};
use crate::support::fixture::{Recorder, Source};
use crate::support::nvr::{Content, Fault, Footage, Length, Nvr, Profile};

/// Ten seconds as a recorder writes them: MPEG-PS, behind a header, with G.711.
fn recording() -> PathBuf {
    let recorder = Recorder {
        imkh: true,
        map: true,
    };
    let source = Source::new().frames(250).audio("pcm_alaw");
    source.recorder(recorder).build().path
}

fn filled(bytes: u64) -> Vec<Footage> {
    vec![Footage::new(TRACK.0, noon(), 3600, Content::Filler(bytes))]
}

async fn bytes(mut download: Download) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(piece) = download.chunk().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

#[tokio::test]
async fn a_recording_comes_as_it_is_and_the_engine_reads_it() {
    let file = recording();
    let content = std::fs::read(&file).unwrap();
    for length in [Length::Told, Length::Chunked, Length::Closes] {
        let profile = Profile {
            length,
            ..Profile::jakarta()
        };
        let footage = vec![Footage::new(
            TRACK.0,
            noon(),
            10,
            Content::File(file.clone()),
        )];
        let (nvr, device) = recorder(profile, footage).await;
        let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
        let download = device.download(&found[0]).await.unwrap();
        let told = (length == Length::Told).then_some(content.len() as u64);
        assert_eq!(download.length(), told, "{length:?}");
        let received = download.received();
        assert!(bytes(download).await.unwrap() == content, "{length:?}");
        assert_eq!(received.bytes(), content.len() as u64);
        assert!(nvr.seen().iter().all(|seen| !seen.range));

        let reader = device
            .download(&found[0])
            .await
            .unwrap()
            .into_reader(Cancel::new());
        let info = spawn_blocking(move || {
            flatbed_media::probe(Input::live("a recording", reader), &Context::new())
        });
        let info = info.await.unwrap().unwrap();
        assert_eq!(info.streams.len(), 2, "{info:?}");
    }
}

#[tokio::test]
async fn the_method_that_is_taken_is_kept() {
    for (methods, refused) in [
        (&["GET", "POST"], 0),
        (&["GET", "GET"], 0),
        (&["POST", "POST"], 1),
    ] {
        let profile = Profile {
            methods,
            ..Profile::default()
        };
        let (nvr, device) = recorder(profile, minutes(noon(), 2)).await;
        let found = device.recordings(TRACK, all(noon(), 2)).await.unwrap();
        nvr.seen();
        for expected in [refused, 0] {
            let download = device.download(&found[0]).await.unwrap();
            assert_eq!(bytes(download).await.unwrap().len(), 1000, "{methods:?}");
            let seen = nvr.seen();
            let count = seen.iter().filter(|seen| seen.status != 200).count();
            assert_eq!(count, expected, "{methods:?}");
            assert!(
                seen.iter()
                    .all(|seen| seen.path == "/ISAPI/ContentMgmt/download")
            );
        }
    }
    // And where the device closes the connection on what it does not know.
    let (nvr, device) = recorder(Profile::default(), minutes(noon(), 1)).await;
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    nvr.fail("download", [Fault::HangUp]);
    let download = device.download(&found[0]).await.unwrap();
    assert_eq!(bytes(download).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn a_download_that_breaks_off_is_no_end() {
    for length in [Length::Told, Length::Chunked] {
        let profile = Profile {
            length,
            ..Profile::default()
        };
        let (nvr, device) = recorder(profile, filled(10 << 20)).await;
        let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
        nvr.fail(
            "download",
            [Fault::Truncate(1 << 20), Fault::Truncate(1 << 20)],
        );
        let download = device.download(&found[0]).await.unwrap();
        let error = bytes(download).await.unwrap_err();
        let told = matches!(error, Error::BrokeOff { received, .. } if received <= 1 << 20);
        assert!(told && error.passes(), "{length:?}: {error}");

        let mut reader = device
            .download(&found[0])
            .await
            .unwrap()
            .into_reader(Cancel::new());
        let read = spawn_blocking(move || {
            let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
            // What has failed stays at its end, and has let go of the device.
            (error, reader.read(&mut [0; 8]).unwrap())
        });
        let (error, more) = read.await.unwrap();
        assert_eq!((error.kind(), more), (io::ErrorKind::ConnectionAborted, 0));
        let whole = device.download(&found[0]).await.unwrap();
        assert_eq!(bytes(whole).await.unwrap().len(), 10 << 20);
    }
}

#[tokio::test]
async fn what_is_no_recording_is_an_error() {
    let (nvr, device) = recorder(Profile::default(), minutes(noon(), 1)).await;
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    nvr.fail("download", [Fault::Empty, Fault::Empty]);
    let error = device.download(&found[0]).await.unwrap_err();
    assert!(
        matches!(error, Error::Empty { .. }) && error.passes(),
        "{error}"
    );

    let page = || Fault::Answer {
        status: 200,
        body: "\r\n <html>Document Error</html>".to_owned(),
    };
    nvr.fail("download", [page(), page()]);
    let error = device.download(&found[0]).await.unwrap_err();
    assert!(matches!(error, Error::Garbled { .. }), "{error}");

    let mut gone = found[0].clone();
    gone.uri.push('x');
    let error = device.download(&gone).await.unwrap_err();
    assert!(
        matches!(error, Error::Refused { .. }) && !error.passes(),
        "{error}"
    );
    assert!(error.to_string().contains("badXmlContent"), "{error}");
    assert_eq!(nvr.downloads_now(), 0);
    assert_eq!(nvr.faults_left(), 0);
}

/// Dropped by a task or by an engine's thread: the device hears of it at once, and
/// the next download begins.
#[tokio::test]
async fn a_download_that_is_dropped_stops() {
    let whole = 4 << 30;
    let (nvr, device) = recorder(Profile::default(), filled(whole)).await;
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    for by_thread in [false, true] {
        nvr.seen();
        let mut download = device.download(&found[0]).await.unwrap();
        let received = download.received();
        if by_thread {
            let mut reader = download.into_reader(Cancel::new());
            let read = spawn_blocking(move || reader.read_exact(&mut vec![0; 1 << 20]));
            read.await.unwrap().unwrap();
        } else {
            while received.bytes() < 1 << 20 {
                download.chunk().await.unwrap().unwrap();
            }
            drop(download);
        }
        let seen = nvr.seen();
        let sent = &seen.last().unwrap().sent;
        until("the device to hear of it", || sent.was_hung_up()).await;
        assert!(
            received.bytes() < 16 << 20,
            "{by_thread}: {}",
            received.bytes()
        );
        // What the network held comes on top.
        assert!(sent.bytes() < 64 << 20, "{by_thread}: {}", sent.bytes());
    }
}

#[tokio::test]
async fn a_download_that_stands_still_ends_by_the_idle_time_and_by_cancel() {
    let nvr = Nvr::start(Profile::default(), filled(10 << 20)).await;
    let config = Config {
        idle: Duration::from_millis(300),
        ..hasty()
    };
    let device = device_of(config, &nvr);
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    nvr.fail("download", vec![Fault::Stall(100_000); 2]);
    let error = bytes(device.download(&found[0]).await.unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::BrokeOff {
                received: 100_000,
                ..
            }
        ),
        "{error}"
    );
    let mut reader = device
        .download(&found[0])
        .await
        .unwrap()
        .into_reader(Cancel::new());
    let read = spawn_blocking(move || io::copy(&mut reader, &mut io::sink()).unwrap_err());
    assert_eq!(read.await.unwrap().kind(), io::ErrorKind::ConnectionAborted);

    // One that has all the time in the world.
    let device = device_of(hasty(), &nvr);
    nvr.fail("download", [Fault::Stall(100_000)]);
    let cancel = Cancel::new();
    let download = device.download(&found[0]).await.unwrap();
    let received = download.received();
    let mut reader = download.into_reader(cancel.clone());
    let begun = Timestamp::now();
    let read = spawn_blocking(move || io::copy(&mut reader, &mut io::sink()).unwrap_err());
    until("the device to stand still", || received.bytes() == 100_000).await;
    cancel.cancel();
    let error = read.await.unwrap();
    assert!(error.to_string().contains("cancelled"), "{error}");
    assert!(
        Timestamp::now().duration_since(begun).as_secs() < 20,
        "by the idle time"
    );
    until("the device to be let go", || nvr.downloads_now() == 0).await;
}

#[tokio::test]
async fn a_recording_is_no_larger_than_allowed() {
    let nvr = Nvr::start(Profile::default(), filled(10 << 20)).await;
    let config = Config {
        most_bytes: 1 << 20,
        ..hasty()
    };
    let device = device_of(config, &nvr);
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    let error = bytes(device.download(&found[0]).await.unwrap())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooMuch { .. }), "{error}");
}

/// A device that says nothing is waited for no longer than the idle time.
#[tokio::test]
async fn silence_ends_a_call() {
    let nvr = Nvr::start(Profile::default(), minutes(noon(), 1)).await;
    let config = Config {
        idle: Duration::from_millis(300),
        ..hasty()
    };
    let device = device_of(config, &nvr);
    nvr.fail("search", [Fault::Silence]);
    let error = device.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    assert!(
        matches!(error, Error::Away { .. }) && error.passes(),
        "{error}"
    );
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    nvr.fail("download", [Fault::Silence, Fault::Silence]);
    let error = device.download(&found[0]).await.unwrap_err();
    assert!(matches!(error, Error::Away { .. }), "{error}");
}
