//! The queues: used as they are where they exist, declared where they do not.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use lapin::{Channel, ErrorKind};
use tokio::time::sleep;

use super::connection::Link;
use super::{Options, QueueType};
use crate::queue::Result;

/// How long a retry queue that nobody uses stays, beyond the waits in it.
const UNUSED: Duration = Duration::from_secs(3600);

/// How long a message may lie in a holding queue before it goes back to where it
/// came from: longer than it takes to be handed out.
const HELD: Duration = Duration::from_secs(10);

/// A new quorum queue's name is written to disk half a second later (Ra's directory
/// saves itself then): a broker that is killed before forgets the queue and what was
/// confirmed in it.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Looks for the queue and its dead-letter queue, and declares what is missing.
/// What exists is used whatever its arguments.
pub(super) async fn declare(link: &Link, options: &Options) -> Result<()> {
    let mut is_new = false;
    for queue in [&options.queue, &options.dead_queue] {
        let queue = Options::name(queue);
        if !exists(link, queue.clone()).await? {
            let mut arguments = FieldTable::default();
            set(
                &mut arguments,
                "x-queue-type",
                text(options.queue_type.as_str()),
            );
            create(link, queue, arguments).await?;
            is_new = true;
        }
    }
    if is_new {
        remembered(options).await;
    }
    Ok(())
}

async fn exists(link: &Link, queue: ShortString) -> Result<bool> {
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::durable()
    };
    // A refusal ends the channel.
    let channel = link.channel().await?;
    let look = channel.queue_declare(queue, passive, FieldTable::default());
    let found = async {
        match look.await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    };
    link.answer(found).await
}

/// Waits until a new queue outlives the broker.
async fn remembered(options: &Options) {
    if options.queue_type == QueueType::Quorum {
        sleep(REMEMBERED).await;
    }
}

/// A queue in which messages wait for `seconds` and then go to the options' queue;
/// its name.
pub(super) async fn retry_queue(
    link: &Link,
    options: &Options,
    seconds: u32,
) -> Result<ShortString> {
    let queue = Options::name(&format!("{}.retry.{seconds}s", options.queue));
    let wait = Duration::from_secs(seconds.into());
    let is_old = options.queue_type == QueueType::Classic || exists(link, queue.clone()).await?;
    // Declaring it counts as use: it outlives what is put into it now.
    create(link, queue.clone(), returning(options, wait, wait + UNUSED)).await?;
    if !is_old {
        remembered(options).await;
    }
    Ok(queue)
}

/// A queue for messages that `key` holds for long; its name.
pub(super) async fn holding_queue(
    link: &Link,
    options: &Options,
    key: &str,
) -> Result<ShortString> {
    let queue = Options::name(&format!("{}.held.{key}", options.queue));
    // The message is in hand for as long, and the queue must not go before it.
    let unused = options.longest_hold.saturating_mul(2) + UNUSED;
    create(link, queue.clone(), returning(options, HELD, unused)).await?;
    remembered(options).await;
    Ok(queue)
}

/// Arguments of a queue whose messages go back to the options' queue after `wait`.
fn returning(options: &Options, wait: Duration, unused: Duration) -> FieldTable {
    let mut arguments = FieldTable::default();
    set(
        &mut arguments,
        "x-queue-type",
        text(options.queue_type.as_str()),
    );
    set(&mut arguments, "x-message-ttl", millis(wait));
    set(&mut arguments, "x-expires", millis(unused));
    // The default exchange, which routes by the queue's name.
    set(&mut arguments, "x-dead-letter-exchange", text(""));
    set(
        &mut arguments,
        "x-dead-letter-routing-key",
        text(&options.queue),
    );
    if options.queue_type == QueueType::Quorum {
        // Else a message could be lost between the two.
        set(
            &mut arguments,
            "x-dead-letter-strategy",
            text("at-least-once"),
        );
        set(&mut arguments, "x-overflow", text("reject-publish"));
    }
    arguments
}

async fn create(link: &Link, queue: ShortString, arguments: FieldTable) -> Result<()> {
    let channel: Channel = link.channel().await?;
    let durable = QueueDeclareOptions::durable();
    link.answer(channel.queue_declare(queue, durable, arguments))
        .await?;
    Ok(())
}

fn is_missing(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said)
        if said.get_id() == 404 && said.get_message().as_str().contains("no queue"))
}

fn set(table: &mut FieldTable, name: &'static str, value: AMQPValue) {
    table.insert(ShortString::from(name), value);
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

fn millis(duration: Duration) -> AMQPValue {
    AMQPValue::LongLongInt(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}
