//! The settings of people on their way to the gates.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::civil::Date;

use super::images::LONGEST_DOWNLOAD;
use crate::client::{eposh, hikcentral};
use crate::config::Variables;
use crate::fetch;
use crate::queue::rabbitmq;
use crate::runner;
use crate::workload::access::{Days, FaceConfig, Names, PrivilegeGroups, Stage};

/// People of a stage who are on their way at once: most of it is waiting.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// People on their way to the gates.
#[derive(Debug, Clone)]
pub struct Access {
    /// `ACCESS_STAGES`: those that run here.
    pub stages: BTreeSet<Stage>,
    /// The four queues.
    pub queues: rabbitmq::Config,
    /// Who opens the gates; not needed for the publisher alone.
    pub hikcentral: Option<hikcentral::Config>,
    /// Who lists people, where they are fetched from here.
    pub eposh: Option<eposh::Config>,
    /// `EPOSH_FROM`, `EPOSH_TO`, `EPOSH_SKIP`: the days that are fetched where none are
    /// named.
    pub days: Option<Days>,
    /// `ACCESS_PRIVILEGE_GROUPS`.
    pub groups: PrivilegeGroups,
    /// `HIKCENTRAL_DOOR_INDEX_CODES`: doors whose devices are told at once.
    pub doors: Vec<String>,
    /// `ACCESS_LOG_NAMES`.
    pub names: Names,
    /// Photos.
    pub faces: FaceConfig,
    /// Where photos may be fetched from.
    pub fetch: fetch::Config,
    /// Concurrency, deadline, grace; of each stage.
    pub runner: runner::Config,
    /// `ACCESS_HTTP_PORT`: a further port that answers.
    pub port: Option<u16>,
}

impl Access {
    /// What is needed is an error where access is asked for by name, and else the reason
    /// why it is off.
    pub(super) fn read(
        variables: &mut Variables,
        named: bool,
        grace: Duration,
        fetch: &fetch::Config,
    ) -> Result<Self, &'static str> {
        if !variables.is_set("RABBITMQ_URL") {
            let reason = "RABBITMQ_URL is not set";
            if named {
                variables.wrong(
                    "FLATBED_WORKLOADS",
                    &format!("access is asked for, but {reason}"),
                );
            }
            return Err(reason);
        }
        let stages = stages(variables);
        let asks = stages.iter().any(|stage| stage.asks_hikcentral());
        if asks && !named && !variables.is_set("HIKCENTRAL_URL") {
            return Err("HIKCENTRAL_URL is not set");
        }
        let queues = rabbitmq::Config::access(variables).ok_or("RABBITMQ_URL is not set")?;
        let hikcentral = hikcentral::Config::read(variables);
        if let Some(hikcentral) = &hikcentral {
            let needed = [
                (
                    Stage::CreatePerson,
                    hikcentral.organisation.is_some(),
                    "HIKCENTRAL_ORG_INDEX_CODE",
                ),
                (
                    Stage::UpdateKib,
                    hikcentral.kib_field.is_some(),
                    "HIKCENTRAL_KIB_FIELD_ID",
                ),
            ];
            for (stage, is_there, name) in needed {
                if stages.contains(&stage) && !is_there {
                    variables.wrong(name, &format!("not set, and the stage {stage} needs it"));
                }
            }
        } else if asks && named && !variables.is_set("HIKCENTRAL_URL") {
            let why = "not set, and access is asked for (ACCESS_STAGES=publisher needs none)";
            variables.wrong("HIKCENTRAL_URL", why);
        }
        let doors = variables.text("HIKCENTRAL_DOOR_INDEX_CODES");
        Ok(Self {
            queues,
            hikcentral,
            eposh: eposh::Config::read(variables),
            days: days(variables),
            groups: variables.parse("ACCESS_PRIVILEGE_GROUPS", PrivilegeGroups::default()),
            doors: listed(&doors.unwrap_or_default())
                .map(str::to_owned)
                .collect(),
            names: Names {
                shown: variables.switch("ACCESS_LOG_NAMES", false),
            },
            faces: FaceConfig::read(variables),
            fetch: fetch::Config {
                total: fetch.total.min(LONGEST_DOWNLOAD),
                ..fetch.clone()
            },
            runner: runner::Config {
                concurrency: variables.number("ACCESS_CONCURRENCY", AT_ONCE, 1..=256),
                deadline: variables.seconds(
                    "ACCESS_TIMEOUT_SECONDS",
                    Duration::from_secs(600),
                    1..=24 * 3600,
                ),
                shutdown_grace: grace,
            },
            port: variables
                .is_set("ACCESS_HTTP_PORT")
                .then(|| variables.number("ACCESS_HTTP_PORT", 5000, 1..=65535)),
            stages,
        })
    }

    /// The options of a stage's queue.
    pub fn queue(&self, stage: Stage) -> &rabbitmq::Options {
        match stage {
            Stage::Publisher => &self.queues.main,
            Stage::CreatePerson => &self.queues.create_person,
            Stage::UpdateKib => &self.queues.update_kib,
            Stage::AssignPrivilege => &self.queues.assign_privilege,
        }
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split(',').map(str::trim);
    names.filter(|name| !name.is_empty())
}

fn stages(variables: &mut Variables) -> BTreeSet<Stage> {
    let Some(text) = variables.text("ACCESS_STAGES") else {
        return Stage::ALL.into();
    };
    let mut stages = BTreeSet::new();
    for name in listed(&text) {
        match name.parse::<Stage>() {
            Ok(stage) => {
                stages.insert(stage);
            }
            Err(error) => variables.wrong("ACCESS_STAGES", &error),
        }
    }
    stages
}

/// Both ends, or neither.
fn days(variables: &mut Variables) -> Option<Days> {
    let mut date = |name| {
        let text = variables.text(name)?;
        let date = text.parse::<Date>();
        if date.is_err() {
            variables.wrong(name, &format!("'{text}': expected a day, as 2026-01-19"));
        }
        date.ok()
    };
    let (from, to) = (date("EPOSH_FROM"), date("EPOSH_TO"));
    let skip = variables.text("EPOSH_SKIP").unwrap_or_default();
    let mut skipped = BTreeSet::new();
    for day in listed(&skip) {
        if let Ok(day) = day.parse::<Date>() {
            skipped.insert(day);
        } else {
            let expected = format!("'{day}': expected days, as 2026-01-02,2026-01-05");
            variables.wrong("EPOSH_SKIP", &expected);
        }
    }
    match (from, to) {
        (Some(from), Some(to)) => Days::new(from, to, skipped)
            .map_err(|wrong| variables.wrong("EPOSH_TO", &wrong))
            .ok(),
        (None, None) => None,
        (Some(_), None) => {
            if !variables.is_set("EPOSH_TO") {
                variables.wrong("EPOSH_TO", "not set, but EPOSH_FROM is");
            }
            None
        }
        (None, Some(_)) => {
            if !variables.is_set("EPOSH_FROM") {
                variables.wrong("EPOSH_FROM", "not set, but EPOSH_TO is");
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    const RABBIT: (&str, &str) = ("RABBITMQ_URL", "amqp://guest:guest@localhost:5672/%2f");
    const HIKCENTRAL: [(&str, &str); 5] = [
        ("HIKCENTRAL_URL", "https://hcp.local"),
        ("HIKCENTRAL_APP_KEY", "29666671"),
        ("HIKCENTRAL_APP_SECRET", "hunter2"),
        ("HIKCENTRAL_ORG_INDEX_CODE", "1"),
        ("HIKCENTRAL_KIB_FIELD_ID", "7"),
    ];

    fn read(
        given: &[(&'static str, &'static str)],
        named: bool,
    ) -> (Result<Access, &'static str>, Vec<String>) {
        let mut variables = Variables::of(given.iter().copied());
        let fetch = fetch::Config::default();
        let access = Access::read(&mut variables, named, Duration::ZERO, &fetch);
        let wrong = variables.finish().err().map_or(vec![], |Invalid(all)| all);
        (access, wrong)
    }

    #[test]
    fn it_is_on_with_a_broker_and_hikcentral() {
        let all = [&[RABBIT][..], &HIKCENTRAL].concat();
        let (access, wrong) = read(&all, false);
        let access = access.unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(access.stages, Stage::ALL.into());
        assert_eq!(access.queue(Stage::UpdateKib).queue, "hikvision_update_kib");
        assert!(!access.names.shown && access.doors.is_empty() && access.days.is_none());
        assert_eq!(access.groups, PrivilegeGroups::default());

        assert_eq!(read(&[], false).0.unwrap_err(), "RABBITMQ_URL is not set");
        assert_eq!(
            read(&[RABBIT], false).0.unwrap_err(),
            "HIKCENTRAL_URL is not set"
        );
        let publisher = [RABBIT, ("ACCESS_STAGES", " publisher, ")];
        let (access, wrong) = read(&publisher, true);
        assert!(access.unwrap().hikcentral.is_none() && wrong.is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_at_once() {
        let (_, wrong) = read(&[], true);
        assert!(wrong[0].contains("RABBITMQ_URL"), "{wrong:?}");
        let (_, wrong) = read(&[RABBIT], true);
        assert!(wrong[0].starts_with("HIKCENTRAL_URL: "), "{wrong:?}");
        let mut all = [&[RABBIT][..], &HIKCENTRAL[..3]].concat();
        all.extend([
            ("ACCESS_STAGES", "create-person,update_kib,fly"),
            ("ACCESS_PRIVILEGE_GROUPS", "zona-i"),
            ("EPOSH_FROM", "2026-01-01"),
            ("EPOSH_SKIP", "yesterday"),
        ]);
        let (_, wrong) = read(&all, false);
        let about = |name: &str| wrong.iter().any(|line| line.starts_with(name));
        for name in [
            "ACCESS_STAGES: there is no stage 'fly'",
            "HIKCENTRAL_ORG_INDEX_CODE: ",
            "HIKCENTRAL_KIB_FIELD_ID: ",
            "ACCESS_PRIVILEGE_GROUPS: ",
            "EPOSH_TO: ",
            "EPOSH_SKIP: ",
        ] {
            assert!(about(name), "{name} in {wrong:?}");
        }
        assert_eq!(wrong.len(), 6, "{wrong:?}");
    }

    #[test]
    fn the_requirement_s_days_can_be_set() {
        let mut all = [&[RABBIT][..], &HIKCENTRAL].concat();
        all.extend([
            ("EPOSH_FROM", "2026-01-01"),
            ("EPOSH_TO", "2026-01-19"),
            ("EPOSH_SKIP", "2026-01-02, 2026-01-05"),
            ("HIKCENTRAL_DOOR_INDEX_CODES", "1, 2"),
            ("ACCESS_HTTP_PORT", "5000"),
        ]);
        let (access, wrong) = read(&all, false);
        let access = access.unwrap();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(access.days.unwrap().each().count(), 17);
        assert_eq!(access.doors, ["1", "2"]);
        assert_eq!(access.port, Some(5000));
    }
}
