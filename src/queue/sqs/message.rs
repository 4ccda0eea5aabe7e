//! Messages: what they say of a job, and copies that say more.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::job::{Job, JobId};
use crate::queue::dead_letters::beginning;

/// Attempts that were charged to earlier copies.
const ATTEMPTS: &str = "flatbed-attempts";
/// The job's id, which is the first copy's message id.
const ID: &str = "flatbed-id";
/// Why the last attempt failed.
const REASON: &str = "flatbed-reason";

/// A message has no more attributes.
const MOST_ATTRIBUTES: usize = 10;

/// Attributes count towards the message's size.
const LONGEST_REASON: usize = 4096;

/// A message that was received.
pub(super) struct Message(Value);

impl Message {
    /// Those of an answer.
    pub(super) fn all(answer: &mut Value) -> Vec<Self> {
        match answer.get_mut("Messages").map(Value::take) {
            Some(Value::Array(messages)) => messages.into_iter().map(Self).collect(),
            _ => Vec::new(),
        }
    }

    /// The handle by which this receipt of it is known.
    pub(super) fn receipt(&self) -> &str {
        self.text("ReceiptHandle").unwrap_or_default()
    }

    pub(super) fn body(&self) -> &str {
        self.text("Body").unwrap_or_default()
    }

    pub(super) fn id(&self) -> JobId {
        let given = self.attribute(ID).or(self.text("MessageId"));
        JobId::of_foreign(given.unwrap_or_default())
    }

    /// Attempts that are charged, the one of this receipt among them.
    pub(super) fn attempts(&self) -> u32 {
        self.earlier_attempts().saturating_add(self.receipts())
    }

    /// How often this copy was received.
    pub(super) fn receipts(&self) -> u32 {
        let receipts: Option<u32> = self.system("ApproximateReceiveCount");
        receipts.unwrap_or_default().max(1)
    }

    /// Attempts charged to a message that was set aside.
    pub(super) fn earlier_attempts(&self) -> u32 {
        let earlier = self.attribute(ATTEMPTS).and_then(|text| text.parse().ok());
        earlier.unwrap_or_default()
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.attribute(REASON)
    }

    pub(super) fn sent_at(&self) -> Option<SystemTime> {
        let millis = self.system("SentTimestamp")?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    pub(super) fn job(&self, queue: &str, max_attempts: u32) -> Job {
        Job {
            id: self.id(),
            name: queue.to_owned(),
            payload: self.body().as_bytes().to_vec(),
            attempt: self.attempts(),
            max_attempts,
            enqueued_at: self.sent_at(),
        }
    }

    /// The body of a call that sends a copy with `attempts` charged.
    pub(super) fn copied(&self, attempts: u32, reason: Option<&str>) -> Value {
        let mut attributes = Map::new();
        let number = json!({"DataType": "Number", "StringValue": attempts.to_string()});
        attributes.insert(ATTEMPTS.to_owned(), number);
        attributes.insert(ID.to_owned(), text(self.id().as_str()));
        // An attribute may not be empty.
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            let reason = beginning(reason, LONGEST_REASON);
            attributes.insert(REASON.to_owned(), text(&clean(reason)));
        }
        if let Some(Value::Object(given)) = self.0.get("MessageAttributes") {
            let producers = given
                .iter()
                .filter(|(name, _)| ![ATTEMPTS, ID, REASON].contains(&name.as_str()));
            for (name, value) in producers {
                if attributes.len() == MOST_ATTRIBUTES {
                    tracing::warn!(job = %self.id(), name, "a message's attribute has no room in its copy");
                    break;
                }
                attributes.insert(name.clone(), value.clone());
            }
        }
        let mut call = json!({"MessageBody": self.body(), "MessageAttributes": attributes});
        // A queue that keeps the order.
        let group = self.0.pointer("/Attributes/MessageGroupId");
        if let (Some(group), Value::Object(fields)) = (group, &mut call) {
            let unique = uuid::Uuid::now_v7().to_string();
            fields.insert("MessageGroupId".to_owned(), group.clone());
            fields.insert("MessageDeduplicationId".to_owned(), json!(unique));
        }
        call
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.0.get("MessageAttributes")?.get(name)?;
        attribute.get("StringValue")?.as_str()
    }

    fn system<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        let value = self.0.get("Attributes")?.get(name)?;
        value.as_str()?.parse().ok()
    }
}

fn text(value: &str) -> Value {
    json!({"DataType": "String", "StringValue": value})
}

/// SQS takes no control characters, but tab and line ends.
fn clean(text: &str) -> String {
    let allowed = |c: &char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    text.chars().filter(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_the_id_and_counts() {
        let mut answer = json!({"Messages": [{
            "MessageId": "m-1",
            "ReceiptHandle": "r",
            "Body": "{}",
            "Attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1000"},
            "MessageAttributes": {"tenant": {"DataType": "String", "StringValue": "north"}},
        }]});
        let message = Message::all(&mut answer).pop().unwrap();
        let job = message.job("jobs", 3);
        assert_eq!((job.id.as_str(), job.attempt), ("m-1", 2));
        assert!(job.enqueued_at.is_some());

        let mut call = message.copied(1, Some("bad\u{0}\nthing"));
        let attributes = call["MessageAttributes"].take();
        assert_eq!(attributes["tenant"]["StringValue"], "north");
        let mut answer = json!({"Messages": [{
            "MessageId": "m-2",
            "Body": call["MessageBody"],
            "Attributes": {"ApproximateReceiveCount": "1"},
            "MessageAttributes": attributes,
        }]});
        let copy = Message::all(&mut answer).pop().unwrap();
        assert_eq!((copy.id(), copy.attempts()), (message.id(), 2));
        assert_eq!(copy.reason(), Some("bad\nthing"));
    }

    #[test]
    fn what_makes_no_sense_is_no_message_or_an_empty_one() {
        for mut answer in [json!(null), json!({}), json!({"Messages": "many"})] {
            assert!(Message::all(&mut answer).is_empty());
        }
        let mut answer = json!({"Messages": [7, {"Attributes": {"ApproximateReceiveCount": "x"}}]});
        for message in Message::all(&mut answer) {
            assert_eq!((message.attempts(), message.body()), (1, ""));
            message.copied(0, None);
        }
    }
}
