//! The broker, as any other client sees it.

use lapin::message::BasicGetMessage;
use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind,
};

/// A connection to it, with a channel that confirms.
pub struct Broker {
    url: String,
    channel: Channel,
    connection: Connection,
}

impl Broker {
    pub async fn at(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        let confirms = ConfirmSelectOptions::default();
        channel.confirm_select(confirms).await.unwrap();
        Self {
            url: url.to_owned(),
            channel,
            connection,
        }
    }

    pub async fn publish(&self, queue: &str, payload: &[u8]) {
        let properties = BasicProperties::default().with_delivery_mode(2);
        self.send(queue, payload, properties).await;
    }

    /// With all that a careful producer says of it.
    pub async fn publish_person(&self, queue: &str) {
        let mut headers = FieldTable::default();
        headers.insert("tenant".into(), AMQPValue::LongInt(7));
        // It would be sent there again with each copy.
        headers.insert("BCC".into(), AMQPValue::FieldArray(vec![].into()));
        let properties = BasicProperties::default()
            .with_headers(headers)
            .with_message_id("kib-2611852".into())
            .with_type("person".into())
            .with_user_id("guest".into())
            .with_content_type("application/json".into())
            .with_correlation_id("page 1".into())
            .with_timestamp(1_767_225_600)
            .with_priority(3)
            .with_expiration("60000".into());
        self.send(queue, b"{}", properties).await;
    }

    async fn send(&self, queue: &str, payload: &[u8], properties: BasicProperties) {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let sending =
            self.channel
                .basic_publish("".into(), queue.into(), options, payload, properties);
        let confirmed = sending.await.unwrap().await.unwrap();
        assert_eq!(confirmed, Confirmation::Ack(None));
    }

    pub async fn declare(&self, queue: &str, arguments: FieldTable) {
        let durable = QueueDeclareOptions::durable();
        let declaring = self.channel.queue_declare(queue.into(), durable, arguments);
        declaring.await.unwrap();
    }

    pub async fn declare_exclusive(&self, queue: &str) {
        let exclusive = QueueDeclareOptions {
            exclusive: true,
            ..QueueDeclareOptions::default()
        };
        let arguments = FieldTable::default();
        let declaring = self
            .channel
            .queue_declare(queue.into(), exclusive, arguments);
        declaring.await.unwrap();
    }

    /// An exchange that leads to `queue` by `key`, and goes with it.
    pub async fn bound_exchange(&self, queue: &str, key: &str) -> String {
        let name = format!("{queue}.exchange");
        let options = ExchangeDeclareOptions {
            auto_delete: true,
            ..ExchangeDeclareOptions::default()
        };
        self.channel
            .exchange_declare(
                name.as_str().into(),
                ExchangeKind::Direct,
                options,
                FieldTable::default(),
            )
            .await
            .unwrap();
        self.channel
            .queue_bind(
                queue.into(),
                name.as_str().into(),
                key.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
        name
    }

    /// The next message of a queue, taken off it.
    pub async fn take(&self, queue: &str) -> Option<BasicGetMessage> {
        let options = BasicGetOptions::default();
        let got = self.channel.basic_get(queue.into(), options).await.unwrap();
        if let Some(message) = &got {
            let acked = message.acker.ack(BasicAckOptions::default());
            assert!(acked.await.unwrap());
        }
        got
    }

    /// How many messages wait in a queue; `None` if there is no such queue.
    pub async fn length(&self, queue: &str) -> Option<u32> {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::durable()
        };
        // A refusal ends the channel.
        let channel = self.connection.create_channel().await.unwrap();
        let looked = channel.queue_declare(queue.into(), passive, FieldTable::default());
        let length = looked.await.ok().map(|queue| queue.message_count());
        let _ = channel.close(200, "bye".into()).await;
        length
    }

    /// Deletes queues, in a runtime of its own: the caller's may be ending.
    pub fn forget<const N: usize>(&self, queues: [String; N]) {
        let url = self.url.clone();
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let broker = Broker::at(&url).await;
                for queue in queues {
                    let options = QueueDeleteOptions::default();
                    let deleted = broker.channel.queue_delete(queue.as_str().into(), options);
                    deleted.await.unwrap();
                }
            });
        });
        assert!(deleting.join().is_ok(), "the queues are not deleted");
    }
}

/// Whether it says what `publish_person` did, but for what must not be copied.
pub fn is_person(message: &BasicGetMessage) -> bool {
    let properties = &message.properties;
    let headers = properties.headers().clone().unwrap_or_default();
    let text = |value: &Option<lapin::types::ShortString>| value.as_ref().map(ToString::to_string);
    headers.inner().get("tenant") == Some(&AMQPValue::LongInt(7))
        && !headers.contains_key("BCC")
        && !headers.contains_key("x-death")
        && text(properties.kind()).as_deref() == Some("person")
        && text(properties.message_id()).as_deref() == Some("kib-2611852")
        && text(properties.correlation_id()).as_deref() == Some("page 1")
        && *properties.priority() == Some(3)
        && *properties.timestamp() == Some(1_767_225_600)
        && properties.expiration().is_none()
        && *properties.delivery_mode() == Some(2)
}
