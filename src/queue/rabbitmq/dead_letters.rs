//! What was set aside, and how many jobs there are.

use async_trait::async_trait;
use lapin::options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, message::BasicGetMessage};

use super::message::Letter;
use super::{Options, RabbitMq, Shared};
use crate::job::JobId;
use crate::queue::{Counts, DeadLetter, DeadLetters, Result};

#[async_trait]
impl DeadLetters for RabbitMq {
    /// Those that wait, and those set aside: the broker tells no more over AMQP.
    async fn counts(&self) -> Result<Counts> {
        let options = &self.0.options;
        Ok(Counts {
            waiting: self.0.count(&options.queue).await?,
            failed: self.0.count(&options.dead_queue).await?,
            ..Counts::default()
        })
    }

    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>> {
        self.0.declare().await?;
        let mut letters = Vec::new();
        // What is not acknowledged goes back, in order, when the channel is closed.
        let channel = self.0.consuming.channel().await?;
        while letters.len() < usize::try_from(limit).unwrap_or(usize::MAX) {
            let Some(message) = self.0.next_dead(&channel).await? else {
                break;
            };
            let letter = Letter::of(&message);
            letters.push(DeadLetter {
                id: letter.id(),
                payload: letter.payload.to_vec(),
                reason: letter.reason(),
                attempts: Some(letter.attempts()),
                at: letter.dead_at(),
            });
        }
        Ok(letters)
    }

    async fn retry(&self, id: &JobId) -> Result<bool> {
        let shared = &self.0;
        shared.declare().await?;
        let channel = shared.consuming.channel().await?;
        while let Some(message) = shared.next_dead(&channel).await? {
            let letter = Letter::of(&message);
            if letter.id() != *id {
                continue;
            }
            shared
                .send(shared.queue(), &letter, letter.copied(0, None))
                .await?;
            let acknowledged = message.acker.ack(BasicAckOptions::default());
            shared.consuming.answer(acknowledged).await?;
            shared.consuming.probe(&channel).await?;
            return Ok(true);
        }
        Ok(false)
    }
}

impl Shared {
    async fn next_dead(&self, channel: &Channel) -> Result<Option<BasicGetMessage>> {
        let queue = Options::name(&self.options.dead_queue);
        let got = channel.basic_get(queue, BasicGetOptions::default());
        self.consuming.answer(got).await
    }

    async fn count(&self, queue: &str) -> Result<u64> {
        self.declare().await?;
        let channel = self.consuming.channel().await?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::durable()
        };
        let queue = Options::name(queue);
        let looked = channel.queue_declare(queue, passive, FieldTable::default());
        Ok(self.consuming.answer(looked).await?.message_count().into())
    }
}
