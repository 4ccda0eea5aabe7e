//! Connections: shared by all calls, made anew after they broke, and no call on
//! them waits for ever.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, Row, Statement};

use super::address::Address;
use super::failure::Trouble;
use super::schema::{self, Schema, Steps};
use crate::queue::Result;

/// Connecting, signing in and a look at the tables.
const CONNECT: Duration = Duration::from_secs(5);

/// No statement of ours takes a thousandth of it; what takes longer is a peer that
/// is gone without a word, or a server that is stopped.
const ANSWER: Duration = Duration::from_secs(4);

/// Where a job that can be claimed is told of; what is told is the queue's name.
macro_rules! jobs {
    () => {
        "flatbed_jobs"
    };
}
/// Where a cancel of an active job is told of.
macro_rules! cancels {
    () => {
        "flatbed_cancels"
    };
}
pub(crate) use {cancels, jobs};

/// The server gives up a statement before its caller does; what a host that is gone
/// has begun is rolled back.
fn bounded(answer: Duration) -> String {
    let most = answer
        .saturating_sub(Duration::from_millis(500))
        .as_millis();
    format!("SET statement_timeout = '{most}ms'; SET idle_in_transaction_session_timeout = '10s';")
}

/// A renewal that is forgotten costs a second run, which the contract allows: it is
/// not worth an fsync each.
const LEASES: &str = concat!(
    "SET synchronous_commit = off; LISTEN ",
    jobs!(),
    "; LISTEN ",
    cancels!(),
    ";"
);

pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// One connection, whenever it is needed.
pub(crate) struct Lane {
    address: Arc<Address>,
    setup: &'static str,
    /// How long a statement may take.
    answer: Duration,
    /// What it makes or updates first.
    tables: Option<&'static Steps>,
    /// Who hears what the server tells.
    ears: Option<Arc<Ears>>,
    session: Mutex<Option<Arc<Session>>>,
}

impl Lane {
    /// For leases; the ears hear of jobs and cancels.
    pub(crate) fn leases(address: Arc<Address>, tables: &'static Steps, ears: Arc<Ears>) -> Self {
        Self {
            address,
            setup: LEASES,
            answer: ANSWER,
            tables: Some(tables),
            ears: Some(ears),
            session: Mutex::default(),
        }
    }

    /// For what must be kept once it was answered.
    pub(crate) fn records(address: Arc<Address>, tables: &'static Steps) -> Self {
        Self {
            address,
            setup: "",
            answer: ANSWER,
            tables: Some(tables),
            ears: None,
            session: Mutex::default(),
        }
    }

    /// The same for statements that may take `answer`, a second at least; `setup` is
    /// run once a connection.
    pub(crate) fn patient(
        address: Arc<Address>,
        tables: &'static Steps,
        setup: &'static str,
        answer: Duration,
    ) -> Self {
        Self {
            setup,
            answer,
            ..Self::records(address, tables)
        }
    }

    /// For a look that makes no tables.
    pub(crate) fn looking(address: Arc<Address>) -> Self {
        Self {
            address,
            setup: "",
            answer: ANSWER,
            tables: None,
            ears: None,
            session: Mutex::default(),
        }
    }

    /// Runs a statement; the rows that it answers.
    pub(crate) async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>> {
        self.on_session(async |session: &Session| {
            let statement = session.prepared(sql).await?;
            Ok(session.client.query(&statement, parameters).await?)
        })
        .await
    }

    /// Runs a statement that answers a row at most.
    pub(crate) async fn query_row(
        &self,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>> {
        Ok(self.query(sql, parameters).await?.into_iter().next())
    }

    /// Runs a statement; how many rows it changed or answered.
    pub(crate) async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64> {
        self.on_session(async |session: &Session| {
            let statement = session.prepared(sql).await?;
            Ok(session.client.execute(&statement, parameters).await?)
        })
        .await
    }

    /// Connects if it is not connected.
    pub(crate) async fn open(&self) -> Result<()> {
        let open = in_time(CONNECT, self.session()).await;
        open.map(drop)
            .map_err(|trouble| trouble.error(&self.address))
    }

    async fn on_session<T>(
        &self,
        call: impl AsyncFnOnce(&Session) -> Result<T, Trouble>,
    ) -> Result<T> {
        // Waiting for another call's connect is part of it.
        let answer = match in_time(CONNECT, self.session()).await {
            Err(trouble) => Err(trouble),
            Ok(session) => {
                let answer = in_time(self.answer, call(&session)).await;
                if answer.as_ref().is_err_and(Trouble::is_broken) {
                    self.discard(&session).await;
                }
                answer
            }
        };
        answer.map_err(|trouble| trouble.error(&self.address))
    }

    async fn session(&self) -> Result<Arc<Session>, Trouble> {
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| session.is_open()) {
            return Ok(Arc::clone(session));
        }
        let mut new = Session::open(&self.address, self.ears.clone()).await?;
        new.client.batch_execute(&bounded(self.answer)).await?;
        if let Some(tables) = self.tables {
            schema::migrate(&mut new.client, tables).await?;
        }
        new.client.batch_execute(self.setup).await?;
        Ok(Arc::clone(session.insert(Arc::new(new))))
    }

    /// Begins a transaction on a connection of its own: what is not committed when it
    /// is dropped was never there.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        self.open().await?;
        let connecting = async {
            let session = Session::open(&self.address, None).await?;
            let begin = format!("{} BEGIN;", bounded(self.answer));
            session.client.batch_execute(&begin).await?;
            Ok(session)
        };
        let session = in_time(CONNECT, connecting).await;
        Ok(Transaction {
            session: session.map_err(|trouble| trouble.error(&self.address))?,
            address: Arc::clone(&self.address),
            answer: self.answer,
        })
    }

    /// Others on the same connection fail at once instead of waiting for nothing.
    async fn discard(&self, broken: &Arc<Session>) {
        broken.driver.abort();
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|now| Arc::ptr_eq(now, broken)) {
            session.take();
        }
    }

    /// Lets go of the connection, once the calls on it are done.
    pub(crate) async fn close(&self) {
        self.session.lock().await.take();
    }
}

/// Several statements, of which all count or none.
pub(crate) struct Transaction {
    session: Session,
    address: Arc<Address>,
    answer: Duration,
}

impl Transaction {
    /// Runs a statement; how many rows it changed or answered.
    pub(crate) async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64> {
        let call = async {
            let statement = self.session.prepared(sql).await?;
            Ok(self.session.client.execute(&statement, parameters).await?)
        };
        self.in_time(call).await
    }

    /// Runs a statement; the rows that it answers.
    pub(crate) async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>> {
        let call = async {
            let statement = self.session.prepared(sql).await?;
            Ok(self.session.client.query(&statement, parameters).await?)
        };
        self.in_time(call).await
    }

    /// Has it count.
    pub(crate) async fn commit(self) -> Result<()> {
        let commit = async { Ok(self.session.client.batch_execute("COMMIT").await?) };
        self.in_time(commit).await
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, Trouble>>) -> Result<T> {
        let answer = in_time(self.answer, call).await;
        answer.map_err(|trouble| trouble.error(&self.address))
    }
}

/// How far the tables are.
pub(crate) async fn examine(address: &Address, tables: &Steps) -> Result<Schema> {
    let examining = async {
        let session = Session::open(address, None).await?;
        schema::examine(&session.client, tables).await
    };
    in_time(CONNECT, examining)
        .await
        .map_err(|trouble| trouble.error(address))
}

/// Makes or updates the tables; how far they were. Those that they need come first.
pub(crate) async fn migrate(
    address: &Address,
    tables: &Steps,
    longest: Duration,
) -> Result<Schema> {
    let migrating = async {
        let mut session = in_time(CONNECT, Session::open(address, None)).await?;
        in_time(longest, schema::migrate(&mut session.client, tables)).await
    };
    migrating.await.map_err(|trouble| trouble.error(address))
}

/// What does not come in time is trouble.
async fn in_time<T>(
    longest: Duration,
    call: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    timeout(longest, call).await.unwrap_or(Err(Trouble::Silent))
}

/// Runs statements that may take long, each by itself.
pub(crate) async fn at_leisure(
    address: &Address,
    statements: &[String],
    longest: Duration,
) -> Result<()> {
    let running = async {
        let session = in_time(CONNECT, Session::open(address, None)).await?;
        for statement in statements {
            in_time(longest, async {
                Ok(session.client.batch_execute(statement).await?)
            })
            .await?;
        }
        Ok(())
    };
    running
        .await
        .map_err(|trouble: Trouble| trouble.error(address))
}

/// A connection, and the task that reads from it.
struct Session {
    client: Client,
    driver: AbortHandle,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl Session {
    async fn open(address: &Address, ears: Option<Arc<Ears>>) -> Result<Self, Trouble> {
        let (client, connection) = address.config.connect(address.tls.clone()).await?;
        Ok(Self {
            client,
            driver: tokio::spawn(drive(connection, ears)).abort_handle(),
            prepared: Mutex::default(),
        })
    }

    fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Each statement is planned once a connection.
    async fn prepared(&self, sql: &str) -> Result<Statement, Trouble> {
        if let Some(statement) = self.prepared.lock().await.get(sql) {
            return Ok(statement.clone());
        }
        // Two at once prepare it twice, and one of them is dropped.
        let statement = self.client.prepare(sql).await?;
        let mut prepared = self.prepared.lock().await;
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

async fn drive<S, T>(mut connection: Connection<S, T>, ears: Option<Arc<Ears>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    // Until it is closed, or breaks: calls that wait then get the error.
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let (AsyncMessage::Notification(told), Some(ears)) = (message, &ears) {
            ears.hear(told.channel(), told.payload());
        }
    }
    if let Some(ears) = ears {
        ears.ring();
    }
}

/// What the server tells those who wait in this process.
pub(crate) struct Ears {
    queue: String,
    rings: watch::Sender<u64>,
    /// Somebody asked to cancel an active job.
    pub(crate) cancels: Notify,
}

impl Ears {
    pub(crate) fn new(queue: &str) -> Self {
        Self {
            queue: queue.to_owned(),
            rings: watch::Sender::new(0),
            cancels: Notify::new(),
        }
    }

    /// Changes whenever there may be something to claim.
    pub(crate) fn rung(&self) -> watch::Receiver<u64> {
        self.rings.subscribe()
    }

    fn hear(&self, channel: &str, queue: &str) {
        if queue != self.queue {
            return;
        }
        match channel {
            jobs!() => self.ring(),
            _ => self.cancels.notify_waiters(),
        }
    }

    fn ring(&self) {
        self.rings.send_modify(|count| *count += 1);
    }
}
