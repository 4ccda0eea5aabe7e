//! A database with the tables, in Postgres or SQLite.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flatbed::clip::{Made, Order};
use flatbed::config::Variables;
use flatbed::job::{Outcome, RetryPolicy};
use flatbed::queue::packing_items::{Config, Names, PackingItems};
use flatbed::queue::{Delivery, Lease, Source};
use rusqlite::types::Value;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use super::super::contract::receive;
use super::super::postgres::server::Server;

/// A database of a test's own.
pub enum Base {
    Postgres(Server),
    /// A schema of the database that others use too.
    Schema(Schema),
    Sqlite(TempDir),
}

/// Goes with this value.
pub struct Schema {
    server: Server,
    name: String,
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.server
            .sql_now(&format!("DROP SCHEMA {} CASCADE", self.name));
    }
}

impl Base {
    pub async fn postgres() -> Self {
        Self::Postgres(Server::empty_database().await)
    }

    pub async fn schema() -> Self {
        let mut server = Server::shared();
        let name = format!("test_{}", Uuid::now_v7().simple());
        server.sql(&format!("CREATE SCHEMA {name}")).await;
        server.url = format!("{}?options=-csearch_path%3D{name}", server.url);
        Self::Schema(Schema { server, name })
    }

    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// One of each, with the tables.
    pub async fn both() -> [Self; 2] {
        let both = Self::empty().await;
        for base in &both {
            base.open(Config::default()).await.migrate().await.unwrap();
        }
        both
    }

    /// One of each.
    pub async fn empty() -> [Self; 2] {
        [Self::postgres().await, Self::sqlite()]
    }

    pub fn is_postgres(&self) -> bool {
        !matches!(self, Self::Sqlite(_))
    }

    /// What `open_named` needs to know.
    pub fn name(&self) -> String {
        match self {
            Self::Postgres(server) | Self::Schema(Schema { server, .. }) => server.url.clone(),
            Self::Sqlite(folder) => file(folder).to_str().unwrap().to_owned(),
        }
    }

    /// A handle of its own, as another process would have.
    pub async fn open(&self, config: Config) -> PackingItems {
        open_named(&self.name(), config).await.unwrap()
    }

    /// Runs statements, or one query.
    pub async fn sql(&self, sql: &str) -> Vec<Vec<String>> {
        let folder = match self {
            Self::Postgres(server) | Self::Schema(Schema { server, .. }) => {
                return server.sql(sql).await;
            }
            Self::Sqlite(folder) => folder,
        };
        let connection = rusqlite::Connection::open(file(folder)).unwrap();
        connection.busy_timeout(Duration::from_secs(20)).unwrap();
        if !sql.starts_with("SELECT") {
            connection.execute_batch(sql).unwrap();
            return Vec::new();
        }
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let text = |column| {
                Ok(match row.get(column)? {
                    Value::Null => "NULL".to_owned(),
                    Value::Integer(number) => number.to_string(),
                    Value::Real(number) => number.to_string(),
                    Value::Text(text) => text,
                    Value::Blob(bytes) => format!("{bytes:?}"),
                })
            };
            (0..columns).map(text).collect()
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// A camera and an item of it that is ready.
    pub async fn add(&self, id: i64) {
        self.sql(&format!(
            "INSERT INTO cameras (id, host, username, password_encrypted)
                 VALUES ({id}, '192.0.2.7', 'admin', 'gAAAA');
             INSERT INTO packing_items (id, camera_id, start_time, end_time, status)
                 VALUES ({id}, {id}, '2020-11-22 10:00:00+00:00', '2020-11-22 10:00:30+00:00',
                         'READY_FOR_BATCH')"
        ))
        .await;
    }

    /// An item's columns, separated by spaces.
    pub async fn item(&self, id: i64, columns: &str) -> String {
        let sql = format!("SELECT {columns} FROM packing_items WHERE id = {id}");
        self.sql(&sql).await[0].join(" ")
    }

    pub async fn clips(&self) -> Vec<Vec<String>> {
        self.sql("SELECT packing_item_id, object_key FROM mini_clips ORDER BY packing_item_id")
            .await
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("items.sqlite")
}

pub async fn open_named(name: &str, config: Config) -> flatbed::queue::Result<PackingItems> {
    if name.starts_with("postgres") {
        PackingItems::postgres(name, config)
    } else {
        PackingItems::sqlite(std::path::Path::new(name), config).await
    }
}

/// Batches that never keep anybody waiting, and retries neither.
pub fn quick() -> Config {
    Config {
        batch_interval: Duration::from_millis(50),
        batch_size: 1_000_000,
        retry: RetryPolicy {
            attempts: 3,
            first_delay: Duration::from_millis(1),
            longest_delay: Duration::from_millis(1),
        },
        ..Config::default()
    }
}

/// The same with names.
pub fn named<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Config {
    let mut variables = Variables::of(variables);
    let names = Names::read(&mut variables);
    variables.finish().unwrap();
    Config { names, ..quick() }
}

/// The next delivery.
pub async fn next(items: &PackingItems) -> Box<dyn Delivery> {
    let source: Arc<dyn Source> = Arc::new(items.clone());
    receive(&source).await
}

pub fn order(delivery: &dyn Delivery) -> Order {
    delivery.job().parse().unwrap()
}

/// A clip of that size.
pub fn made(size_bytes: i64) -> Outcome {
    let made = Made {
        bucket: "clips".to_owned(),
        object_key: format!("clips/{size_bytes}.mp4"),
        url: "https://storage.example/clips".to_owned(),
        start_time: "2020-11-22T10:00:00Z".parse().unwrap(),
        end_time: "2020-11-22T10:00:29.5Z".parse().unwrap(),
        duration_ms: 29_500,
        size_bytes,
        coverage: 0.5,
    };
    Outcome::Done(json!(made))
}

pub async fn assert_held(delivery: &dyn Delivery, outcome: &Outcome) {
    assert_eq!(delivery.settle(outcome).await.unwrap(), Lease::Held);
}
