//! One message for each who waits, and none besides: a consumer that takes one
//! message is begun when somebody asks, and ended as soon as it has it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery as Message;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::Shared;
use super::delivery::{Held, RabbitDelivery};
use super::message::Letter;
use crate::job::Outcome;
use crate::queue::handover::OnItsWay;
use crate::queue::{Delivery, Error, Result, SetAside, State};

/// How often an idle consumer looks whether the broker is still there.
const PROBE: Duration = Duration::from_secs(5);

/// To whom a delivery goes.
pub(super) type To = oneshot::Sender<Result<Taken>>;

/// A delivery on its way to whoever waits; if nobody does any more, it is put back.
pub(super) type Taken = OnItsWay<RabbitDelivery, fn(RabbitDelivery)>;

/// Takes the next message for whoever waits.
pub(super) async fn offer(shared: Arc<Shared>, mut to: To, _counted: Counted) {
    let taken = match next(&shared, &mut to).await {
        Ok(Some(delivery)) => Ok(OnItsWay::new(delivery, give_up as fn(_))),
        Ok(None) => return,
        Err(error) => {
            shared.doubt_queues();
            Err(error)
        }
    };
    // Who has gone leaves it to be put back.
    let _ = to.send(taken);
}

/// Has a delivery put back that nobody took.
fn give_up(delivery: RabbitDelivery) {
    // Without a runtime the process is at its end, and the broker finds out.
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    let counted = Counted::new(delivery.shared());
    runtime.spawn(async move {
        put_back(&delivery).await;
        drop(counted);
    });
}

/// Counts what is being received, or put back, for as long as it lives.
pub(super) struct Counted(Arc<Shared>);

impl Counted {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.receiving.send_modify(|number| *number += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.receiving.send_modify(|number| *number -= 1);
    }
}

async fn put_back(delivery: &RabbitDelivery) {
    if let Err(error) = delivery.settle(&Outcome::PutBack).await {
        // Not lost: its channel is closed.
        let job = &delivery.job().id;
        tracing::warn!(%job, %error, "a job nobody took was not put back");
    }
}

/// The next message that is to be worked on; `None` if nobody waits any more.
async fn next(shared: &Arc<Shared>, to: &mut To) -> Result<Option<RabbitDelivery>> {
    loop {
        let channel = shared.channel().await?;
        let mut consumer = consume(shared, &channel, shared.queue()).await?;
        let came = tokio::select! {
            biased;
            came = message(shared, &channel, &mut consumer) => Some(came?),
            () = to.closed() => None,
        };
        let Some(message) = came else {
            end(shared, channel, consumer).await?;
            return Ok(None);
        };
        // Before it is acknowledged, or the broker would send another.
        let tag = consumer.tag();
        shared.consuming.answer(cancel(&channel, tag, true)).await?;
        let held = Held::new(channel, message);
        let lost = held.message().redelivered;
        if lost && charge(shared, &held).await? {
            // If it is lost the broker delivers it again, and its copy too.
            let _ = held.acknowledge(shared).await?;
            continue;
        }
        let delivery = RabbitDelivery::new(held, lost.into(), Arc::clone(shared));
        return Ok(Some(delivery));
    }
}

/// A consumer of `queue` that gets one message.
pub(super) async fn consume(
    shared: &Shared,
    channel: &Channel,
    queue: ShortString,
) -> Result<Consumer> {
    let begun = channel.basic_consume(
        queue,
        ShortString::default(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    shared.consuming.answer(begun).await
}

/// Its message, however long it takes.
pub(super) async fn message(
    shared: &Shared,
    channel: &Channel,
    consumer: &mut Consumer,
) -> Result<Message> {
    let link = &shared.consuming;
    loop {
        tokio::select! {
            biased;
            came = consumer.next() => return match came {
                Some(Ok(message)) => Ok(message),
                Some(Err(error)) => Err(link.error(error)),
                None => Err(link.away("it ended the consumer: the queue was deleted or moves")),
            },
            () = sleep(PROBE) => link.probe(channel).await?,
        }
    }
}

/// Ends a consumer that nobody waits for; what came meanwhile is put back.
async fn end(shared: &Arc<Shared>, channel: Channel, mut consumer: Consumer) -> Result<()> {
    let tag = consumer.tag();
    shared
        .consuming
        .answer(cancel(&channel, tag, false))
        .await?;
    // Whatever came did so before the answer; behind it the stream ends.
    match consumer.next().await {
        Some(Ok(message)) => {
            let held = Held::new(channel, message);
            put_back(&RabbitDelivery::new(held, 0, Arc::clone(shared))).await;
        }
        Some(Err(error)) => return Err(shared.consuming.error(error)),
        None => shared.give_back(channel),
    }
    Ok(())
}

async fn cancel(channel: &Channel, tag: ShortString, nowait: bool) -> lapin::Result<()> {
    channel
        .basic_cancel(tag, BasicCancelOptions { nowait })
        .await
}

/// Charges the attempt that was lost with the message's last consumer: a copy that
/// counts it is made, or it is set aside. `false` if the broker takes no messages for
/// the time being: then this process alone knows of the charge.
async fn charge(shared: &Shared, held: &Held) -> Result<bool> {
    let letter = Letter::of(held.message());
    let most = shared.options.retry.attempts.max(1);
    let lost = letter.attempts().saturating_add(1);
    let before = letter.reason();
    if lost < most {
        let copy = letter.copied(lost, before.as_deref());
        return match shared.send(shared.queue(), &letter, copy).await {
            Ok(()) => Ok(true),
            Err(Error::Away { .. }) => Ok(false),
            Err(error) => Err(error),
        };
    }
    let before = before.map_or(String::new(), |reason| format!("; before that: {reason}"));
    let reason = format!("its worker was lost in attempt {lost} of {most}{before}");
    shared.set_aside(&letter, lost, &reason).await?;
    let job = letter.id();
    shared.aside.push(SetAside {
        payload: Some(letter.payload.to_vec()),
        reason: Some(reason),
        ..SetAside::new(job.clone(), State::Failed)
    });
    tracing::warn!(%job, "a job whose worker was lost in its last attempt is set aside");
    Ok(true)
}
