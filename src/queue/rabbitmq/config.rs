//! The settings of the access-control chain, whose queues are in RabbitMQ.

use std::fmt;
use std::str::FromStr;

use super::{Options, QueueType};
use crate::config::{Secret, Variables};
use crate::job::RetryPolicy;

/// Where the broker is, and the queues of the chain in the order in which a person
/// goes through them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The broker's address, which may hold a password.
    pub url: Secret,
    /// Pages of employees, from the endpoint.
    pub main: Options,
    /// Persons to be created.
    pub create_person: Options,
    /// Persons whose KIB number is to be set.
    pub update_kib: Options,
    /// Persons whose privilege groups are to be set.
    pub assign_privilege: Options,
}

impl Config {
    /// `RABBITMQ_URL`; `QUEUE_MAIN` (`hikvision_queue`), `QUEUE_CREATE_PERSON`
    /// (`hikvision_create_person`), `QUEUE_UPDATE_KIB` (`hikvision_update_kib`),
    /// `QUEUE_ASSIGN_PRIVILEGE` (`hikvision_assign_privilege`); `RABBITMQ_QUEUE_TYPE`
    /// (`classic`), `RABBITMQ_HEARTBEAT_SECONDS` (30), `RABBITMQ_MAX_ATTEMPTS` (3),
    /// `RABBITMQ_LONGEST_HOLD_SECONDS` (1200). `None` without an address.
    pub fn access(variables: &mut Variables) -> Option<Self> {
        let url = variables.secret("RABBITMQ_URL")?;
        let default = Options::new("");
        let queue_type = variables.parse("RABBITMQ_QUEUE_TYPE", default.queue_type);
        let heartbeat =
            variables.seconds("RABBITMQ_HEARTBEAT_SECONDS", default.heartbeat, 1..=3600);
        let attempts = variables.number("RABBITMQ_MAX_ATTEMPTS", 3, 1..=100);
        let longest_hold = variables.seconds(
            "RABBITMQ_LONGEST_HOLD_SECONDS",
            default.longest_hold,
            1..=7 * 24 * 3600,
        );
        let mut queue = |variable, name| Options {
            queue_type,
            heartbeat,
            longest_hold,
            retry: RetryPolicy {
                attempts,
                ..default.retry
            },
            ..Options::new(variables.text_or(variable, name))
        };
        Some(Self {
            url,
            main: queue("QUEUE_MAIN", "hikvision_queue"),
            create_person: queue("QUEUE_CREATE_PERSON", "hikvision_create_person"),
            update_kib: queue("QUEUE_UPDATE_KIB", "hikvision_update_kib"),
            assign_privilege: queue("QUEUE_ASSIGN_PRIVILEGE", "hikvision_assign_privilege"),
        })
    }
}

impl FromStr for QueueType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "classic" => Ok(Self::Classic),
            "quorum" => Ok(Self::Quorum),
            _ => Err("expected classic or quorum"),
        }
    }
}

impl fmt::Display for QueueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Invalid;

    #[test]
    fn the_document_s_queues() {
        assert_eq!(Config::access(&mut Variables::of([])), None);
        let url = ("RABBITMQ_URL", "amqp://guest:hunter2@localhost:5672/%2f");
        let mut variables = Variables::of([url]);
        let config = Config::access(&mut variables).unwrap();
        assert_eq!(config.main, Options::new("hikvision_queue"));
        assert_eq!(config.assign_privilege.queue, "hikvision_assign_privilege");
        assert_eq!(config.update_kib.dead_queue, "hikvision_update_kib.dead");
        let told = format!("{config:?} {:?}", variables.finish().unwrap());
        assert!(!told.contains("hunter2"), "{told}");

        let mut variables = Variables::of([
            url,
            ("QUEUE_CREATE_PERSON", "people"),
            ("RABBITMQ_QUEUE_TYPE", "quorum"),
            ("RABBITMQ_HEARTBEAT_SECONDS", "600"),
        ]);
        let config = Config::access(&mut variables).unwrap();
        assert_eq!(config.create_person.queue, "people");
        assert_eq!(config.create_person.queue_type, QueueType::Quorum);
        assert_eq!(config.main.heartbeat, Duration::from_secs(600));
        assert!(variables.finish().is_ok());

        let mut variables = Variables::of([url, ("RABBITMQ_QUEUE_TYPE", "mirrored")]);
        Config::access(&mut variables);
        let Invalid(errors) = variables.finish().unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
}
