//! Tables, rights, TLS, and producers that speak SQL.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use flatbed::job::{JobId, Outcome, Progress};
use flatbed::queue::postgres::{Options, PostgresQueue};
use flatbed::queue::{Admin, Error, Lease, Ledger, NewJob, Source, State};
use serde_json::json;
use tokio::time::timeout;

use super::super::contract::{BOUND, receive};
use super::super::fixture::{Fixture, Settings};
use super::server::Server;
use super::{Postgres, open};

#[tokio::test(flavor = "multi_thread")]
async fn many_hosts_meet_an_empty_database_at_once() {
    let server = Server::empty_database().await;
    let hosts: Vec<_> = (0..16)
        .map(|_| {
            let queue = open(&server.url, "any", Settings::default());
            tokio::spawn(async move { queue.counts().await })
        })
        .collect();
    for host in hosts {
        host.await.unwrap().unwrap();
    }
    let steps = "SELECT version FROM flatbed_migrations ORDER BY version";
    assert_eq!(server.sql(steps).await, [["1"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_once_and_those_of_a_newer_program_left_alone() {
    let server = Server::empty_database().await;
    let queue = open(&server.url, "any", Settings::default());
    let before = queue.schema().await.unwrap();
    assert_eq!((before.found, before.is_current()), (0, false));
    assert_eq!(queue.migrate().await.unwrap(), before);
    assert!(queue.migrate().await.unwrap().is_current());
    server
        .sql("INSERT INTO flatbed_migrations (version) VALUES (99)")
        .await;
    for refused in [
        queue.migrate().await.err(),
        queue.schema().await.err(),
        queue.counts().await.err(),
    ] {
        let line = refused.unwrap().to_string();
        assert!(
            line.contains("refuses") && line.contains("update Flatbed"),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_rights_is_told_whom_to_ask() {
    let server = Server::empty_database().await;
    let role = format!("poor_{}", JobId::random().as_str().replace('-', ""));
    server.sql(&format!("CREATE ROLE {role} LOGIN")).await;
    let (_, place) = server.url.split_once('@').unwrap();
    let poor = open(
        &format!("postgres://{role}@{place}"),
        "any",
        Settings::default(),
    );
    let line = poor.counts().await.unwrap_err().to_string();
    assert!(
        line.contains("refuses") && line.contains("flatbed migrate"),
        "{line}"
    );
    assert!(!line.contains('\n'), "{line}");

    open(&server.url, "any", Settings::default())
        .migrate()
        .await
        .unwrap();
    server
        .sql(&format!(
            "GRANT SELECT ON flatbed_migrations TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON flatbed_jobs, flatbed_paused_queues TO {role}"
        ))
        .await;
    poor.add(NewJob::new("export", "{}")).await.unwrap();
    assert_eq!(poor.receive().await.unwrap().job().payload, b"{}");
    server
        .sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_refused() {
    let server = Server::shared();
    let (place, _) = server.url.rsplit_once('/').unwrap();
    let queue = open(&format!("{place}/nowhere"), "any", Settings::default());
    let error = queue.counts().await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    let line = error.to_string();
    assert!(
        line.contains("nowhere") && line.contains("DATABASE_URL"),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_added_by_sql_are_done_the_lowest_priority_number_first() {
    let fixture = Postgres::fresh(Settings::default()).await;
    let queue = &fixture.queue;
    let source: Arc<dyn Source> = Arc::new(fixture.queue());
    fixture
        .server
        .sql(&format!(
            "INSERT INTO flatbed_jobs (queue, id, payload, priority) VALUES
             ('{queue}', 'later', 'later', 5), ('{queue}', 'soon', 'soon', -1),
             ('{queue}', 'any', 'any', 0), ('{queue}', 'any 2', 'any 2', 0)"
        ))
        .await;
    for expected in ["soon", "any", "any 2", "later"] {
        let delivery = receive(&source).await;
        assert_eq!(delivery.job().payload, expected.as_bytes());
        assert_eq!(
            (&*delivery.job().name, delivery.job().max_attempts),
            ("export", 3)
        );
        let done = delivery.settle(&Outcome::Done(json!(1))).await;
        assert_eq!(done.unwrap(), Lease::Held);
    }
}

/// Neither is lost with the connection that tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_cancels_that_nobody_tells_of_are_found() {
    let fixture = Postgres::fresh(Settings::default()).await;
    let queue = &fixture.queue;
    let source: Arc<dyn Source> = Arc::new(fixture.queue());
    let idle = tokio::spawn({
        let source = Arc::clone(&source);
        async move { receive(&source).await }
    });
    fixture
        .server
        .sql(&format!(
            "INSERT INTO flatbed_jobs (queue, id, payload) VALUES ('{queue}', '1', 'untold')"
        ))
        .await;
    let delivery = timeout(BOUND, idle).await.unwrap().unwrap();
    assert_eq!(delivery.job().payload, b"untold");
    let hearing = delivery.cancel_asked();
    let asking = fixture
        .server
        .sql("UPDATE flatbed_jobs SET cancel_asked = true WHERE id = '1'");
    let (heard, _) = tokio::join!(timeout(BOUND, hearing), asking);
    heard.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_locked_while_a_job_runs() {
    let server = Server::empty_database().await;
    let queue = open(&server.url, "any", Settings::default());
    queue.add(NewJob::new("export", "{}")).await.unwrap();
    let delivery = queue.receive().await.unwrap();
    let progress = delivery.progress(&Progress::percent(1)).await;
    assert_eq!(progress.unwrap(), Lease::Held);
    let locks = "SELECT count(*) FROM pg_locks
        WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND locktype IN ('tuple', 'transactionid', 'advisory')";
    assert_eq!(server.sql(locks).await, [["0"]]);
    let open = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'flatbed' AND xact_start IS NOT NULL";
    assert_eq!(server.sql(open).await, [["0"]]);
}

/// Text in Postgres has no NUL, and reasons quote whatever was in a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_reason_with_nul_is_kept() {
    let fixture = Postgres::fresh(Settings::default()).await;
    let queue = fixture.queue();
    let job = NewJob::new("export\0", "\0");
    queue.add(job.clone()).await.unwrap();
    let delivery = queue.receive().await.unwrap();
    assert_eq!(delivery.job().payload, b"\0");
    let reject = Outcome::reject("the title is 'a\0b'");
    assert_eq!(delivery.settle(&reject).await.unwrap(), Lease::Held);
    let record = queue.find(&job.id).await.unwrap().unwrap();
    assert_eq!(record.state, State::Failed);
    assert_eq!(
        record.failed_reason.as_deref(),
        Some("the title is 'a\u{fffd}b'")
    );

    let job = NewJob::new("export", "2");
    queue.add(job.clone()).await.unwrap();
    let result = json!({"title": "a\0b"});
    let delivery = queue.receive().await.unwrap();
    let done = delivery.settle(&Outcome::Done(result.clone())).await;
    assert_eq!(done.unwrap(), Lease::Held);
    let record = queue.find(&job.id).await.unwrap().unwrap();
    assert_eq!(record.result, Some(result));
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_as_strict_as_the_address_says() {
    let server = Server::own();
    let folder = server.folder();
    let plain = |url: String| PostgresQueue::new(&url, Options::new("any")).unwrap();
    let url = |options: &str| format!("{}?{options}", server.url);
    // It knows no TLS yet.
    let error = plain(url("sslmode=require")).counts().await.unwrap_err();
    let line = error.to_string();
    assert!(
        matches!(error, Error::Refused { .. }) && line.contains("sslmode"),
        "{line}"
    );
    plain(url("sslmode=prefer")).counts().await.unwrap();

    let data = server.sql("SHOW data_directory").await.remove(0).remove(0);
    certificates(&data);
    server.sql("ALTER SYSTEM SET ssl = on").await;
    server.sql("SELECT pg_reload_conf()").await;
    let is_on = async || server.sql("SHOW ssl").await == [["on"]];
    super::super::contract::until("TLS is on", is_on).await;

    let queue = plain(url("sslmode=require"));
    queue.counts().await.unwrap();
    let ciphered = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE ssl AND application_name = 'flatbed'";
    assert_eq!(server.sql(ciphered).await, [["1"]]);
    let delivering = async {
        queue.add(NewJob::new("export", "{}")).await.unwrap();
        queue.receive().await.unwrap()
    };
    let delivery = timeout(BOUND, delivering).await.unwrap();
    assert_eq!(delivery.job().payload, b"{}");

    let authority = folder.join("authority.pem");
    fs::copy(format!("{data}/authority.pem"), &authority).unwrap();
    let trusted = format!("sslrootcert={}", authority.display());
    for (options, accepted) in [
        ("sslmode=verify-full", false),
        (&*format!("sslmode=verify-full&{trusted}"), false),
        (&format!("sslmode=verify-ca&{trusted}"), true),
        (&format!("sslmode=require&{trusted}"), true),
    ] {
        let answer = timeout(Duration::from_secs(20), plain(url(options)).counts()).await;
        match answer.unwrap() {
            Ok(_) => assert!(accepted, "{options}"),
            Err(error) => {
                let line = error.to_string();
                assert!(
                    !accepted && matches!(error, Error::Refused { .. }),
                    "{line}"
                );
                assert!(line.contains("sslrootcert"), "{line}");
            }
        }
    }
    // Its certificate is for another name than 127.0.0.1.
    let by_name = url(&format!("sslmode=verify-full&{trusted}")).replace("127.0.0.1", "localhost");
    plain(by_name).counts().await.unwrap();
}

/// An authority, and a certificate of it for `localhost`, where the server looks.
fn certificates(data: &str) {
    let script = r#"set -e; cd "$0"
        openssl req -x509 -newkey rsa:2048 -nodes -keyout authority.key -out authority.pem \
            -days 2 -subj /CN=authority
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        printf 'subjectAltName=DNS:localhost\n' >extensions
        openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -days 2 \
            -extfile extensions -out server.crt
        chmod 600 server.key; chown --reference=PG_VERSION server.key server.crt authority.pem"#;
    let made = Command::new("sh").args(["-c", script, data]).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{made:?}");
}
