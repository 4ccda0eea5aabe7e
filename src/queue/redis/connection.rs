//! The connection to Redis: shared by all calls, made anew after it broke, and
//! no call on it waits for ever.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, FromRedisValue, IntoConnectionInfo, RedisError,
    ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::queue::{Error, Result};

/// Connecting, signing in and choosing the database included.
const CONNECT: Duration = Duration::from_secs(4);

/// No script of ours takes a thousandth of it; what takes longer is a peer that
/// is gone without a word, or a Redis that is stopped.
const ANSWER: Duration = Duration::from_secs(4);

/// A Redis server as this process sees it. Clones share the connection.
#[derive(Clone)]
pub(in crate::queue) struct Redis {
    client: Client,
    /// Which queue of which server, without the password.
    name: Arc<str>,
    shared: Arc<Mutex<Option<MultiplexedConnection>>>,
}

/// A Lua script, sent whole only to a server that does not know it.
pub(in crate::queue) struct Script {
    code: &'static str,
    hash: String,
}

/// A script of the adapter that calls it, put together from files of its `lua/`,
/// behind the clock that all have.
macro_rules! script {
    ($name:ident = $($part:literal)*) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("../redis/lua/clock.lua"),
                $(include_str!(concat!("lua/", $part, ".lua"))),*
            ))
        });
    };
}
pub(in crate::queue) use script;

impl Script {
    pub(in crate::queue) fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }
}

impl Redis {
    /// Reads the address (`redis://`, `rediss://`, `unix://`); connects later.
    pub(in crate::queue) fn new(url: &str, queue: &str) -> Result<Self> {
        // Fails where another part of the program was first, which is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let opened = url
            .into_connection_info()
            .map(|info| {
                let settings = TcpSettings::default()
                    .set_nodelay(true)
                    .set_keepalive(socket2::TcpKeepalive::new().with_time(Duration::from_secs(15)));
                #[cfg(target_os = "linux")]
                let settings = settings.set_user_timeout(CONNECT + ANSWER);
                info.set_tcp_settings(settings)
            })
            .and_then(|info| Ok((info.addr().to_string(), Client::open(info)?)));
        match opened {
            Ok((address, client)) => Ok(Self {
                client,
                name: format!("queue {queue} on redis {address}").into(),
                shared: Arc::default(),
            }),
            // The library's error may quote the address, password and all.
            Err(_) => Err(Error::Refused {
                queue: format!("queue {queue} on redis"),
                reason: "the address is not understood; it must be as \
                         redis://[user:password@]host:6379[/database], or rediss:// for TLS"
                    .to_owned(),
                source: None,
            }),
        }
    }

    /// Runs a script.
    pub(in crate::queue) async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        base: &str,
        arguments: &[&[u8]],
    ) -> Result<T> {
        let mut evaluate = redis::cmd("EVALSHA");
        evaluate.arg(&script.hash).arg(1).arg(base).arg(arguments);
        match self.answer(&evaluate).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let mut load = redis::cmd("SCRIPT");
                load.arg("LOAD").arg(script.code);
                match self.answer::<String>(&load).await {
                    Ok(_) => self.answer(&evaluate).await,
                    Err(error) => Err(error),
                }
            }
            answer => answer,
        }
        .map_err(|error| self.error(error))
    }

    /// Runs one command.
    pub(in crate::queue) async fn command<T: FromRedisValue>(
        &self,
        command: &redis::Cmd,
    ) -> Result<T> {
        self.answer(command)
            .await
            .map_err(|error| self.error(error))
    }

    async fn answer<T: FromRedisValue>(&self, command: &redis::Cmd) -> redis::RedisResult<T> {
        // Waiting for another call's connect is part of it.
        let mut connection = in_time(CONNECT, self.shared()).await?;
        let answer = in_time(ANSWER, command.query_async(&mut connection)).await;
        // Also one that does not answer: nothing will come of the next call either.
        if answer.as_ref().is_err_and(is_broken) {
            self.discard().await;
        }
        answer
    }

    async fn shared(&self) -> redis::RedisResult<MultiplexedConnection> {
        let mut shared = self.shared.lock().await;
        if let Some(connection) = &*shared {
            return Ok(connection.clone());
        }
        let connection = self.connect().await?;
        Ok(shared.insert(connection).clone())
    }

    /// Several calls may have failed on one connection, and the last of them end
    /// a new one: that costs another connect and nothing else.
    pub(in crate::queue) async fn discard(&self) {
        self.shared.lock().await.take();
    }

    /// A connection of one's own, for calls that block.
    pub(in crate::queue) async fn connect(&self) -> redis::RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(None);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        in_time(CONNECT, connecting).await
    }

    /// The library's error as the contract has them.
    pub(in crate::queue) fn error(&self, error: RedisError) -> Error {
        let queue = self.name.to_string();
        let reason = one_line(&error);
        let source = Some(error.into());
        if is_away(source.as_deref()) {
            Error::Away {
                queue,
                reason,
                source,
            }
        } else {
            Error::Refused {
                queue,
                reason,
                source,
            }
        }
    }
}

/// What does not come in time is an error of the connection.
pub(in crate::queue) async fn in_time<T>(
    longest: Duration,
    call: impl Future<Output = redis::RedisResult<T>>,
) -> redis::RedisResult<T> {
    timeout(longest, call)
        .await
        .unwrap_or_else(|_| Err((ErrorKind::Io, "no answer in time").into()))
}

/// Whether a new connection may do better; after a failover the address may
/// stand for another server.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

type Source = dyn std::error::Error + Send + Sync;

/// Whether it may pass by itself: no connection, or a server that starts, fails
/// over or is busy.
fn is_away(error: Option<&Source>) -> bool {
    let Some(error) = error.and_then(|error| error.downcast_ref::<RedisError>()) else {
        return false;
    };
    match error.kind() {
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown,
        ) => true,
        ErrorKind::Server(_) => error.code() == Some("BUSY"),
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => false,
        _ => is_broken(error),
    }
}

fn one_line(error: &RedisError) -> String {
    let remedy = match error.code() {
        Some("OOM") => "; raise its maxmemory or remove jobs",
        Some("NOPERM") => "; the user needs the queue's keys and the scripting commands",
        Some("NOAUTH" | "WRONGPASS") => "; see user and password in REDIS_URL",
        Some("CROSSSLOT" | "MOVED") => "; Redis Cluster is not supported",
        _ => "",
    };
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("{line}{remedy}")
}
