//! Where jobs are set aside, what is there, and how many jobs there are.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::message::Message;
use super::{Shared, SqsQueue};
use crate::job::JobId;
use crate::queue::{Counts, DeadLetter, DeadLetters, Result};

/// How long those who look at messages keep them from others, in seconds.
const LOOKING: u64 = 30;

/// Where jobs are set aside.
pub(super) struct Shelf {
    url: String,
    /// Attempts in all: SQS's own rule sets a message aside after as many.
    pub(super) max_attempts: u32,
}

#[async_trait]
impl DeadLetters for SqsQueue {
    /// About: SQS counts on many machines. Those that wait for a retry are among the
    /// active ones.
    async fn counts(&self) -> Result<Counts> {
        let shared = &self.0;
        let attributes = shared.attributes(&shared.options.url).await?;
        let dead = shared.attributes(&shared.shelf().await?.url).await?;
        Ok(Counts {
            waiting: number(&attributes, "ApproximateNumberOfMessages"),
            active: number(&attributes, "ApproximateNumberOfMessagesNotVisible"),
            delayed: number(&attributes, "ApproximateNumberOfMessagesDelayed"),
            failed: number(&dead, "ApproximateNumberOfMessages"),
            ..Counts::default()
        })
    }

    async fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut letters = Vec::new();
        self.0
            .look(|message| {
                letters.push(DeadLetter {
                    id: message.id(),
                    payload: message.body().as_bytes().to_vec(),
                    reason: message.reason().map(str::to_owned),
                    attempts: Some(message.earlier_attempts()).filter(|attempts| *attempts > 0),
                    at: message.sent_at(),
                });
                letters.len() >= limit
            })
            .await?;
        letters.truncate(limit);
        Ok(letters)
    }

    async fn retry(&self, id: &JobId) -> Result<bool> {
        let shared = &self.0;
        let Some(found) = shared.look(|message| message.id() == *id).await? else {
            return Ok(false);
        };
        shared
            .send(&shared.options.url, found.copied(0, None))
            .await?;
        let receipt = json!({"ReceiptHandle": found.receipt()});
        let shelf = shared.shelf().await?;
        let deleted = shared.call_at(&shelf.url, "DeleteMessage", receipt).await;
        deleted.map_err(|failure| shared.client.error(failure))?;
        Ok(true)
    }
}

impl Shared {
    /// Where jobs are set aside: as the options say, or the queue's redrive policy.
    pub(super) async fn shelf(&self) -> Result<&Shelf> {
        self.shelf.get_or_try_init(|| self.find_shelf()).await
    }

    async fn find_shelf(&self) -> Result<Shelf> {
        let options = &self.options;
        let attributes = self.attributes(&options.url).await?;
        let policy = attributes.get("RedrivePolicy").and_then(Value::as_str);
        let policy: Value = serde_json::from_str(policy.unwrap_or("{}")).unwrap_or_default();
        let most = policy.get("maxReceiveCount").and_then(whole);
        let most = most.and_then(|most| u32::try_from(most).ok());
        let url = match (&options.dead_letter_url, policy.get("deadLetterTargetArn")) {
            (Some(url), _) => url.clone(),
            (None, Some(arn)) => self.url_of(arn.as_str().unwrap_or_default()).await?,
            (None, None) => {
                let reason = "jobs that fail have nowhere to go: give the queue a redrive policy, \
                              or name a dead-letter queue in AWS_SQS_DEAD_LETTER_URL";
                return Err(self.client.refused(reason.to_owned()));
            }
        };
        let attempts = options.retry.attempts.min(most.unwrap_or(u32::MAX));
        Ok(Shelf {
            url,
            max_attempts: attempts.max(1),
        })
    }

    pub(super) async fn set_aside(
        &self,
        message: &Message,
        attempts: u32,
        reason: &str,
    ) -> Result<()> {
        let copy = message.copied(attempts, Some(reason));
        self.send(&self.shelf().await?.url, copy).await
    }

    /// `arn:aws:sqs:us-east-1:123456789012:jobs-dead`
    async fn url_of(&self, arn: &str) -> Result<String> {
        let mut parts = arn.rsplit(':');
        let (name, owner) = (parts.next(), parts.next());
        let call = json!({"QueueName": name, "QueueOwnerAWSAccountId": owner});
        let found = self
            .client
            .call("GetQueueUrl", &call, std::time::Duration::ZERO);
        let found = found.await.map_err(|failure| self.client.error(failure))?;
        let url = found.get("QueueUrl").and_then(Value::as_str);
        url.map(str::to_owned)
            .ok_or_else(|| self.client.refused(format!("it has no queue {arn}")))
    }

    async fn attributes(&self, url: &str) -> Result<Value> {
        let call = json!({"AttributeNames": ["All"]});
        let answer = self.call_at(url, "GetQueueAttributes", call).await;
        let mut answer = answer.map_err(|failure| self.client.error(failure))?;
        Ok(answer
            .get_mut("Attributes")
            .map(Value::take)
            .unwrap_or_default())
    }

    /// Shows the messages that were set aside, one by one, until `enough` of them: that
    /// one is answered, and stays in hand. All others are put back.
    async fn look(&self, mut enough: impl FnMut(&Message) -> bool) -> Result<Option<Message>> {
        let url = &self.shelf().await?.url;
        let call = json!({
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": LOOKING,
            "MessageSystemAttributeNames": ["SentTimestamp", "MessageGroupId"],
            "MessageAttributeNames": ["All"],
        });
        let mut seen = Vec::new();
        let found = 'looking: loop {
            let answer = self.call_at(url, "ReceiveMessage", call.clone()).await;
            let mut answer = answer.map_err(|failure| self.client.error(failure))?;
            let messages = Message::all(&mut answer);
            if messages.is_empty() {
                break None;
            }
            let mut messages = messages.into_iter();
            while let Some(message) = messages.next() {
                if enough(&message) {
                    seen.extend(messages);
                    break 'looking Some(message);
                }
                seen.push(message);
            }
        };
        for message in seen {
            let call = json!({"ReceiptHandle": message.receipt(), "VisibilityTimeout": 0});
            let back = self.call_at(url, "ChangeMessageVisibility", call).await;
            back.map_err(|failure| self.client.error(failure))?;
        }
        Ok(found)
    }
}

fn number(attributes: &Value, name: &str) -> u64 {
    attributes.get(name).and_then(whole).unwrap_or_default()
}

/// SQS writes numbers as texts.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
