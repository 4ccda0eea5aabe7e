//! Tables that exist already, roles with few rights, pgvector that comes later.

use std::sync::Arc;

use flatbed::archive::model::Kind;
use flatbed::archive::postgres::{PostgresArchive, Requests};
use flatbed::archive::{Archive, Error, Query, Transcript};
use flatbed::job::Outcome;
use flatbed::queue;
use flatbed::queue::Source;
use serde_json::json;
use uuid::Uuid;

use super::bench::{analysis, embedding, vector, writer};
use super::jobs::{Desk, another_queue, settle};
use crate::queue::contract::receive;
use crate::queue::postgres::server::Server;

const COLUMN: &str = "SELECT format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = 'embeddings'::regclass AND attname = 'vector'";
const INDEXES: &str = "SELECT indexname FROM pg_indexes
    WHERE indexdef LIKE '%hnsw%' ORDER BY indexname";

fn role_of(database: &Server, name: &str) -> (String, String) {
    let role = format!("{name}_{}", Uuid::now_v7().simple());
    let (_, place) = database.url.split_once('@').unwrap();
    let url = format!("postgres://{role}@{place}");
    (role, url)
}

async fn leave(database: &Server, role: &str) {
    let leave = format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
    database.sql(&leave).await;
}

/// The same database for somebody else, who connects as `url` says.
async fn sql_as(url: &str, sql: &str) -> Result<(), String> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let done = client.batch_execute(sql).await;
    done.map_err(|error| error.as_db_error().unwrap().message().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_once_by_many_at_once() {
    let database = Server::empty_database().await;
    let archive = PostgresArchive::new(&database.url, None).unwrap();
    let before = archive.schema().await.unwrap();
    assert_eq!((before.found, before.is_current()), (0, false));
    let hosts: Vec<_> = (0..12)
        .map(|number| {
            let url = database.url.clone();
            tokio::spawn(async move {
                if number % 2 == 0 {
                    let archive = PostgresArchive::new(&url, None).unwrap();
                    archive.check().await.unwrap();
                } else {
                    Requests::new(&url).unwrap().prepare(5).await.unwrap();
                }
            })
        })
        .collect();
    for host in hosts {
        host.await.unwrap();
    }
    assert!(archive.migrate().await.unwrap().is_current());
    let steps = "SELECT count(*) FROM flatbed_analysis_migrations";
    assert_eq!(database.sql(steps).await, [["3"]]);
    let newer = "INSERT INTO flatbed_analysis_migrations (version) VALUES (99)";
    database.sql(newer).await;
    let line = archive.schema().await.unwrap_err().to_string();
    assert!(line.contains("update Flatbed"), "{line}");
}

/// A producer's own tables keep what is theirs, and get what is missing; what waits
/// in them is taken over.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_producer_are_taken_as_they_are() {
    let database = Server::empty_database().await;
    database
        .sql(
            "CREATE TABLE users (id serial PRIMARY KEY, name text);
             CREATE TABLE videos (
                 id uuid PRIMARY KEY, user_id integer REFERENCES users (id),
                 title varchar(200) NOT NULL DEFAULT 'untitled', source_url varchar NOT NULL,
                 status varchar(20) NOT NULL DEFAULT 'new', created_at timestamp DEFAULT now());
             CREATE TABLE jobs (
                 id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
                 video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
                 status varchar(20) NOT NULL DEFAULT 'queued', attempts smallint NOT NULL DEFAULT 0,
                 kind text NOT NULL DEFAULT 'any', updated_at timestamp);
             INSERT INTO videos (id, source_url) SELECT gen_random_uuid(), 'file:///a.mp4'
                 FROM generate_series(1, 3);
             INSERT INTO jobs (video_id) SELECT id FROM videos;
             UPDATE jobs SET status = 'failed' WHERE id = (SELECT id FROM jobs LIMIT 1)",
        )
        .await;
    let desk = Desk::on(database).await;
    for _ in 0..2 {
        let delivery = receive(&desk.queue).await;
        settle(&*delivery, &Outcome::Done(json!({}))).await;
    }
    let rows = "SELECT status, attempts, count(*) FROM jobs GROUP BY 1, 2 ORDER BY 1";
    let expected = [["completed", "1", "2"], ["failed", "0", "1"]];
    assert_eq!(desk.database.sql(rows).await, expected);

    let archive = PostgresArchive::new(&desk.database.url, None).unwrap();
    let id = desk.database.sql("SELECT id FROM videos LIMIT 1").await;
    let video: Uuid = id[0][0].parse().unwrap();
    let source = archive.source(video).await.unwrap();
    assert_eq!(source.as_deref(), Some("file:///a.mp4"));
    assert!(
        archive
            .load(video)
            .await
            .unwrap()
            .unwrap()
            .source_url
            .is_none()
    );
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let kept = "SELECT count(*) FROM videos WHERE title = 'untitled'
        AND source_url = 'file:///a.mp4' AND status = 'processing'";
    assert_eq!(desk.database.sql(kept).await, [["1"]]);
    let said = Transcript::default();
    archive
        .keep_transcript(&writer(video), &said)
        .await
        .unwrap();
    // What was found goes; what its owner has written stays, and its jobs with it.
    archive.forget(video).await.unwrap();
    for (rows, expected) in [
        ("SELECT count(*) FROM jobs", "3"),
        ("SELECT count(*) FROM transcripts", "0"),
        (
            "SELECT count(*) FROM videos WHERE source_url = 'file:///a.mp4'
                 AND shown_url IS NULL AND source_version IS NULL",
            "3",
        ),
    ] {
        assert_eq!(desk.database.sql(rows).await, [[expected]], "{rows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_another_type_are_refused_by_name_and_nothing_is_made() {
    for (tables, words) in [
        (
            "CREATE TABLE videos (id bigserial PRIMARY KEY, source_url text)",
            ["column id of the table videos is bigint", "search_path"],
        ),
        (
            "CREATE TYPE state AS ENUM ('queued', 'done');
             CREATE TABLE jobs (id uuid PRIMARY KEY, video_id uuid, status state)",
            ["column status of the table jobs is state", "alter it"],
        ),
        (
            "CREATE TABLE frames (id bigint NOT NULL, video_id uuid, index integer)",
            ["frames.id must have a value", "default"],
        ),
    ] {
        let database = Server::empty_database().await;
        database.sql(tables).await;
        let archive = PostgresArchive::new(&database.url, None).unwrap();
        let error = archive.migrate().await.unwrap_err();
        let line = error.to_string();
        assert!(
            matches!(error, Error::Database(queue::Error::Refused { .. })),
            "{error:?}"
        );
        for word in words {
            assert!(line.contains(word), "{line}");
        }
        let made = "SELECT to_regclass('embeddings') IS NULL";
        assert_eq!(database.sql(made).await, [["t"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_schema_than_public_serves_as_well() {
    let mut database = Server::empty_database().await;
    database.sql("CREATE SCHEMA \"Video Lab\"").await;
    let plain = std::mem::take(&mut database.url);
    database.url = format!("{plain}?options=-c%20search_path%3D%22Video%5C%20Lab%22");
    let desk = Desk::on(database).await;
    // Who asks may have another path.
    let ask = "INSERT INTO \"Video Lab\".jobs (video_id) VALUES (gen_random_uuid())";
    sql_as(&plain, ask).await.unwrap();
    let delivery = receive(&desk.queue).await;
    settle(&*delivery, &Outcome::Done(json!({}))).await;
    assert_eq!(
        desk.database.sql("SELECT status FROM jobs").await,
        [["completed"]]
    );
    let public = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(desk.database.sql(public).await, [["0"]]);
}

/// Rights on videos and jobs alone, and on the queue none.
#[tokio::test(flavor = "multi_thread")]
async fn a_producer_needs_few_rights() {
    let desk = Desk::new().await;
    let (role, url) = role_of(&desk.database, "producer");
    desk.database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN;
             GRANT SELECT, INSERT, UPDATE, DELETE ON videos, jobs TO {role}"
        ))
        .await;
    let ask = "WITH video AS (
            INSERT INTO videos (source_url) VALUES ('https://example.org/a.mp4') RETURNING id)
        INSERT INTO jobs (video_id) SELECT id FROM video";
    sql_as(&url, ask).await.unwrap();
    let delivery = receive(&desk.queue).await;
    settle(&*delivery, &Outcome::Done(json!({}))).await;
    sql_as(&url, "UPDATE jobs SET status = 'queued'")
        .await
        .unwrap();
    sql_as(&url, "DELETE FROM jobs").await.unwrap();
    for refused in [
        "SELECT FROM flatbed_jobs",
        "SELECT flatbed_job_wanted(gen_random_uuid(), gen_random_uuid(), 0)",
        "SELECT flatbed_job_unwanted(gen_random_uuid())",
        "CREATE TEMP TABLE mine (id uuid); CREATE TRIGGER mine AFTER INSERT ON mine
            FOR EACH ROW EXECUTE FUNCTION flatbed_job_asked()",
    ] {
        let line = sql_as(&url, refused).await.unwrap_err();
        assert!(line.contains("permission denied"), "{line}");
    }
    leave(&desk.database, &role).await;
}

/// The rights of docs/ANALYSIS.md.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_needs_no_right_to_make_tables() {
    let database = Server::empty_database_with_pgvector().await;
    let (role, url) = role_of(&database, "worker");
    database.sql(&format!("CREATE ROLE {role} LOGIN")).await;
    let archive = PostgresArchive::new(&url, None).unwrap();
    let line = archive.check().await.unwrap_err().to_string();
    assert!(
        line.contains("flatbed migrate") && line.contains("docs/ANALYSIS.md"),
        "{line}"
    );

    let owner = PostgresArchive::new(&database.url, None).unwrap();
    owner.migrate().await.unwrap();
    database
        .sql(&format!(
            "GRANT SELECT ON flatbed_migrations, flatbed_analysis_migrations TO {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON flatbed_jobs, flatbed_paused_queues,
                 flatbed_analysis_settings, flatbed_jobs_behind, videos, transcripts, scenes,
                 frames, embeddings TO {role}"
        ))
        .await;
    let requests = Requests::new(&url).unwrap();
    requests.prepare(4).await.unwrap();
    requests.catch_up().await.unwrap();
    let video = Uuid::now_v7();
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let all = [embedding(Kind::Speech, 0, "x", vector(3, 0.5))];
    archive
        .keep_embeddings(&writer(video), "m", &all)
        .await
        .unwrap();
    assert_eq!(archive.embeddings(video, "m").await.unwrap(), all);
    // The index is the owner's to make.
    assert!(database.sql(INDEXES).await.is_empty());
    owner.migrate().await.unwrap();
    assert_eq!(database.sql(INDEXES).await, [["flatbed_embeddings_3"]]);

    let insert = format!("INSERT INTO jobs (video_id) VALUES ('{video}')");
    database.sql(&insert).await;
    let queue: Arc<dyn Source> = Arc::new(another_queue(&url));
    let delivery = receive(&queue).await;
    assert_eq!(delivery.job().max_attempts, 4);
    settle(&*delivery, &Outcome::Done(json!({}))).await;
    assert_eq!(
        database.sql("SELECT status FROM jobs").await,
        [["completed"]]
    );
    leave(&database, &role).await;
}

/// Vectors that were kept as arrays become pgvector's by `flatbed migrate`, while a
/// worker that knows of nothing goes on.
#[tokio::test(flavor = "multi_thread")]
async fn pgvector_may_come_later() {
    let database = Server::empty_database_with_pgvector().await;
    let (role, url) = role_of(&database, "owner");
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    // pgvector trusts nobody but a superuser to make it, where it is not marked so.
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT CREATE ON SCHEMA public TO {role};
             REVOKE CREATE ON DATABASE {name} FROM PUBLIC"
        ))
        .await;
    let archive = PostgresArchive::new(&url, None).unwrap();
    let video = Uuid::now_v7();
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let all: Vec<_> = (0..9_u8)
        .map(|index| {
            let first = f32::from(index) / 10.0;
            embedding(Kind::Frame, u32::from(index), "x", vector(8, first))
        })
        .collect();
    archive
        .keep_embeddings(&writer(video), "m", &all)
        .await
        .unwrap();
    assert_eq!(database.sql(COLUMN).await, [["real[]"]]);
    let query = Query {
        vector: vector(8, 0.4),
        model: "m".to_owned(),
        video: None,
        limit: 3,
    };
    let before = archive.search(&query).await.unwrap();

    // In a schema of its own, as some services have it.
    database
        .sql(
            "CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions;
              GRANT USAGE ON SCHEMA extensions TO PUBLIC",
        )
        .await;
    let operator = PostgresArchive::new(&url, None).unwrap();
    operator.migrate().await.unwrap();
    assert_eq!(database.sql(COLUMN).await, [["extensions.vector"]]);
    assert_eq!(database.sql(INDEXES).await, [["flatbed_embeddings_8"]]);
    for archive in [&archive, &operator] {
        assert_eq!(archive.embeddings(video, "m").await.unwrap(), all);
        let after = archive.search(&query).await.unwrap();
        assert_eq!(after.len(), before.len());
        for (after, before) in after.iter().zip(&before) {
            assert_eq!(after.passage, before.passage);
            assert!((after.score - before.score).abs() < 1e-5);
        }
    }
    // The worker had known arrays; what it writes may fail once.
    if archive
        .keep_embeddings(&writer(video), "m", &all)
        .await
        .is_err()
    {
        archive
            .keep_embeddings(&writer(video), "m", &all)
            .await
            .unwrap();
    }
    leave(&database, &role).await;
}

/// An index is made with the first vectors of a size, and used.
#[tokio::test(flavor = "multi_thread")]
async fn indexes_are_made_with_the_first_vectors() {
    let database = Server::empty_database_with_pgvector().await;
    let archive = PostgresArchive::new(&database.url, None).unwrap();
    let video = Uuid::now_v7();
    archive.begin(&analysis(video, "v1")).await.unwrap();
    for dimensions in [4, 3072, 4001] {
        let all = [embedding(Kind::Speech, 0, "x", vector(dimensions, 0.5))];
        archive
            .keep_embeddings(&writer(video), "m", &all)
            .await
            .unwrap();
    }
    let expected = [["flatbed_embeddings_3072"], ["flatbed_embeddings_4"]];
    assert_eq!(database.sql(INDEXES).await, expected);
    let all: Vec<_> = (0..300_u16)
        .map(|index| {
            let first = f32::from(index) / 300.0;
            embedding(Kind::Speech, u32::from(index), "x", vector(4, first))
        })
        .collect();
    archive
        .keep_embeddings(&writer(video), "m", &all)
        .await
        .unwrap();
    let plan = database
        .sql(
            "SET enable_seqscan = off; SET enable_sort = off;
             EXPLAIN SELECT * FROM embeddings WHERE dimensions = 4 AND model = 'm'
             ORDER BY vector::vector(4) <=> '[1,0,0,0]'::vector(4) LIMIT 5",
        )
        .await;
    assert!(
        plan.iter()
            .any(|line| line[0].contains("flatbed_embeddings_4")),
        "{plan:?}"
    );
    // More than the index looks at by itself, and of one model alone.
    let query = Query {
        vector: vector(4, 1.0),
        model: "m".to_owned(),
        video: None,
        limit: 250,
    };
    assert_eq!(archive.search(&query).await.unwrap().len(), 250);
}
