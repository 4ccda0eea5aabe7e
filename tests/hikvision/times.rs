//! UTC, local time, and finding out which.

use flatbed::client::hikvision::{Device, Error, Settings, Span, TimeMode};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::fixture::{TRACK, after, all, at, client, minutes, noon, recorder, settings};
use crate::support::nvr::{Footage, Nvr, Profile};

/// The same recorder, with another time mode.
fn with(nvr: &Nvr, time: TimeMode) -> Device {
    let settings = Settings {
        time,
        ..settings(nvr)
    };
    client().device(settings).unwrap()
}

fn zone(hours: i8) -> Profile {
    Profile {
        zone: TimeZone::fixed(jiff::tz::offset(hours)),
        posix: match hours {
            7 => "CST-7:00:00",
            -5 => "CST+5:00:00",
            1 => "CST-1:00:00",
            _ => "CST0:00:00",
        },
        winter: hours,
        ..Profile::default()
    }
}

/// So many minutes that end just now.
fn until_now(count: i64) -> (Timestamp, Vec<Footage>) {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let start = after(now, -60 * count);
    (start, minutes(start, count))
}

#[tokio::test]
async fn local_times_are_turned_both_ways() {
    for profile in [Profile::jakarta(), Profile::berlin(), Profile::default()] {
        let (nvr, device) = recorder(profile, minutes(noon(), 5)).await;
        let span = Span::new(after(noon(), 90), after(noon(), 100));
        let found = device.recordings(TRACK, span).await.unwrap();
        assert_eq!(found.len(), 1, "{}", nvr.profile().posix);
        assert_eq!(found[0].start, after(noon(), 60));
    }
    // In winter the same device is an hour off summer.
    let christmas = at("2026-12-24T12:00:00Z");
    let (_nvr, device) = recorder(Profile::berlin(), minutes(christmas, 5)).await;
    let found = device.recordings(TRACK, all(christmas, 2)).await.unwrap();
    assert_eq!(found[1].start, after(christmas, 60));
}

#[tokio::test]
async fn the_hour_that_comes_twice_is_not_lost() {
    // Summer ends at 01:00 UTC.
    let before = at("2026-10-25T00:30:00Z");
    let (_nvr, device) = recorder(Profile::berlin(), minutes(before, 60)).await;
    for minute in [0, 10, 28, 30, 35, 59] {
        let start = after(before, 60 * minute);
        let span = Span::new(after(start, 10), after(start, 20));
        let found = device.recordings(TRACK, span).await.unwrap();
        assert_eq!(
            found.iter().filter(|found| found.start == start).count(),
            1,
            "{minute}"
        );
    }
    let across = Span::new(after(before, 60 * 25), after(before, 60 * 35));
    let found = device.recordings(TRACK, across).await.unwrap();
    assert!(found.len() >= 10);
}

#[tokio::test]
async fn a_zone_can_be_given_where_the_devices_own_is_wrong() {
    let profile = Profile {
        posix: "CST-8:00:00",
        winter: 8,
        ..Profile::jakarta()
    };
    let (nvr, _) = recorder(profile, minutes(noon(), 5)).await;
    for zone in ["+07:00", "Asia/Jakarta"] {
        let device = with(&nvr, zone.parse().unwrap());
        let found = device.recordings(TRACK, all(noon(), 5)).await.unwrap();
        assert_eq!(found[0].start, noon(), "{zone}");
    }
    assert!(nvr.seen().iter().all(|seen| !seen.path.ends_with("time")));
}

#[tokio::test]
async fn what_records_now_shows_what_its_times_mean() {
    for hours in [7, -5, 1, 0] {
        for local in [true, false] {
            let (start, footage) = until_now(30);
            let profile = Profile {
                local,
                ..zone(hours)
            };
            let (nvr, _) = recorder(profile, footage).await;
            let device = with(&nvr, TimeMode::Auto);
            let span = Span::new(after(start, 70), after(start, 80));
            let found = device.recordings(TRACK, span).await.unwrap();
            assert_eq!(found.len(), 1, "{hours} {local}");
            assert_eq!(found[0].start, after(start, 60), "{hours} {local}");
            // It is found out once.
            nvr.seen();
            device.recordings(TRACK, span).await.unwrap();
            let again = nvr.seen().len();
            assert!(again == 1 || hours == 0, "{hours} {local}: {again}");
        }
    }
}

/// It need not record at this moment: east of Greenwich what lies in UTC's future
/// tells, west of it what lies in the wall clock's.
#[tokio::test]
async fn what_was_recorded_lately_is_enough() {
    for (hours, local) in [(7, true), (-5, false)] {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let start = after(now, -3 * 3600);
        let profile = Profile {
            local,
            ..zone(hours)
        };
        let (nvr, _) = recorder(profile, minutes(start, 5)).await;
        let device = with(&nvr, TimeMode::Auto);
        let found = device.recordings(TRACK, all(start, 5)).await.unwrap();
        assert_eq!(found[0].start, start, "{hours} {local}");
    }
}

#[tokio::test]
async fn nothing_is_guessed() {
    let (nvr, _) = recorder(Profile::jakarta(), minutes(noon(), 5)).await;
    let device = with(&nvr, TimeMode::Auto);
    let error = device.recordings(TRACK, all(noon(), 5)).await.unwrap_err();
    assert!(
        matches!(error, Error::TimeMode { .. }) && error.passes(),
        "{error}"
    );
    assert!(error.to_string().contains("+07"), "{error}");
    // In Greenwich both readings are one.
    let (nvr, _) = recorder(zone(0), minutes(noon(), 5)).await;
    let device = with(&nvr, TimeMode::Auto);
    assert_eq!(
        device
            .recordings(TRACK, all(noon(), 5))
            .await
            .unwrap()
            .len(),
        5
    );
}

/// A clock that is a few minutes off does not change what its times mean.
#[tokio::test]
async fn a_clock_that_is_off_is_looked_through() {
    for ahead in [-200, 200] {
        let (start, footage) = until_now(60);
        let profile = Profile {
            ahead,
            ..Profile::jakarta()
        };
        let (nvr, _) = recorder(profile, footage).await;
        let device = with(&nvr, TimeMode::Auto);
        let found = device.recordings(TRACK, all(start, 60)).await.unwrap();
        let first = found.iter().find(|found| found.uri == nvr.uri(10)).unwrap();
        assert_eq!(first.start, after(start, 600 + ahead), "by its own clock");
        let told = device.examine(TRACK).await;
        assert!((told.clock_ahead.clone().unwrap() - ahead).abs() <= 2);
        assert!(told.advice().iter().any(|advice| advice.contains("NTP")));
    }
}
