//! Digest, Basic, stale nonces, wrong passwords, locks.

use std::time::Duration;

use flatbed::client::hikvision::{Config, Error, Hikvision, Settings};
use flatbed::config::Secret;

use super::fixture::{TRACK, all, client, hasty, minutes, noon, recorder, settings};
use crate::support::nvr::{Fault, Login, Nvr, Profile, Shown};

fn with(login: Login) -> Profile {
    Profile {
        login,
        ..Profile::default()
    }
}

#[tokio::test]
async fn every_scheme_is_spoken() {
    for (login, shown) in [
        (Login::Digest, Shown::Digest),
        (Login::DigestOdd, Shown::Digest),
        (Login::DigestOld, Shown::Digest),
        (Login::Both, Shown::Digest),
        (Login::Basic, Shown::Basic),
        (Login::Open, Shown::Nothing),
    ] {
        let (nvr, device) = recorder(with(login), minutes(noon(), 3)).await;
        let found = device.recordings(TRACK, all(noon(), 3)).await.unwrap();
        assert_eq!(found.len(), 3, "{login:?}");
        let mut download = device.download(&found[1]).await.unwrap();
        let mut bytes = 0;
        while let Some(piece) = download.chunk().await.unwrap() {
            bytes += piece.len();
        }
        assert_eq!(bytes, 1001, "{login:?}");
        let seen = nvr.seen();
        // What is asked before a login is known shows and carries nothing.
        assert_eq!(seen[0].shown, Shown::Nothing);
        assert_eq!(
            (seen[0].method.as_str(), seen[0].body.as_str()),
            ("GET", "")
        );
        assert!(
            seen[1..].iter().all(|seen| seen.shown == shown),
            "{login:?}"
        );
        assert!(seen[1..].iter().all(|seen| seen.status == 200), "{login:?}");
        assert_eq!(nvr.wrong(), 0);
    }
}

/// A body that was refused spoils what comes behind it on the same connection.
#[tokio::test]
async fn nothing_follows_a_refused_body() {
    let profile = Profile {
        joins_bodies: true,
        nonce_uses: 1,
        ..Profile::default()
    };
    let (nvr, device) = recorder(profile, minutes(noon(), 2)).await;
    for _ in 0..3 {
        let found = device.recordings(TRACK, all(noon(), 2)).await.unwrap();
        assert_eq!(found.len(), 2);
    }
    let seen = nvr.seen();
    let refused = seen.iter().filter(|seen| seen.status == 401).count();
    assert_eq!(refused, 3, "the first question, and two stale nonces");
    let mut connections: Vec<usize> = seen.iter().map(|seen| seen.connection).collect();
    connections.dedup();
    assert_eq!(connections.len(), seen.len(), "a connection for each");
}

#[tokio::test]
async fn a_stale_nonce_is_renewed_once() {
    let (nvr, device) = recorder(Profile::default(), minutes(noon(), 1)).await;
    let list = || device.recordings(TRACK, all(noon(), 1));
    list().await.unwrap();
    nvr.seen();
    nvr.fail("search", [Fault::Stale]);
    assert_eq!(list().await.unwrap().len(), 1);
    assert_eq!(nvr.seen().len(), 2);

    // A device that takes none of its own nonces is not asked for ever, and it is
    // not the password's fault.
    nvr.fail("search", vec![Fault::Stale; 20]);
    let error = list().await.unwrap_err();
    assert!(matches!(error, Error::Garbled { .. }), "{error}");
    assert_eq!(nvr.seen().len(), 3);
    assert_eq!(nvr.wrong(), 0);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once_whoever_asks() {
    for login in [Login::Digest, Login::DigestOld, Login::Basic, Login::Both] {
        let nvr = Nvr::start(with(login), minutes(noon(), 1)).await;
        let client = client();
        let wrong = Settings {
            password: Secret::new("hunter2"),
            ..settings(&nvr)
        };
        let device = client.device(wrong.clone()).unwrap();
        let span = all(noon(), 1);
        let (a, b, c) = tokio::join!(
            device.recordings(TRACK, span),
            device.recordings(TRACK, span),
            device.examine(TRACK),
        );
        for error in [a.unwrap_err(), b.unwrap_err(), c.recordings.unwrap_err()] {
            assert!(
                matches!(error, Error::Password { .. }),
                "{login:?}: {error}"
            );
            let told = format!("{error} {error:?}");
            assert!(
                told.contains("4 tries") && !told.contains("hunter2"),
                "{told}"
            );
        }
        // Another job builds its device anew, from the same settings.
        let again = client.device(wrong).unwrap();
        again.recordings(TRACK, span).await.unwrap_err();
        assert_eq!(nvr.wrong(), 1, "{login:?}");
        assert_eq!(
            nvr.seen().len(),
            2,
            "{login:?}: the question, and one answer"
        );

        let right = client.device(settings(&nvr)).unwrap();
        assert_eq!(
            right.recordings(TRACK, span).await.unwrap().len(),
            1,
            "{login:?}"
        );
        assert_eq!(nvr.wrong(), 0);
    }
}

/// A password that is changed on the device while we work: two tries, and no more.
#[tokio::test]
async fn a_login_that_is_refused_after_a_while_ends() {
    let nvr = Nvr::start(Profile::default(), minutes(noon(), 1)).await;
    let client = client();
    let right = client.device(settings(&nvr)).unwrap();
    right.recordings(TRACK, all(noon(), 1)).await.unwrap();
    let wrong = Settings {
        password: Secret::new("yesterday's"),
        ..settings(&nvr)
    };
    let wrong = client.device(wrong).unwrap();
    for _ in 0..5 {
        wrong.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    }
    assert_eq!(nvr.wrong(), 1);
}

#[tokio::test]
async fn a_lock_is_respected_until_it_ends() {
    let profile = Profile {
        lock_after: 1,
        lock_seconds: 1,
        ..Profile::default()
    };
    let nvr = Nvr::start(profile, minutes(noon(), 1)).await;
    let client = client();
    let wrong = Settings {
        password: Secret::new("hunter2"),
        ..settings(&nvr)
    };
    let wrong = client.device(wrong).unwrap();
    let error = wrong.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.passes() && error.retry_after().unwrap() <= Duration::from_secs(1));
    // The right password too would be refused now.
    let right = client.device(settings(&nvr)).unwrap();
    let asked = nvr.seen().len();
    assert_eq!(asked, 2);
    let mut tries = 0;
    let found = loop {
        match right.recordings(TRACK, all(noon(), 1)).await {
            Ok(found) => break found,
            Err(Error::Locked { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(other) => panic!("{other}"),
        }
        tries += 1;
        assert!(tries < 5000, "still locked");
    };
    assert_eq!(found.len(), 1);
    let refused = nvr
        .seen()
        .into_iter()
        .filter(|seen| seen.status == 401)
        .count();
    assert!(refused <= 2, "asked {refused} times during the lock");
}

/// Old devices do not say how near the lock is.
#[tokio::test]
async fn a_refusal_without_words_is_one_too() {
    let profile = Profile {
        tells_lock: false,
        ..Profile::default()
    };
    let nvr = Nvr::start(profile, minutes(noon(), 1)).await;
    let config = Config {
        refused: Duration::from_secs(100),
        ..hasty()
    };
    let client = Hikvision::new(config).unwrap();
    let wrong = Settings {
        user: "nobody".to_owned(),
        ..settings(&nvr)
    };
    let device = client.device(wrong).unwrap();
    let error = device.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    let after = error.retry_after().unwrap();
    assert!(error.to_string().contains("'nobody'"), "{error}");
    assert!(!error.passes() && after <= Duration::from_secs(100) && after.as_secs() > 50);
}

/// Who stands between must not get the password by offering Basic alone.
#[tokio::test]
async fn digest_is_not_given_up_for_basic() {
    let strong = Nvr::start(Profile::default(), minutes(noon(), 1)).await;
    let client = client();
    let device = client.device(settings(&strong)).unwrap();
    device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    let body = String::new();
    strong.fail("search", [Fault::Answer { status: 401, body }]);
    let error = device.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    assert!(error.to_string().contains("in the clear"), "{error}");
    assert!(strong.seen().iter().all(|seen| seen.shown != Shown::Basic));
}

#[tokio::test]
async fn the_password_stays_with_the_configured_host() {
    let elsewhere = Nvr::start(Profile::default(), Vec::new()).await;
    let profile = Profile {
        host: Some(elsewhere.address().to_string()),
        ..Profile::default()
    };
    let (nvr, device) = recorder(profile, minutes(noon(), 1)).await;
    let found = device.recordings(TRACK, all(noon(), 1)).await.unwrap();
    let other = elsewhere.address().to_string();
    assert!(found[0].uri.contains(&other));
    let mut download = device.download(&found[0]).await.unwrap();
    while download.chunk().await.unwrap().is_some() {}
    let seen = nvr.seen();
    let asked = seen.last().unwrap();
    assert!(
        asked.body.contains(&found[0].uri.replace('&', "&amp;")),
        "verbatim"
    );
    assert_eq!(asked.host, nvr.address().to_string());

    nvr.fail(
        "search",
        [Fault::Redirect(format!(
            "{}/ISAPI?a=hunter2",
            elsewhere.url()
        ))],
    );
    let error = device.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Moved { to, .. } if *to == elsewhere.url()),
        "{error}"
    );
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_of_its_own_needs_a_word() {
    let profile = Profile {
        tls: true,
        ..Profile::default()
    };
    let (nvr, careful) = recorder(profile, minutes(noon(), 1)).await;
    let error = careful.recordings(TRACK, all(noon(), 1)).await.unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error}");
    assert!(nvr.seen().is_empty());
    let allowed = Settings {
        any_certificate: true,
        ..settings(&nvr)
    };
    let device = client().device(allowed).unwrap();
    assert_eq!(
        device
            .recordings(TRACK, all(noon(), 1))
            .await
            .unwrap()
            .len(),
        1
    );
}
