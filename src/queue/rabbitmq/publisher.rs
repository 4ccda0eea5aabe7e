//! Messages on their way to the broker: sent is what the broker has confirmed.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::Mutex;

use super::connection::{Link, short};
use super::message;
use crate::job::JobId;
use crate::queue::Result;

/// The default exchange, which routes by the queue's name.
const DEFAULT_EXCHANGE: &str = "";

/// Publishes, over a connection of its own: a broker that is short of memory stops
/// reading from those that publish, and acknowledgements must still reach it.
pub struct Publisher {
    link: Link,
    channel: Mutex<Option<Channel>>,
}

impl Publisher {
    /// Publishes to the broker at `url`, as `amqp://user:password@host:5672/%2f`.
    /// Connects when it is first used.
    pub fn new(url: &str, options: &super::Options) -> Result<Self> {
        options.check()?;
        Ok(Self {
            link: Link::new(url, &options.queue, "publishing", options.heartbeat)?,
            channel: Mutex::default(),
        })
    }

    /// Sends a message to whatever queues `exchange` leads to by `routing_key`; the
    /// exchange named by the empty text leads to the queue of that name.
    ///
    /// When it returns, the broker has it, on disk where the queue is durable. After
    /// an error nobody knows; sent again under the same id it is the same job.
    pub async fn publish(
        &self,
        exchange: &str,
        routing_key: &str,
        id: &JobId,
        payload: &[u8],
    ) -> Result<()> {
        let (Some(exchange), Some(key)) = (short(exchange), short(routing_key)) else {
            let reason = "the names of exchange and routing key have at most 255 bytes";
            return Err(self.link.refused(reason.to_owned()));
        };
        self.send(exchange, key, payload, message::fresh(id)).await
    }

    /// Sends a message to a queue.
    pub(super) async fn to_queue(
        &self,
        queue: ShortString,
        payload: &[u8],
        properties: BasicProperties,
    ) -> Result<()> {
        let exchange = ShortString::from(DEFAULT_EXCHANGE);
        self.send(exchange, queue, payload, properties).await
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    async fn send(
        &self,
        exchange: ShortString,
        key: ShortString,
        payload: &[u8],
        properties: BasicProperties,
    ) -> Result<()> {
        let channel = self.channel().await?;
        // Else the broker throws away what no queue takes.
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let sent = self.link.answer(async {
            let sending =
                channel.basic_publish(exchange, key.clone(), options, payload, properties);
            sending.await?.await
        });
        let confirmed = match sent.await {
            Ok(confirmed) => confirmed,
            Err(error) => {
                self.channel.lock().await.take();
                return Err(error);
            }
        };
        match confirmed {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => {
                let reason = format!("no queue takes messages for '{key}'; declare or bind it");
                Err(self.link.refused(reason))
            }
            Confirmation::Nack(None) | Confirmation::NotRequested => {
                Err(self.link.away("it did not take the message"))
            }
        }
    }

    /// The channel, opened anew after an error.
    async fn channel(&self) -> Result<Channel> {
        let mut shared = self.channel.lock().await;
        if let Some(channel) = shared.as_ref().filter(|it| it.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.link.channel().await?;
        let confirms = channel.confirm_select(ConfirmSelectOptions::default());
        self.link.answer(confirms).await?;
        Ok(shared.insert(channel).clone())
    }

    /// Lets go of the broker.
    pub async fn close(&self) {
        self.channel.lock().await.take();
        self.link.discard().await;
    }
}
