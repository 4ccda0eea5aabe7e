//! Rights: who may go through which gates, and that the gates learn of it.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::HikCentral;
use super::error::{Error, Kind, Result};
use super::exchange::{Call, data};
use super::person::PersonId;
use crate::client::pauses::Pauses;

const GROUP: Call = Call {
    what: "add a person to a privilege group",
    path: "/artemis/api/acs/v1/privilege/group/single/addPersons",
    once: false,
};
const APPLY: Call = Call {
    what: "apply rights to devices",
    path: "/artemis/api/visitor/v1/auth/reapplication",
    once: false,
};
const RESULT: Call = Call {
    what: "ask what devices have of the rights",
    path: "/artemis/api/acs/v1/auth/applicationResult",
    once: false,
};

/// People that come and go every day; visitors are 2.
const PERSONS: u8 = 1;
/// A look at how many wait and have failed.
const STATISTICS: u8 = 1;
/// Who has failed.
const FAILURES: u8 = 2;
/// Entries in one answer, the most that are allowed, and the most answers.
const PAGE: usize = 500;
const PAGES: u32 = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddPersons<'a> {
    privilege_group_id: &'a str,
    r#type: u8,
    list: [Member<'a>; 1],
}

#[derive(Serialize)]
struct Member<'a> {
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Apply {
    /// 0: at once, those too that failed before. Spelt so.
    #[serde(rename = "ImmediateDownload")]
    immediate: u8,
    person_ids: String,
    door_index_codes: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AskResult {
    application_result_type: u8,
    page_no: u32,
    page_size: usize,
    r#type: u8,
}

/// How far devices have got with what was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Application {
    /// What still waits to be sent to a device, of everybody; `None` where the server
    /// does not tell.
    pub waiting: Option<u64>,
    /// Those of the people who were asked for whom a device has refused.
    pub failed: Vec<PersonId>,
}

impl HikCentral {
    /// Adds a person to a privilege group; who is in it already stays.
    pub async fn add_to_group(&self, group: &str, person: &PersonId) -> Result<()> {
        let add = AddPersons {
            privilege_group_id: group,
            r#type: PERSONS,
            list: [Member {
                id: person.as_str(),
            }],
        };
        match self.ask(GROUP, &add, &[]).await {
            Err(error) if error.kind() == Kind::Exists => Ok(()),
            asked => asked.map(drop),
        }
    }

    /// Has what is known of these people sent to the devices at these doors, and waits
    /// until nothing waits any more, [`Config::apply`](super::Config::apply) at most.
    pub async fn apply_to_devices(
        &self,
        persons: &[PersonId],
        doors: &[String],
    ) -> Result<Application> {
        if persons.is_empty() {
            return Err(Error::new(Kind::Unfit, APPLY.what, "there is nobody"));
        }
        let ids: Vec<&str> = persons.iter().map(PersonId::as_str).collect();
        let apply = Apply {
            immediate: 0,
            person_ids: ids.join(","),
            door_index_codes: doors.join(","),
        };
        self.ask(APPLY, &apply, &[]).await?;
        let until = Instant::now() + self.0.config.apply;
        let mut pauses = Pauses::new(self.0.config.apply_pause, 20 * self.0.config.apply_pause);
        let count = loop {
            let data = self.result(STATISTICS, 1).await?;
            let count = Count::of(&data);
            let pause = pauses.next(None);
            if count.waiting.unwrap_or(0) == 0 || Instant::now() + pause > until {
                break count;
            }
            sleep(pause).await;
        };
        let failed = match count.failed {
            Some(0) => Vec::new(),
            _ => self.failed(persons).await?,
        };
        Ok(Application {
            waiting: count.waiting,
            failed,
        })
    }

    /// Those of these people for whom a device has refused, in their order.
    async fn failed(&self, persons: &[PersonId]) -> Result<Vec<PersonId>> {
        let mut failed = HashSet::new();
        for page in 1..=PAGES {
            let data = self.result(FAILURES, page).await?;
            let list = data.get("list").and_then(Value::as_array);
            let Some(list) = list else {
                break;
            };
            failed.extend(list.iter().filter_map(person));
            if list.len() < PAGE {
                break;
            }
        }
        let is_one = |id: &&PersonId| failed.contains(id.as_str());
        Ok(persons.iter().filter(is_one).cloned().collect())
    }

    async fn result(&self, kind: u8, page: u32) -> Result<Value> {
        let ask = AskResult {
            application_result_type: kind,
            page_no: page,
            page_size: PAGE,
            r#type: PERSONS,
        };
        let answer = self.ask(RESULT, &ask, &[]).await?;
        let data = data::<Option<Value>>(RESULT, &answer)?;
        Ok(data.unwrap_or_default())
    }
}

/// Whom an entry is about.
fn person(entry: &Value) -> Option<String> {
    let id = ["personId", "personID", "id"]
        .iter()
        .find_map(|name| entry.get(name));
    match id? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How many wait, and how many have failed. How versions call these is in no guide that
/// is public: every number whose name speaks of it is taken.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    waiting: Option<u64>,
    failed: Option<u64>,
}

impl Count {
    fn of(data: &Value) -> Self {
        let mut count = Self::default();
        let Some(fields) = data.as_object() else {
            return count;
        };
        for (name, value) in fields {
            let text = value.as_str().and_then(|text| text.trim().parse().ok());
            let Some(number) = value.as_u64().or(text) else {
                continue;
            };
            let name = name.to_ascii_lowercase();
            let sum = if name.contains("wait") {
                &mut count.waiting
            } else if name.contains("fail") || name.contains("error") {
                &mut count.failed
            } else {
                continue;
            };
            *sum = Some(sum.unwrap_or(0).saturating_add(number));
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counts_are_found_by_what_they_are_called() {
        for (data, waiting, failed) in [
            (json!({"waitingNum": 3, "failedNum": "1"}), Some(3), Some(1)),
            (
                json!({"personWaitCount": 1, "faceWaitCount": 2}),
                Some(3),
                None,
            ),
            (json!({"applyErrorCount": 0, "total": 9}), None, Some(0)),
            (json!({"wait": true, "fail": null}), None, None),
            (json!(""), None, None),
            (json!(null), None, None),
        ] {
            assert_eq!(Count::of(&data), Count { waiting, failed }, "{data}");
        }
    }

    #[test]
    fn requests_are_written_as_the_guide_has_them() {
        let add = AddPersons {
            privilege_group_id: "8",
            r#type: PERSONS,
            list: [Member { id: "18945" }],
        };
        assert_eq!(
            serde_json::to_value(&add).unwrap(),
            json!({"privilegeGroupId": "8", "type": 1, "list": [{"id": "18945"}]})
        );
        let apply = Apply {
            immediate: 0,
            person_ids: "1,2".to_owned(),
            door_index_codes: "56".to_owned(),
        };
        assert_eq!(
            serde_json::to_value(&apply).unwrap(),
            json!({"ImmediateDownload": 0, "personIds": "1,2", "doorIndexCodes": "56"})
        );
        for entry in [json!({"personId": "7"}), json!({"id": 7})] {
            assert_eq!(person(&entry).as_deref(), Some("7"));
        }
    }
}
