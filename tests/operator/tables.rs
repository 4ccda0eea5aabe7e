//! `flatbed migrate`, and what `doctor` and `config` say of a database.

use tokio::runtime::Runtime;

use super::Place;
use crate::exports::Server;
use crate::queue::postgres::server::Server as Database;

fn place(variables: &[(&'static str, &str)]) -> Place {
    let variables = variables.iter();
    let variables = variables.map(|(name, value)| (*name, (*value).to_owned()));
    Place::with(variables.collect(), Box::new(()))
}

#[test]
fn tables_are_made_once_and_doctor_makes_none() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(Database::empty_database());
    let url = database.url.replace("flatbed@", "flatbed:hunter2@");
    let place = place(&[
        ("EXPORT_QUEUE", "postgres"),
        ("DATABASE_URL", &url),
        ("WORKER_PORT", "0"),
    ]);
    let config = place.text("config");
    assert!(
        config.contains("DATABASE_URL") && config.contains("postgres  (environment)"),
        "{config}"
    );
    let doctor = place.text("doctor");
    assert!(doctor.contains("flatbed migrate"), "{doctor}");
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'flatbed%'";
    assert_eq!(database.sql_now(tables), [["0"]]);

    let made = place.text("migrate");
    assert!(made.contains("made the tables, schema 1"), "{made}");
    let again = place.text("migrate");
    assert!(again.contains("nothing to do, schema 1"), "{again}");
    assert_eq!(database.sql_now(tables), [["3"]]);
    let doctor = place.text("doctor");
    assert!(doctor.contains("0 waiting"), "{doctor}");
    for text in [config, made, again, doctor] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// Those that have no tables of their own to make say so.
#[test]
fn migrate_does_no_harm_anywhere() {
    let run = place(&[]).text("migrate");
    assert!(
        run.contains("SQLite") && run.contains("nothing to do"),
        "{run}"
    );
    let run = place(&[("REDIS_URL", "redis://127.0.0.1:1")]).text("migrate");
    assert!(
        run.contains("BullMQ") && run.contains("nothing to do"),
        "{run}"
    );
}

#[test]
fn what_is_wrong_with_the_database_is_told_with_its_remedy() {
    let wrong = place(&[("EXPORT_QUEUE", "postgres")]);
    wrong
        .run("doctor")
        .failed(2, &["DATABASE_URL", "postgres://"]);
    let wrong = place(&[
        ("EXPORT_QUEUE", "postgres"),
        ("DATABASE_URL", "mysql://me:hunter2@db/videos"),
    ]);
    wrong
        .run("serve")
        .failed(2, &["DATABASE_URL", "postgres://"]);
    let gone = place(&[
        ("EXPORT_QUEUE", "postgres"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/videos"),
        ("WORKER_PORT", "0"),
    ]);
    let run = gone.run("doctor");
    assert_eq!(run.code, Some(5));
    let text = run.text();
    assert!(
        text.contains("WRONG  queue") && text.contains("127.0.0.1:1/videos is away"),
        "{text}"
    );
    assert!(!text.contains("hunter2") && !run.stderr.contains("hunter2"));
    gone.run("queue stats").failed(5, &["is away"]);
    gone.run("migrate").failed(5, &["is away"]);

    // One that must be mended ends the worker; one that is away does not.
    let shared = Database::shared();
    let (server, _) = shared.url.rsplit_once('/').unwrap();
    let nowhere = format!("{server}/nowhere");
    let absent = place(&[("EXPORT_QUEUE", "postgres"), ("DATABASE_URL", &nowhere)]);
    let run = absent.run("serve");
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    assert!(run.stderr.contains("DATABASE_URL"), "{}", run.stderr);
    let server = gone.server(&[]);
    let health = server.get("/health");
    assert_eq!(health.code, 503, "{health:?}");
    let database = &health.json()["dependencies"]["database"];
    assert_eq!(database["status"], "error", "{database}");
    Server::stop(server);
}
