//! One at a time, and busy devices.

use std::time::Duration;

use flatbed::client::hikvision::{Config, Error};
use futures_util::future::join_all;

use super::fixture::{TRACK, all, client, device_of, hasty, minutes, noon, recorder, settings};
use crate::support::nvr::{Fault, Nvr, Profile};

fn busy(status: u16) -> Fault {
    Fault::Busy { status, told: true }
}

#[tokio::test]
async fn a_busy_device_is_asked_again() {
    let (nvr, device) = recorder(Profile::default(), minutes(noon(), 1)).await;
    let untold = Fault::Busy {
        status: 503,
        told: false,
    };
    nvr.fail(
        "search",
        [busy(400), busy(403), busy(503), busy(200), untold.clone()],
    );
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    assert_eq!(found.len(), 1);
    nvr.fail(
        "download",
        [busy(400), busy(403), busy(503), busy(200), untold],
    );
    let mut download = device.download(&found[0]).await.unwrap();
    assert_eq!(download.chunk().await.unwrap().unwrap().len(), 1000);
    assert_eq!(nvr.faults_left(), 0);
}

#[tokio::test]
async fn a_device_that_stays_busy_is_left_alone_after_a_while() {
    let nvr = Nvr::start(Profile::default(), minutes(noon(), 1)).await;
    let config = Config {
        busy: Duration::from_millis(200),
        ..hasty()
    };
    let device = device_of(config, &nvr);
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    nvr.fail("download", vec![busy(503); 1000]);
    let error = device.download(&found[0]).await.unwrap_err();
    assert!(
        matches!(error, Error::Busy { tries, .. } if tries > 1),
        "{error}"
    );
    assert!(error.passes());
    let asked = nvr.seen().len();
    assert!(asked < 20, "asked {asked} times in 200 ms");
}

#[tokio::test]
async fn one_question_and_one_download_at_a_time() {
    let nvr = Nvr::start(Profile::default(), minutes(noon(), 8)).await;
    let client = client();
    let whole = all(noon(), 8);
    // As jobs do: each with a device of its own, made of the same settings.
    let work = (0..8).map(|number| {
        let device = client.device(settings(&nvr)).unwrap();
        async move {
            let found = device.recordings(TRACK, whole).await.unwrap();
            let mut download = device.download(&found[number]).await.unwrap();
            let mut bytes = 0;
            while let Some(piece) = download.chunk().await.unwrap() {
                bytes += piece.len();
                tokio::task::yield_now().await;
            }
            assert_eq!(bytes, 1000 + number);
        }
    });
    join_all(work).await;
    assert_eq!(nvr.most_downloads(), 1);
    // A question and a download may come together.
    assert!(nvr.most_asked() <= 2, "{}", nvr.most_asked());
    let refused = nvr
        .seen()
        .into_iter()
        .filter(|seen| seen.status == 503)
        .count();
    assert!(refused <= 8, "refused {refused} times");
}

#[tokio::test]
async fn more_at_a_time_where_it_is_allowed() {
    let profile = Profile {
        downloads: 2,
        ..Profile::default()
    };
    let nvr = Nvr::start(profile, minutes(noon(), 4)).await;
    let config = Config {
        downloads: 2,
        ..hasty()
    };
    let device = device_of(config, &nvr);
    let found = device.recordings(TRACK, all(noon(), 4)).await.unwrap();
    let first = device.download(&found[0]).await.unwrap();
    let second = device.download(&found[1]).await.unwrap();
    // The third has to wait for one of them.
    let third = tokio::spawn({
        let (device, recording) = (device.clone(), found[2].clone());
        async move { device.download(&recording).await }
    });
    drop(first);
    third.await.unwrap().unwrap();
    drop(second);
    assert!(nvr.most_downloads() <= 2);
}

/// Who gives up while he waits does not keep his turn.
#[tokio::test]
async fn a_turn_that_is_given_up_is_free() {
    let (_nvr, device) = recorder(Profile::default(), minutes(noon(), 2)).await;
    let found = device.recordings(TRACK, all(noon(), 2)).await.unwrap();
    let first = device.download(&found[0]).await.unwrap();
    let waiting = tokio::spawn({
        let (device, recording) = (device.clone(), found[1].clone());
        async move { device.download(&recording).await.map(drop) }
    });
    tokio::task::yield_now().await;
    waiting.abort();
    drop(first);
    let mut last = device.download(&found[1]).await.unwrap();
    assert_eq!(last.chunk().await.unwrap().unwrap().len(), 1001);
}
