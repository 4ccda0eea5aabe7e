//! Dialects, pages, namespaces.

use flatbed::client::hikvision::{Error, Span};

use super::fixture::{TRACK, after, all, at, minutes, noon, recorder};
use crate::support::nvr::{Content, Fault, Footage, Grammar, Profile};

const ISAPI: &str = "http://www.isapi.org/ver20/XMLSchema";
const HIKVISION: &str = "http://www.hikvision.com/ver20/XMLSchema";

fn strict(
    declaration: bool,
    attributes: &'static str,
    braces: bool,
    list: &'static str,
) -> Profile {
    Profile {
        grammar: Grammar::Strict {
            declaration,
            attributes,
            braces,
            list,
        },
        ..Profile::default()
    }
}

#[tokio::test]
async fn each_dialect_is_found_and_kept() {
    for profile in [
        strict(false, "", false, "trackIDList"),
        strict(true, HIKVISION, false, "trackIDList"),
        strict(true, ISAPI, true, "trackIDList"),
        strict(true, "", true, "trackIDList"),
        strict(true, HIKVISION, true, "trackList"),
        strict(true, ISAPI, false, "trackList"),
        strict(false, "", false, "trackList"),
    ] {
        let grammar = profile.grammar;
        let (nvr, device) = recorder(profile, minutes(noon(), 2)).await;
        let found = device.recordings(TRACK, all(noon(), 2)).await.unwrap();
        assert_eq!(found.len(), 2, "{grammar:?}");
        nvr.seen();
        device.recordings(TRACK, all(noon(), 2)).await.unwrap();
        assert_eq!(nvr.seen().len(), 1, "{grammar:?}: the one that was taken");
    }
    let none = strict(true, "urn:nobody", true, "tracks");
    let (nvr, device) = recorder(none, minutes(noon(), 2)).await;
    let error = device.recordings(TRACK, all(noon(), 2)).await.unwrap_err();
    assert!(error.to_string().contains("badXmlContent"), "{error}");
    assert!(!error.passes());
    assert_eq!(nvr.seen().len(), 1 + 7);
}

#[tokio::test]
async fn every_namespace_is_read() {
    for namespace in [
        HIKVISION,
        ISAPI,
        "http://www.std-cgi.com/ver20/XMLSchema",
        "urn:psialliance-org",
    ] {
        for prefix in ["", "ns"] {
            let profile = Profile {
                namespace,
                prefix,
                ..Profile::default()
            };
            let (nvr, device) = recorder(profile, minutes(noon(), 2)).await;
            let found = device.recordings(TRACK, all(noon(), 2)).await.unwrap();
            assert_eq!(found[1].uri, nvr.uri(1), "{namespace} {prefix}");
            assert_eq!(found[1].size_hint, Some(1001));
            assert_eq!(
                found[1].span(),
                Span::new(after(noon(), 60), after(noon(), 120))
            );
        }
    }
}

#[tokio::test]
async fn all_pages_are_read_and_nothing_twice() {
    for (page, ignores_position, counts_page) in [
        (64, false, false),
        (64, false, true),
        (10, false, false),
        (10, false, true),
        (1, false, false),
        (10, true, false),
        (10, true, true),
        (64, true, true),
        (2, true, false),
    ] {
        let profile = Profile {
            page,
            ignores_position,
            counts_page,
            ..Profile::default()
        };
        let (nvr, device) = recorder(profile, minutes(noon(), 95)).await;
        for count in [95, 40, 10, 3] {
            let found = device.recordings(TRACK, all(noon(), count)).await.unwrap();
            let expected: Vec<_> = (0..count)
                .map(|minute| after(noon(), 60 * minute))
                .collect();
            let starts: Vec<_> = found.iter().map(|recording| recording.start).collect();
            assert_eq!(starts, expected, "{page} {ignores_position} {counts_page}");
        }
        let searches = nvr.seen().len();
        let most = if page < 10 { 400 } else { 100 };
        assert!(searches < most, "{page} {ignores_position}: {searches}");
    }
}

/// What other tracks have fills whole pages, and counts.
#[tokio::test]
async fn other_tracks_recordings_are_passed_over() {
    for ignores_position in [false, true] {
        let profile = Profile {
            page: 10,
            ignores_track: true,
            ignores_position,
            ..Profile::default()
        };
        let others = minutes(noon(), 30).into_iter().map(|footage| Footage {
            track: 201,
            ..footage
        });
        let mut footage: Vec<Footage> = others.collect();
        footage.extend(minutes(noon(), 30));
        if ignores_position {
            // By time: it must list them so.
            footage.sort_by_key(|footage| (footage.start, footage.track));
        }
        let (_nvr, device) = recorder(profile, footage).await;
        let found = device.recordings(TRACK, all(noon(), 30)).await.unwrap();
        let starts: Vec<_> = found.iter().map(|recording| recording.start).collect();
        let expected: Vec<_> = (0..30).map(|minute| after(noon(), 60 * minute)).collect();
        assert_eq!(starts, expected, "{ignores_position}");
    }
}

/// A device that gives one recording a page and knows no positions would have it
/// asked for the same one for ever.
#[tokio::test]
async fn repetition_ends_a_search() {
    let profile = Profile {
        page: 1,
        ignores_position: true,
        ..Profile::default()
    };
    let gaps = (0..5).map(|number| {
        Footage::new(
            TRACK.0,
            after(noon(), 100 * number),
            60,
            Content::Filler(10),
        )
    });
    let (nvr, device) = recorder(profile, gaps.collect()).await;
    let found = device.recordings(TRACK, all(noon(), 60)).await.unwrap();
    assert_eq!(found.len(), 5);
    assert!(nvr.seen().len() < 30);
}

#[tokio::test]
async fn only_what_overlaps_is_listed() {
    let mut footage = minutes(noon(), 3);
    footage.push(Footage::new(201, noon(), 60, Content::Filler(10)));
    let (nvr, device) = recorder(Profile::default(), footage).await;
    let list = |from: i64, to: i64| {
        let span = Span::new(after(noon(), from), after(noon(), to));
        let device = device.clone();
        async move { device.recordings(TRACK, span).await.unwrap().len() }
    };
    assert_eq!(list(0, 60).await, 1, "touching is not overlapping");
    assert_eq!(list(30, 90).await, 2);
    assert_eq!(list(-60, 0).await, 0);
    assert_eq!(list(180, 400).await, 0);
    nvr.seen();
    assert_eq!(list(90, 30).await, 0, "a span that ends before it begins");
    assert!(nvr.seen().is_empty());
    // Half a second belongs to its whole second.
    let span = Span::new(at("2026-07-24T12:00:59.5Z"), at("2026-07-24T12:01:00.5Z"));
    assert_eq!(device.recordings(TRACK, span).await.unwrap().len(), 2);
}

#[tokio::test]
async fn answers_that_are_none_are_errors() {
    let huge = format!("<CMSearchResult>{}</CMSearchResult>", "x".repeat(5 << 20));
    let deep = format!("<CMSearchResult>{}", "<a>".repeat(10_000));
    let item = |time: &str| {
        format!(
            "<CMSearchResult><responseStatusStrg>OK</responseStatusStrg><matchList><searchMatchItem>\
             <timeSpan><startTime>{time}</startTime><endTime>{time}</endTime></timeSpan>\
             <playbackURI>rtsp://x/</playbackURI></searchMatchItem></matchList></CMSearchResult>"
        )
    };
    let (nvr, device) = recorder(Profile::default(), minutes(noon(), 1)).await;
    for body in [
        String::new(),
        "<html>".to_owned(),
        "<!DOCTYPE html><html></html>".to_owned(),
        "<DeviceInfo/>".to_owned(),
        item("soon"),
        item(""),
        deep,
        huge,
    ] {
        nvr.fail("search", [Fault::Answer { status: 200, body }]);
        let error = device.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
        let told = matches!(error, Error::Garbled { .. } | Error::TooMuch { .. });
        assert!(told && error.to_string().lines().count() == 1, "{error}");
    }
    for (status, sub, passes) in [(403, "lowPrivilege", false), (500, "deviceError", true)] {
        let body = format!(
            "<ResponseStatus><statusCode>3</statusCode><subStatusCode>{sub}</subStatusCode></ResponseStatus>"
        );
        nvr.fail("search", [Fault::Answer { status, body }]);
        let error = device.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
        assert_eq!(error.passes(), passes, "{error}");
        assert!(error.to_string().contains(sub), "{error}");
    }
    nvr.fail("search", [Fault::HangUp]);
    let error = device.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    assert!(matches!(error, Error::Away { .. }), "{error}");
    assert_eq!(
        device
            .recordings(TRACK, all(noon(), 1))
            .await
            .unwrap()
            .len(),
        1
    );
}
