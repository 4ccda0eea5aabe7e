//! A connection to RabbitMQ: made anew after it broke, and no call on it waits for
//! ever.

use std::sync::Arc;
use std::time::Duration;

use lapin::options::BasicQosOptions;
use lapin::protocol::AMQPError;
use lapin::types::{LongString, ShortString};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::queue::{Error, Result};

/// Connecting and signing in.
const CONNECT: Duration = Duration::from_secs(5);

/// What takes longer is a peer that is gone without a word, or a broker that
/// accepts no messages for want of memory or disk.
const ANSWER: Duration = Duration::from_secs(8);

/// The longest frame, in bytes. The library keeps 64 of them for each connection, which
/// were 8 MiB at the broker's own 128 KiB. Payloads go in as many frames as they need;
/// all headers of a message must fit into one.
const FRAME: u32 = 32 << 10;

/// Codes of AMQP by which the broker says that asking again is no use: 402 and 403
/// rights, 404 not found, 405 locked, 406 other arguments, 530 not allowed.
const REFUSALS: [u16; 6] = [402, 403, 404, 405, 406, 530];

/// One connection as this process sees it.
pub(super) struct Link {
    uri: AMQPUri,
    /// Which queue of which broker, without the password.
    name: Arc<str>,
    /// As the broker's lists of connections show it.
    title: String,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl Link {
    /// Reads the address (`amqp://`, `amqps://`); connects later.
    pub(super) fn new(url: &str, queue: &str, use_: &str, heartbeat: Duration) -> Result<Self> {
        // Fails where another part of the program was first, which is as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The library's error may quote the address, password and all.
        let Ok(mut uri) = url.parse::<AMQPUri>() else {
            return Err(Error::Refused {
                queue: format!("queue {queue} on rabbitmq"),
                reason: "the address is not understood; it must be as \
                         amqp://user:password@host:5672/%2f, or amqps:// for TLS"
                    .to_owned(),
                source: None,
            });
        };
        let authority = &uri.authority;
        let name = format!(
            "queue {queue} on rabbitmq {}:{}",
            authority.host, authority.port
        );
        let seconds = u16::try_from(heartbeat.as_secs()).unwrap_or(u16::MAX);
        // The address goes before the settings.
        uri.query.heartbeat.get_or_insert(seconds);
        uri.query.frame_max.get_or_insert(FRAME);
        Ok(Self {
            uri,
            name: name.into(),
            title: format!("flatbed {queue} {use_}"),
            connection: Mutex::default(),
        })
    }

    /// A new channel, over a new connection if need be.
    pub(super) async fn channel(&self) -> Result<Channel> {
        // Waiting for another call's connect is part of it.
        let connection = match timeout(CONNECT, self.connection()).await {
            Ok(connection) => connection?,
            Err(_) => return Err(self.away("no connection in time")),
        };
        self.answer(connection.create_channel()).await
    }

    async fn connection(&self) -> Result<Arc<Connection>> {
        let mut shared = self.connection.lock().await;
        if let Some(connection) = shared.as_ref().filter(|it| it.status().connected()) {
            return Ok(Arc::clone(connection));
        }
        let properties = ConnectionProperties::default()
            .with_connection_name(LongString::from(self.title.as_str()));
        let connection = Connection::connect_uri(self.uri.clone(), properties)
            .await
            .map_err(|error| self.error(error))?;
        Ok(Arc::clone(shared.insert(Arc::new(connection))))
    }

    /// Lets go of the connection: all of its channels end.
    pub(super) async fn discard(&self) {
        let Some(connection) = self.connection.lock().await.take() else {
            return;
        };
        // A peer that is silent does not answer this either.
        tokio::spawn(timeout(ANSWER, async move {
            let _ = connection.close(200, ShortString::from("bye")).await;
        }));
    }

    /// What a call comes to; one that is not answered in time ends the connection.
    pub(super) async fn answer<T>(
        &self,
        call: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T> {
        if let Ok(answer) = timeout(ANSWER, call).await {
            return answer.map_err(|error| self.error(error));
        }
        let reason = if self.is_blocked().await {
            "it takes no messages: it is short of memory or disk"
        } else {
            "no answer in time"
        };
        self.discard().await;
        Err(self.away(reason))
    }

    /// A round trip on the channel: what was sent on it before has been heeded. One
    /// message at a time is prefetched, for those consumers that come.
    pub(super) async fn probe(&self, channel: &Channel) -> Result<()> {
        let options = BasicQosOptions::default();
        self.answer(channel.basic_qos(1, options)).await
    }

    async fn is_blocked(&self) -> bool {
        let connection = self.connection.lock().await;
        connection.as_ref().is_some_and(|it| it.status().blocked())
    }

    pub(super) fn away(&self, reason: &str) -> Error {
        Error::Away {
            queue: self.name.to_string(),
            reason: reason.to_owned(),
            source: None,
        }
    }

    pub(super) fn refused(&self, reason: String) -> Error {
        Error::Refused {
            queue: self.name.to_string(),
            reason,
            source: None,
        }
    }

    /// The library's error as the contract has them.
    pub(super) fn error(&self, error: lapin::Error) -> Error {
        let queue = self.name.to_string();
        let text = error.to_string();
        let reason = text.lines().next().unwrap_or_default();
        if let ErrorKind::ProtocolError(said) = error.kind()
            && is_refusal(said)
        {
            let remedy = remedy(said.get_id());
            return Error::Refused {
                queue,
                reason: format!("{reason}{remedy}"),
                source: Some(error.into()),
            };
        }
        Error::Away {
            queue,
            reason: reason.to_owned(),
            source: Some(error.into()),
        }
    }
}

/// Whether the channel of the call is over, which its own status may show only a
/// moment later: the library answers those who wait before it ends the channels.
/// Behind a call that was not answered nobody knows.
pub(super) fn ends_the_channel(error: &Error) -> bool {
    let (Error::Away { source, .. } | Error::Refused { source, .. }) = error;
    source.as_ref().is_some_and(|it| it.is::<lapin::Error>())
}

/// Whether somebody has to mend it; a queue whose node is down comes back.
fn is_refusal(said: &AMQPError) -> bool {
    REFUSALS.contains(&said.get_id()) && !said.get_message().as_str().contains("is down")
}

fn remedy(code: u16) -> &'static str {
    match code {
        402 | 403 => {
            "; see user and password in RABBITMQ_URL, and the user's rights to the queue, its \
             dead-letter queue and its retry queues"
        }
        404 => "; declare it, or give the user the right to",
        405 => "; another connection has it to itself",
        406 => "; it exists with other arguments: delete it, or choose another name",
        530 => "; see the virtual host in RABBITMQ_URL",
        _ => "",
    }
}

/// A name that AMQP can carry.
pub(super) fn short(name: &str) -> Option<ShortString> {
    ShortString::try_new(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The heartbeat's end came to a test as an error, the channel still open.
    #[test]
    fn what_the_library_says_ends_the_channel_and_silence_does_not() {
        let url = "amqp://guest:guest@localhost/%2f";
        let link = Link::new(url, "videos", "consuming", Duration::from_secs(30)).unwrap();
        let error = link.error(ErrorKind::MissingHeartbeatError.into());
        assert!(ends_the_channel(&error), "{error}");
        let error = link.away("no answer in time");
        assert!(!ends_the_channel(&error), "{error}");
    }
}
