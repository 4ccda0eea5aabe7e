//! Answers that are lost, and what is repeated.

use std::time::Duration;

use flatbed::client::hikcentral::{Config, Kind};

use super::fixture::{added, client, client_of, code, config, harmless, kib, person, site};
use crate::support::hikcentral::{Fault, Profile, path};

fn page() -> String {
    "<html><body>502 Bad Gateway</body></html>".to_owned()
}

/// Done or not: whoever asked is told that nobody knows, once, and looks.
#[tokio::test]
async fn a_lost_answer_leaves_open_whether_a_person_was_added() {
    for (fault, is_there) in [
        (Fault::DoneThenSilence, true),
        (Fault::DoneThenHangUp, true),
        (Fault::DoneThen(502, page()), true),
        (Fault::DoneThen(200, page()), true),
        (
            Fault::DoneThen(200, r#"{"code":"0","msg":"Success","data":""}"#.to_owned()),
            true,
        ),
        (
            Fault::DoneThen(200, r#"{"code":"0","msg":"Success"}"#.to_owned()),
            true,
        ),
        (
            Fault::DoneThen(500, r#"{"code":"0","data":"1"}"#.to_owned()),
            true,
        ),
        (
            Fault::DoneThen(200, r#"{"code":"4","msg":"Network timed out."}"#.to_owned()),
            true,
        ),
        (Fault::Silence, false),
        (Fault::HangUp, false),
        (Fault::bad_gateway(), false),
        (Fault::Code(200, "5"), false),
    ] {
        let (server, patient) = site(Profile::default());
        let silent = matches!(fault, Fault::Silence | Fault::DoneThenSilence);
        let hasty = client_of(Config {
            timeout: Duration::from_millis(if silent { 300 } else { 60_000 }),
            ..config(&server)
        });
        server.fail(path::ADD, [fault.clone()]);
        let error = hasty
            .add_person(&person("3171234567890001"))
            .await
            .unwrap_err();
        let error = harmless(&server, error);
        assert!(error.is_unknown() && error.passes(), "{fault:?}: {error}");
        assert_eq!(
            server.requests_of(path::ADD),
            1,
            "{fault:?}: it is not repeated"
        );
        let found = patient
            .person_by_code(&code("3171234567890001"))
            .await
            .unwrap();
        assert_eq!(found.is_some(), is_there, "{fault:?}");
        assert_eq!(server.count(), usize::from(is_there), "{fault:?}");
    }
}

/// A refusal is no doubt.
#[tokio::test]
async fn what_is_refused_was_not_done() {
    let (server, client) = site(Profile::default());
    for (fault, kind) in [
        (Fault::busy(), Kind::Busy),
        (Fault::Code(500, "131"), Kind::Exists),
        (Fault::Code(401, "0x02401007"), Kind::Unauthorised),
        (Fault::Answer(404, page()), Kind::Unsupported),
        (Fault::Answer(403, page()), Kind::Unauthorised),
        (
            Fault::Redirect("https://elsewhere/".to_owned()),
            Kind::Foreign,
        ),
    ] {
        server.fail(path::ADD, [fault.clone()]);
        let error = client.add_person(&person("7")).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}");
    }
    assert_eq!((server.requests_of(path::ADD), server.count()), (6, 0));
}

/// The gateway's quota lets nothing through, so that the same request may come again.
#[tokio::test]
async fn a_person_is_added_once_though_there_was_a_quota() {
    let (server, client) = site(Profile::default());
    server.fail(path::ADD, [Fault::quota(), Fault::quota()]);
    added(&client, "7").await;
    assert_eq!((server.requests_of(path::ADD), server.count()), (3, 1));
}

#[tokio::test]
async fn all_else_is_repeated_while_that_may_help() {
    let (server, client) = site(Profile::default());
    let id = added(&client, "7").await;
    let faults = || {
        [
            Fault::busy(),
            Fault::bad_gateway(),
            Fault::DoneThenHangUp,
            Fault::quota(),
            Fault::Code(200, "5"),
        ]
    };
    for path in [path::FIELD, path::GROUP, path::FIND, path::VERSION] {
        server.fail(path, faults());
    }
    client.set_custom_field(&id, &kib(), "1").await.unwrap();
    client.add_to_group("1", &id).await.unwrap();
    assert_eq!(client.person_by_code(&code("7")).await.unwrap(), Some(id));
    client.version().await.unwrap();
    assert_eq!(server.faults_left(), 0);
    assert_eq!(server.requests_of(path::FIELD), 6);
}

#[tokio::test]
async fn it_is_not_repeated_for_ever_nor_where_it_is_no_use() {
    let (server, _) = site(Profile::default());
    let client = client_of(Config {
        retries: 3,
        ..config(&server)
    });
    for (fault, kind, tries) in [
        (Fault::busy(), Kind::Busy, 4),
        (Fault::quota(), Kind::Quota, 4),
        (Fault::Code(200, "2"), Kind::BadParameter, 1),
        (Fault::Code(401, "0x02401003"), Kind::Unauthorised, 1),
        (Fault::Code(200, "8"), Kind::Unsupported, 1),
        (Fault::Answer(200, page()), Kind::Foreign, 1),
    ] {
        server.fail_always(path::VERSION, "", fault.clone());
        let before = server.requests();
        let error = client.version().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault:?}");
        assert_eq!(server.requests() - before, tries, "{fault:?}");
        server.mend();
        client.version().await.unwrap();
    }
}

/// Neither its place nor its turn.
#[tokio::test]
async fn a_caller_that_gives_up_holds_nothing() {
    let (server, _) = site(Profile::default());
    let client_of_one = client_of(Config {
        concurrency: 1,
        ..config(&server)
    });
    server.fail(path::VERSION, [Fault::Silence]);
    let waiting = tokio::spawn({
        let client = client_of_one.clone();
        async move { client.version().await }
    });
    super::fixture::until("the request", || server.requests() == 1).await;
    waiting.abort();
    client_of_one.version().await.unwrap();
    client(&server).version().await.unwrap();
}
