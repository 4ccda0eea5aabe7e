//! Other people's tables: names, types, rights.

use flatbed::job::{JobId, Outcome};
use flatbed::queue::Error;
use flatbed::queue::packing_items::{Config, PackingItems, Trigger};

use super::base::{Base, assert_held, made, named, next, open_named, order, quick};

const THEIR_NAMES: [(&str, &str); 7] = [
    ("CCTV_ITEMS_TABLE", "wms.Packed Items"),
    (
        "CCTV_ITEMS_COLUMNS",
        "id=no,camera_id=cam,start_time=began at,end_time=ended,status=state,error=,attempts=tries",
    ),
    ("CCTV_CAMERAS_TABLE", "wms.cams"),
    ("CCTV_CAMERAS_COLUMNS", "id=no,password_encrypted=secret"),
    ("CCTV_CLIPS_TABLE", "wms.clips"),
    (
        "CCTV_CLIPS_COLUMNS",
        "packing_item_id=item,object_key=path,size_bytes=bytes",
    ),
    (
        "CCTV_STATUSES",
        "READY_FOR_BATCH=ready,PROCESSING=it's busy,CLIP_GENERATED=done,CLIP_FAILED=failed",
    ),
];

/// An enum, `int4`, times without a zone, short texts, no unique constraint; and
/// columns that mean something else under names that Flatbed knows.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_tables_of_postgres_work_and_stay_as_they_are() {
    const COLUMNS: &str = "SELECT table_name, column_name, data_type
        FROM information_schema.columns WHERE table_schema = 'wms' ORDER BY 1, 2";
    let base = Base::postgres().await;
    base.sql(
        "CREATE SCHEMA wms;
         CREATE TYPE wms.state AS ENUM ('new', 'ready', 'it''s busy', 'done', 'failed');
         CREATE TABLE wms.cams (no int4, host varchar(50), username char(10), secret bytea,
             port text, track_id text);
         CREATE TABLE wms.\"Packed Items\" (no int4 PRIMARY KEY, cam int4, \"began at\" timestamp,
             ended timestamp(0), state wms.state, tries int2, error jsonb);
         CREATE TABLE wms.clips (item int4 REFERENCES wms.\"Packed Items\", path varchar(200),
             start_time timestamp, end_time timestamptz, bytes int4, coverage numeric(4, 2),
             updated_at timestamp);
         INSERT INTO wms.cams VALUES (7, 'nvr', 'admin', 'gAAAA', '8080', '');
         INSERT INTO wms.\"Packed Items\" VALUES
             (1, 7, '2020-11-22 10:00:00', '2020-11-22 10:00:30', 'ready', NULL, '{}')",
    )
    .await;
    let before = base.sql(COLUMNS).await;
    let items = base.open(named(THEIR_NAMES)).await;
    let made_tables = items.migrate().await.unwrap();
    assert_eq!(made_tables, ["flatbed_packing_claims"]);

    let state = "SELECT state, tries, error FROM wms.\"Packed Items\"";
    assert_eq!(items.trigger(1).await.unwrap(), Trigger::Accepted);
    assert_eq!(items.waiting().await.unwrap(), 1);
    let delivery = next(&items).await;
    assert_eq!(base.sql(state).await, [["it's busy", "1", "{}"]]);
    let found = order(&*delivery);
    assert_eq!(
        found.start_time.unwrap().to_string(),
        "2020-11-22T10:00:00Z"
    );
    let camera = found.camera.unwrap();
    assert_eq!((&*camera.host, &*camera.username), ("nvr", "admin"));
    assert_eq!(camera.password_encrypted, "gAAAA");
    assert_eq!((camera.port, camera.track_id), (Some(8080), None));
    assert_held(&*delivery, &Outcome::retry("busy")).await;
    let delivery = next(&items).await;
    assert_held(&*delivery, &Outcome::PutBack).await;
    assert_eq!(base.sql(state).await, [["ready", "1", "{}"]]);

    for size in [5, 6] {
        let delivery = next(&items).await;
        assert_held(&*delivery, &made(size)).await;
        assert_eq!(base.sql(state).await[0][0], "done");
        base.sql("UPDATE wms.\"Packed Items\" SET state = 'ready'")
            .await;
    }
    let clip = base
        .sql(
            "SELECT item, path, start_time, end_time = '2020-11-22 10:00:29.5+00', bytes, coverage
             FROM wms.clips",
        )
        .await;
    let expected = "1 clips/6.mp4 2020-11-22 10:00:00 t 6 0.50";
    assert_eq!(clip.len(), 1, "{clip:?}");
    assert_eq!(clip[0].join(" "), expected);
    let delivery = next(&items).await;
    assert_held(&*delivery, &Outcome::reject("no")).await;
    assert_eq!(base.sql(state).await, [["failed", "1", "{}"]]);
    let counts = items.counts().await.unwrap();
    assert_eq!((counts.failed, counts.waiting), (1, 0));
    assert_eq!(base.sql(COLUMNS).await, before);
}

/// Seconds for times, and names that need quotes.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_tables_of_sqlite_work() {
    let base = Base::sqlite();
    base.sql(
        "CREATE TABLE cams (no INTEGER, host, username, secret, port);
         CREATE TABLE \"Packed Items\" (no INTEGER PRIMARY KEY, cam, \"began at\" INTEGER, ended,
             state, tries);
         CREATE TABLE clips (item, path, start_time INTEGER, end_time, bytes);
         INSERT INTO cams VALUES (7, 'nvr', 'admin', 'gAAAA', NULL);
         INSERT INTO \"Packed Items\" VALUES
             (1, 7, 1606039200, '2020-11-22 10:00:30', 'ready', NULL)",
    )
    .await;
    let mut names = THEIR_NAMES;
    names[0].1 = "main.Packed Items";
    names[2].1 = "cams";
    names[4].1 = "clips";
    let items = base.open(named(names)).await;
    assert!(items.migrate().await.unwrap().is_empty());
    assert_eq!(items.trigger(1).await.unwrap(), Trigger::Accepted);
    let delivery = next(&items).await;
    let found = order(&*delivery);
    let times = [found.start_time, found.end_time].map(|time| time.unwrap().to_string());
    assert_eq!(times, ["2020-11-22T10:00:00Z", "2020-11-22T10:00:30Z"]);
    for size in [5, 6] {
        let delivery = match size {
            5 => &delivery,
            _ => &next(&items).await,
        };
        assert_held(&**delivery, &made(size)).await;
        base.sql("UPDATE \"Packed Items\" SET state = 'ready'")
            .await;
    }
    let clip = base.sql("SELECT * FROM clips").await;
    let expected = "1 clips/6.mp4 1606039200 2020-11-22T10:00:29.500Z 6";
    assert_eq!(clip.len(), 1, "{clip:?}");
    assert_eq!(clip[0].join(" "), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_do_is_told_with_its_table_column_and_variable() {
    const ITEMS: &str = "CREATE TABLE packing_items (id bigint, camera_id bigint,
        start_time timestamptz, end_time timestamptz, status text)";
    /// The user's table, the variables, and what the error must say.
    type Case = (
        &'static str,
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
    );
    let cases: [Case; 9] = [
        (
            "CREATE TABLE packing_items (id bigint)",
            &[],
            &["packing_items", "no column camera_id", "CCTV_ITEMS_COLUMNS"],
        ),
        (
            ITEMS,
            &[("CCTV_ITEMS_COLUMNS", "status=state")],
            &["packing_items", "no column state", "CCTV_ITEMS_COLUMNS"],
        ),
        (
            ITEMS,
            &[("CCTV_ITEMS_COLUMNS", "error=mistake")],
            &["no column mistake", "CCTV_ITEMS_COLUMNS"],
        ),
        (
            "CREATE TABLE x ()",
            &[("CCTV_ITEMS_TABLE", "wms.items")],
            &["no table wms.items", "CCTV_ITEMS_TABLE"],
        ),
        (
            "CREATE TABLE mini_clips (packing_item_id bigint)",
            &[],
            &["mini_clips", "object_key", "CCTV_CLIPS_COLUMNS"],
        ),
        (
            "CREATE TABLE packing_items (id uuid, camera_id bigint, start_time timestamptz,
                 end_time timestamptz, status text)",
            &[],
            &["column id of table packing_items is uuid", "whole number"],
        ),
        (
            "CREATE TABLE packing_items (id bigint, camera_id bigint, start_time text,
                 end_time timestamptz, status text)",
            &[],
            &["column start_time", "is text", "timestamptz"],
        ),
        (
            "CREATE TYPE mood AS ENUM ('READY_FOR_BATCH', 'PROCESSING');
             CREATE TABLE packing_items (id bigint, camera_id bigint, start_time timestamptz,
                 end_time timestamptz, status mood)",
            &[],
            &["enum mood", "no CLIP_GENERATED", "CCTV_STATUSES"],
        ),
        (
            "CREATE TABLE cameras (id bigint, host text, username text)",
            &[],
            &[
                "cameras",
                "no column password_encrypted",
                "CCTV_CAMERAS_COLUMNS",
            ],
        ),
    ];
    for (sql, names, says) in cases {
        let base = Base::postgres().await;
        base.sql(sql).await;
        let items = base.open(named(names.iter().copied())).await;
        for error in [
            items.missing().await.unwrap_err(),
            items.trigger(1).await.unwrap_err(),
        ] {
            let line = error.to_string();
            assert!(matches!(error, Error::Refused { .. }), "{line}");
            assert!(!line.contains('\n'), "{line}");
            for part in says {
                assert!(line.contains(part), "{part}: {line}");
            }
        }
        // Whoever mends it need not start anything anew.
        if sql.contains("password") || !sql.contains("username") {
            continue;
        }
        base.sql("ALTER TABLE cameras ADD password_encrypted text")
            .await;
        assert_eq!(items.trigger(1).await.unwrap(), Trigger::NotReady);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_never_statements() {
    let table = "x\"; DROP TABLE cameras; --";
    let status = "'); DROP TABLE cameras; --";
    for base in Base::both().await {
        base.add(1).await;
        let quoted = table.replace('"', "\"\"");
        base.sql(&format!(
            "ALTER TABLE packing_items RENAME TO \"{quoted}\";
             ALTER TABLE \"{quoted}\" RENAME COLUMN status TO \"{quoted}\";
             UPDATE \"{quoted}\" SET \"{quoted}\" = '{}'",
            status.replace('\'', "''")
        ))
        .await;
        let items = base
            .open(named([
                ("CCTV_ITEMS_TABLE", table),
                ("CCTV_ITEMS_COLUMNS", &format!("status={table}")),
                ("CCTV_STATUSES", &format!("READY_FOR_BATCH={status}")),
            ]))
            .await;
        assert_eq!(items.trigger(1).await.unwrap(), Trigger::Accepted);
        let delivery = next(&items).await;
        assert_held(&*delivery, &Outcome::retry("it's; DROP TABLE cameras; --")).await;
        let delivery = next(&items).await;
        assert_held(&*delivery, &made(1)).await;
        assert_eq!(items.counts().await.unwrap().completed, 1);
        assert_eq!(base.sql("SELECT count(*) FROM cameras").await, [["1"]]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_makes_no_tables_and_many_hosts_make_them_once() {
    let [base, file] = Base::empty().await;
    let all = [
        "flatbed_packing_claims",
        "packing_items",
        "cameras",
        "mini_clips",
    ];
    let items = base.open(quick()).await;
    for _ in 0..2 {
        assert_eq!(items.missing().await.unwrap(), all);
    }
    let hosts: Vec<_> = (0..8)
        .map(|_| {
            let (url, items) = (base.name(), items.clone());
            tokio::spawn(async move {
                drop(items);
                let host = PackingItems::postgres(&url, Config::default()).unwrap();
                host.trigger(1).await
            })
        })
        .collect();
    for host in hosts {
        assert_eq!(host.await.unwrap().unwrap(), Trigger::NotReady);
    }
    assert!(items.missing().await.unwrap().is_empty());
    assert!(items.migrate().await.unwrap().is_empty());

    let hosts: Vec<_> = (0..8)
        .map(|_| {
            let name = file.name();
            tokio::spawn(async move { open_named(&name, Config::default()).await.map(drop) })
        })
        .collect();
    for host in hosts {
        host.await.unwrap().unwrap();
    }
}

/// As docs/CCTV.md has them.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_needs_few_rights() {
    let base = Base::postgres().await;
    let role = format!("worker_{}", JobId::random().as_str().replace('-', ""));
    base.sql(&format!("CREATE ROLE {role} LOGIN")).await;
    let url = base.name();
    let (_, place) = url.split_once('@').unwrap();
    let worker = PackingItems::postgres(&format!("postgres://{role}@{place}"), quick()).unwrap();
    let line = worker.trigger(1).await.unwrap_err().to_string();
    assert!(
        line.contains("refuses") && line.contains("flatbed migrate"),
        "{line}"
    );

    base.open(quick()).await.migrate().await.unwrap();
    base.sql(&format!(
        "GRANT SELECT ON flatbed_packing_migrations, cameras TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON flatbed_packing_claims TO {role};
         GRANT SELECT, UPDATE (status, attempts, error, updated_at) ON packing_items TO {role};
         GRANT SELECT, INSERT, UPDATE ON mini_clips TO {role}"
    ))
    .await;
    base.add(1).await;
    base.add(2).await;
    assert_eq!(worker.trigger(2).await.unwrap(), Trigger::Accepted);
    let delivery = next(&worker).await;
    assert_held(&*delivery, &made(1)).await;
    let delivery = next(&worker).await;
    assert_held(&*delivery, &Outcome::PutBack).await;
    let delivery = next(&worker).await;
    assert_held(&*delivery, &Outcome::reject("no")).await;
    assert_eq!(base.clips().await, [["2", "clips/1.mp4"]]);
    assert!(worker.missing().await.unwrap().is_empty());
    base.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await;
}
