//! Messages: what their properties say of a job, and copies that say more.

use std::time::{Duration, SystemTime};

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use uuid::Uuid;

use crate::job::{Job, JobId};
use crate::queue::dead_letters::beginning;

/// Attempts that were charged before this delivery.
const ATTEMPTS: &str = "x-flatbed-attempts";
/// The job's id, once it is under way.
const ID: &str = "x-flatbed-id";
/// Why the last attempt failed.
const REASON: &str = "x-flatbed-reason";
/// When the job was set aside, in milliseconds since 1970.
const DEAD: &str = "x-flatbed-dead-at";

/// All headers must fit into one frame, 32 KiB unless the address says otherwise.
const LONGEST_REASON: usize = 4096;

/// Written to disk.
const PERSISTENT: u8 = 2;

/// What is known of a message beside its payload.
pub(super) struct Letter<'a> {
    pub(super) properties: &'a BasicProperties,
    pub(super) payload: &'a [u8],
}

impl<'a> Letter<'a> {
    pub(super) fn of(delivery: &'a Delivery) -> Self {
        Self {
            properties: &delivery.properties,
            payload: &delivery.data,
        }
    }

    /// The producer's `message_id`; without one, always the same for the same
    /// payload.
    pub(super) fn id(&self) -> JobId {
        let given = self.properties.message_id().as_ref();
        match (self.text(ID), given) {
            (Some(id), _) => JobId::of_foreign(&id),
            (None, Some(id)) => JobId::of_foreign(id.as_str()),
            (None, None) => {
                let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, self.payload);
                JobId::of_foreign(&id.to_string())
            }
        }
    }

    /// Attempts that were charged before.
    pub(super) fn attempts(&self) -> u32 {
        let attempts = self.number(ATTEMPTS).unwrap_or_default();
        u32::try_from(attempts).unwrap_or(u32::MAX)
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.text(REASON)
    }

    pub(super) fn dead_at(&self) -> Option<SystemTime> {
        let millis = u64::try_from(self.number(DEAD)?).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    /// One attempt at it.
    pub(super) fn job(&self, queue: &str, max_attempts: u32) -> Job {
        let properties = self.properties;
        let kind = properties
            .kind()
            .as_ref()
            .filter(|kind| !kind.as_str().is_empty());
        let seconds = properties.timestamp().map(Duration::from_secs);
        Job {
            id: self.id(),
            name: kind.map_or(queue, ShortString::as_str).to_owned(),
            payload: self.payload.to_vec(),
            attempt: self.attempts().saturating_add(1),
            max_attempts,
            enqueued_at: seconds.and_then(|time| SystemTime::UNIX_EPOCH.checked_add(time)),
        }
    }

    /// The properties of a copy with `attempts` charged.
    pub(super) fn copied(&self, attempts: u32, reason: Option<&str>) -> BasicProperties {
        let mut headers = FieldTable::default();
        if let Some(given) = self.properties.headers() {
            for (name, value) in given.inner() {
                if is_producers(name.as_str()) {
                    headers.insert(name.clone(), value.clone());
                }
            }
        }
        set(&mut headers, ATTEMPTS, AMQPValue::LongUInt(attempts));
        set(&mut headers, ID, text(self.id().as_str()));
        if let Some(reason) = reason {
            set(
                &mut headers,
                REASON,
                text(beginning(reason, LONGEST_REASON)),
            );
        }
        let mut copy = BasicProperties::default()
            .with_headers(headers)
            .with_delivery_mode(PERSISTENT);
        // Without the expiration, since what should expire has been begun meanwhile,
        // and the user, which the broker compares with ours.
        let given = self.properties;
        macro_rules! keep {
            ($($name:ident: $with:ident),+) => {
                $(if let Some(value) = given.$name() {
                    copy = copy.$with(value.clone());
                })+
            };
        }
        keep!(
            content_type: with_content_type,
            content_encoding: with_content_encoding,
            priority: with_priority,
            correlation_id: with_correlation_id,
            reply_to: with_reply_to,
            message_id: with_message_id,
            timestamp: with_timestamp,
            kind: with_type,
            app_id: with_app_id
        );
        copy
    }

    /// The properties of a copy for the dead-letter queue.
    pub(super) fn dead(&self, attempts: u32, reason: &str) -> BasicProperties {
        let copy = self.copied(attempts, Some(reason));
        let mut headers = copy.headers().clone().unwrap_or_default();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        set(&mut headers, DEAD, AMQPValue::LongLongInt(millis));
        copy.with_headers(headers)
    }

    fn header(&self, name: &str) -> Option<&AMQPValue> {
        self.properties.headers().as_ref()?.inner().get(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.header(name)? {
            AMQPValue::LongString(text) => {
                Some(String::from_utf8_lossy(text.as_bytes()).into_owned())
            }
            AMQPValue::ShortString(text) => Some(text.to_string()),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<i64> {
        Some(match *self.header(name)? {
            AMQPValue::ShortShortInt(number) => number.into(),
            AMQPValue::ShortShortUInt(number) => number.into(),
            AMQPValue::ShortInt(number) => number.into(),
            AMQPValue::ShortUInt(number) => number.into(),
            AMQPValue::LongInt(number) => number.into(),
            AMQPValue::LongUInt(number) => number.into(),
            AMQPValue::LongLongInt(number) => number,
            _ => return None,
        })
    }
}

/// Whether a header is the producer's own: not ours, not the broker's account of its
/// moves, by which it finds circles, and not further queues, which have their copies.
fn is_producers(header: &str) -> bool {
    let ends = ["x-death", "x-first-death", "x-last-death"];
    !ends.iter().any(|start| header.starts_with(start))
        && ![ATTEMPTS, ID, REASON, DEAD, "CC", "BCC"].contains(&header)
}

/// The properties of a message that Flatbed itself adds.
pub(super) fn fresh(id: &JobId) -> BasicProperties {
    let id = ShortString::try_new(id.as_str()).unwrap_or_default();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    BasicProperties::default()
        .with_message_id(id)
        .with_delivery_mode(PERSISTENT)
        .with_content_type(ShortString::from("application/json"))
        .with_timestamp(now.map_or(0, |now| now.as_secs()))
}

fn set(table: &mut FieldTable, name: &'static str, value: AMQPValue) {
    table.insert(ShortString::from(name), value);
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_the_producer_said_and_counts() {
        let mut headers = FieldTable::default();
        set(&mut headers, "tenant", text("north"));
        set(&mut headers, "x-death", AMQPValue::Boolean(true));
        let properties = BasicProperties::default()
            .with_headers(headers)
            .with_type(ShortString::from("person"))
            .with_expiration(ShortString::from("1000"))
            .with_message_id(ShortString::from("m 1"));
        let first = Letter {
            properties: &properties,
            payload: b"{}",
        };
        assert_eq!(first.job("q", 3).name, "person");
        assert_eq!(first.job("q", 3).attempt, 1);

        let long = "ä".repeat(10_000);
        let copy = first.copied(1, Some(&long));
        let second = Letter {
            properties: &copy,
            payload: b"{}",
        };
        assert_eq!(second.id(), first.id());
        assert_eq!(second.job("q", 3).attempt, 2);
        assert!(long.starts_with(&second.reason().unwrap()));
        assert_eq!(second.text("tenant").as_deref(), Some("north"));
        assert!(second.header("x-death").is_none());
        assert_eq!(copy.expiration(), &None);

        let dead = second.dead(2, "no");
        let dead = Letter {
            properties: &dead,
            payload: b"{}",
        };
        assert_eq!((dead.attempts(), dead.reason().as_deref()), (2, Some("no")));
        assert!(dead.dead_at().is_some());
    }

    #[test]
    fn headers_that_make_no_sense_count_nothing() {
        let mut headers = FieldTable::default();
        set(&mut headers, ATTEMPTS, text("many"));
        set(&mut headers, ID, AMQPValue::LongInt(-1));
        let properties = BasicProperties::default().with_headers(headers);
        let letter = Letter {
            properties: &properties,
            payload: b"same",
        };
        assert_eq!(letter.attempts(), 0);
        assert_eq!(letter.id(), letter.id());
        let mut headers = FieldTable::default();
        set(&mut headers, ATTEMPTS, AMQPValue::LongInt(-5));
        let properties = BasicProperties::default().with_headers(headers);
        let letter = Letter {
            properties: &properties,
            payload: b"",
        };
        assert_eq!(letter.job("q", 3).attempt, u32::MAX);
    }
}
