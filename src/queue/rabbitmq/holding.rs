//! Messages in hand for longer than the broker allows.
//!
//! A broker takes a message back that is not acknowledged within its
//! `consumer_timeout`. So a copy goes to a queue that this process has to itself,
//! comes back at once as a message with the whole time before it, and the old one is
//! acknowledged. If the process ends meanwhile, the copy expires from there into the
//! queue proper, the attempt charged.

use std::sync::Arc;

use lapin::message::Delivery as Message;
use lapin::options::BasicCancelOptions;

use super::delivery::Held;
use super::message::Letter;
use super::{Shared, receiving, topology};
use crate::queue::Result;

/// A copy of `old` in hand. The caller acknowledges one of them.
pub(super) async fn take_anew(shared: &Arc<Shared>, old: &Message) -> Result<Held> {
    let link = &shared.consuming;
    // One for each message: what comes is the copy and nothing else.
    let key = format!("{}.{}", shared.key, uuid::Uuid::now_v7().simple());
    let queue = topology::holding_queue(link, &shared.options, &key).await?;
    let channel = link.channel().await?;
    link.probe(&channel).await?;
    let mut consumer = receiving::consume(shared, &channel, queue.clone()).await?;
    let letter = Letter::of(old);
    let charged = letter.attempts().saturating_add(1);
    let copy = letter.copied(charged, letter.reason().as_deref());
    shared.send(queue, &letter, copy).await?;
    let mut fresh = receiving::message(shared, &channel, &mut consumer).await?;
    // In hand it is what it was: the charge is for whoever finds it.
    fresh.properties = old.properties.clone();
    let nowait = BasicCancelOptions { nowait: true };
    link.answer(channel.basic_cancel(consumer.tag(), nowait))
        .await?;
    Ok(Held::new(channel, fresh))
}
