//! Each code and each odd answer, and what it comes to.

use std::time::Duration;

use flatbed::client::hikcentral::{Config, HikCentral, Kind};

use super::fixture::{client_of, config, harmless, site};
use crate::support::hikcentral::{Fault, HikCentralServer, Profile, path};

/// A client that does not ask again.
fn once(server: &HikCentralServer) -> HikCentral {
    client_of(Config {
        retries: 0,
        quota_pause: Duration::ZERO,
        ..config(server)
    })
}

/// Under whatever status they come, as text and as number.
#[tokio::test]
async fn each_code_has_its_error() {
    let codes = [
        ("2", Kind::BadParameter),
        ("6", Kind::Busy),
        ("8", Kind::Unsupported),
        ("17", Kind::Unauthorised),
        ("64", Kind::Unauthorised),
        ("128", Kind::NotFound),
        ("131", Kind::Exists),
        ("132", Kind::Full),
        ("0x02401001", Kind::Unauthorised),
        ("0x02401003", Kind::Unauthorised),
        ("0x02401007", Kind::Unauthorised),
        ("0x02401009", Kind::Quota),
        ("4711", Kind::Failing),
    ];
    for numbers in [false, true] {
        let server = HikCentralServer::start(Profile {
            numbers,
            ..Profile::default()
        });
        let client = once(&server);
        for status in [200, 401, 500] {
            for (code, kind) in codes {
                server.fail(path::VERSION, [Fault::Code(status, code)]);
                let error = harmless(&server, client.version().await.unwrap_err());
                assert_eq!(error.kind(), kind, "{code} under {status}");
                assert_eq!(error.code().as_deref(), Some(code));
                assert_eq!(error.status(), Some(status));
                let shown = error.to_string();
                assert!(shown.contains(&format!("code {code}: ")), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_of_its_is_told_by_the_status() {
    let (server, _) = site(Profile::default());
    let client = once(&server);
    let page = "<html><body>Siti Rahmawati</body></html>";
    for (status, kind) in [
        (200, Kind::Foreign),
        (401, Kind::Unauthorised),
        (403, Kind::Unauthorised),
        (404, Kind::Unsupported),
        (429, Kind::Quota),
        (500, Kind::Failing),
        (502, Kind::Failing),
        (503, Kind::Failing),
    ] {
        for body in [page, "", "{}", "[]", r#"{"code":null}"#, r#"{"code":"ok"}"#] {
            server.fail(path::VERSION, [Fault::Answer(status, body.to_owned())]);
            let error = harmless(&server, client.version().await.unwrap_err());
            assert_eq!(
                (error.kind(), error.status()),
                (kind, Some(status)),
                "{body}"
            );
        }
    }
}

#[tokio::test]
async fn odd_answers_are_errors_and_nothing_worse() {
    let (server, _) = site(Profile::default());
    let client = once(&server);
    for (answer, kind) in [
        // A success is none under another status.
        (
            Fault::Answer(500, r#"{"code":"0","msg":"Success"}"#.to_owned()),
            Kind::Failing,
        ),
        // No message, or none that is a text.
        (
            Fault::Answer(200, r#"{"code":2}"#.to_owned()),
            Kind::BadParameter,
        ),
        (
            Fault::Answer(200, r#"{"code":"2","msg":{"a":[1]}}"#.to_owned()),
            Kind::BadParameter,
        ),
        (
            Fault::Answer(200, r#"{"code":"2","msg":null}"#.to_owned()),
            Kind::BadParameter,
        ),
        // The data is missing, or of another shape.
        (
            Fault::Answer(200, r#"{"code":"0","data":{"list":7}}"#.to_owned()),
            Kind::Foreign,
        ),
        (
            Fault::Answer(200, r#"{"code":"0","data":[{}]}"#.to_owned()),
            Kind::Foreign,
        ),
        (
            Fault::Redirect("http://127.0.0.1:9/".to_owned()),
            Kind::Foreign,
        ),
        (Fault::Endless, Kind::Foreign),
        (Fault::HangUp, Kind::Failing),
    ] {
        server.fail(path::ORGANISATIONS, [answer.clone()]);
        let error = harmless(&server, client.organisations().await.unwrap_err());
        assert_eq!(error.kind(), kind, "{answer:?}");
    }
    assert_eq!(server.faults_left(), 0);
    let long = format!(r#"{{"code":"2","msg":"{}"}}"#, "very ".repeat(1000));
    server.fail(path::VERSION, [Fault::Answer(200, long)]);
    let error = client.version().await.unwrap_err().to_string();
    assert!(error.len() < 400, "{error}");
}

#[tokio::test]
async fn nobody_there_is_away() {
    let (server, client) = site(Profile::default());
    let client_of_nobody = client_of(Config {
        retries: 1,
        ..client.config().clone()
    });
    drop(server);
    let error = client_of_nobody.version().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Away);
    assert!(error.to_string().contains("tried 2 times"), "{error}");
    assert!(error.passes() && error.is_about_all_jobs());
}

#[tokio::test]
async fn a_silent_server_is_late() {
    let (server, _) = site(Profile::default());
    let client = client_of(Config {
        retries: 0,
        timeout: Duration::from_millis(50),
        ..config(&server)
    });
    server.fail(path::VERSION, [Fault::Silence]);
    let error = client.version().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Late, None));
}
