//! The four messages of the chain, as the requirement has them: other workers may
//! take any of the stages.
//!
//! What is written has the requirement's fields in its order; fields that it does not
//! name are handed on where the whole person is. What is read may have more.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::eposh::{Employee, Page, Regional};
use crate::job::JobId;

/// What a batch says it is.
const EVENT: &str = "HIKVISION_SYNC";

/// Message 1, from the endpoint to the publisher: a page of people.
#[derive(Debug, Serialize)]
pub struct Batch<'a> {
    event: &'static str,
    data: &'a Page,
}

impl<'a> Batch<'a> {
    /// The batch with this page.
    pub fn of(page: &'a Page) -> Self {
        Self {
            event: EVENT,
            data: page,
        }
    }
}

/// The page of a message 1.
pub(super) fn batch(message: &[u8]) -> Result<Page, String> {
    /// An event that is missing is taken for the only one that there is.
    #[derive(Deserialize)]
    struct Read {
        event: Option<String>,
        data: Value,
    }
    let read: Read = serde_json::from_slice(message).map_err(unreadable)?;
    if let Some(event) = read.event.filter(|event| event != EVENT) {
        let event: String = event.chars().take(100).collect();
        return Err(format!("event {event:?} is not done here, {EVENT:?} is"));
    }
    Page::of(read.data)
}

/// Message 2, from the publisher to create person: the person as Eposh has them.
#[derive(Serialize)]
pub(super) struct Create<'a> {
    pub(super) employee: &'a Employee,
}

/// The person of a message 2.
pub(super) fn create(message: &[u8]) -> Result<Employee, String> {
    #[derive(Deserialize)]
    struct Read {
        employee: Employee,
    }
    let read: Read = serde_json::from_slice(message).map_err(unreadable)?;
    Ok(read.employee)
}

/// Message 3, from create person to update KIB: neither birth date nor photo.
#[derive(Serialize)]
struct Update<'a> {
    #[serde(rename = "personId")]
    person: &'a str,
    kib_number: &'a str,
    employee: Known<'a>,
}

#[derive(Serialize)]
struct Known<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_number: Option<&'a str>,
    kib_number: &'a str,
    regionals: &'a [Regional],
}

/// What a message 3 says.
#[derive(Deserialize)]
pub(super) struct Updated {
    #[serde(rename = "personId")]
    pub(super) person: Id,
    pub(super) kib_number: Id,
    #[serde(default)]
    pub(super) employee: Option<Going>,
}

/// Where somebody may go.
#[derive(Deserialize)]
pub(super) struct Going {
    #[serde(default)]
    pub(super) regionals: Option<Vec<Regional>>,
}

/// Message 3 about `employee`.
pub(super) fn update(person: &str, employee: &Employee) -> Result<Vec<u8>, String> {
    written(&Update {
        person,
        kib_number: &employee.kib_number,
        employee: Known {
            name: &employee.name,
            identity_number: employee.identity_number.as_deref(),
            kib_number: &employee.kib_number,
            regionals: &employee.regionals,
        },
    })
}

impl Updated {
    pub(super) fn read(message: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(message).map_err(unreadable)
    }

    pub(super) fn regionals(&self) -> &[Regional] {
        let employee = self.employee.as_ref();
        let regionals = employee.and_then(|it| it.regionals.as_deref());
        regionals.unwrap_or_default()
    }
}

/// Message 4, from update KIB to assign privileges.
#[derive(Serialize)]
pub(super) struct Assign<'a> {
    #[serde(rename = "personId")]
    pub(super) person: &'a str,
    pub(super) privilege_groups: &'a [String],
}

/// What a message 4 says.
#[derive(Deserialize)]
pub(super) struct Assigned {
    #[serde(rename = "personId")]
    pub(super) person: Id,
    #[serde(default)]
    pub(super) privilege_groups: Vec<Id>,
}

impl Assigned {
    pub(super) fn read(message: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(message).map_err(unreadable)
    }
}

/// A text, or a number that stands for it: other producers are not strict.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) String);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(from)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        if text.is_empty() {
            let expected = "expected a text or a number";
            return Err(serde::de::Error::custom(expected));
        }
        Ok(Self(text))
    }
}

/// JSON for the queue.
pub(super) fn written(message: &impl Serialize) -> Result<Vec<u8>, String> {
    serde_json::to_vec(message).map_err(unreadable)
}

/// What people's messages are known by, in all queues from the second on: it can be
/// followed through the chain, and says no more than a badge does.
pub(super) fn person_id(kib_number: &str) -> JobId {
    JobId::of_foreign(&format!("kib-{kib_number}"))
}

/// Where and what kind of fault it is; not what stands there, which is somebody's.
#[allow(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
fn unreadable(error: serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            // `missing field `kib_number`` names the field, and no value.
            let text = error.to_string();
            if text.starts_with("missing field") || text.starts_with("expected a text") {
                text
            } else {
                format!("it has not the shape of the chain's messages, at {place}")
            }
        }
        _ => format!("it is no JSON, at {place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: &str = r#"{"name":"Sample Person One","identity_number":"0000000000000001","kib_number":"2611852","birth_date":{"ymd":"1999-08-22"},"photo":{"link":"https://storage.googleapis.com/eposh/public/2026/01/kib/-0000000001.png"},"regionals":[{"name":"Zona I","slug":"zona-i"},{"name":"Zona II","slug":"zona-ii"},{"name":"TUKS","slug":"tuks"}]}"#;

    /// The requirement's four messages, to the byte but for the spaces.
    #[test]
    fn the_requirement_s_messages() {
        let first = format!(
            r#"{{"event":"HIKVISION_SYNC","data":{{"data":[{PERSON}],"pagination":{{"current_page":1,"last_page":2,"total":155}}}}}}"#
        );
        let page = batch(first.as_bytes()).unwrap();
        let again = written(&Batch::of(&page)).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), first);

        let second = written(&Create {
            employee: &page.data[0],
        });
        let second = second.unwrap();
        let expected = format!(r#"{{"employee":{PERSON}}}"#);
        assert_eq!(String::from_utf8(second.clone()).unwrap(), expected);

        let employee = create(&second).unwrap();
        let third = update("18945", &employee).unwrap();
        let expected = r#"{"personId":"18945","kib_number":"2611852","employee":{"name":"Sample Person One","identity_number":"0000000000000001","kib_number":"2611852","regionals":[{"name":"Zona I","slug":"zona-i"},{"name":"Zona II","slug":"zona-ii"},{"name":"TUKS","slug":"tuks"}]}}"#;
        assert_eq!(String::from_utf8(third.clone()).unwrap(), expected);

        let read = Updated::read(&third).unwrap();
        let groups = super::super::PrivilegeGroups::default().of(read.regionals());
        let fourth = written(&Assign {
            person: &read.person.0,
            privilege_groups: &groups.groups,
        });
        let fourth = fourth.unwrap();
        let expected = r#"{"personId":"18945","privilege_groups":["1","2","8"]}"#;
        assert_eq!(String::from_utf8(fourth.clone()).unwrap(), expected);
        let read = Assigned::read(&fourth).unwrap();
        assert_eq!(read.privilege_groups.len(), 3);
        assert_eq!(person_id("2611852").as_str(), "kib-2611852");
    }

    #[test]
    fn other_producers_may_say_more_and_write_numbers() {
        let read = Assigned::read(br#"{"personId": 18945, "privilege_groups": [1], "x": {}}"#);
        let read = read.unwrap();
        assert_eq!(
            (&*read.person.0, &*read.privilege_groups[0].0),
            ("18945", "1")
        );
        let more = br#"{"employee": {"name": "A", "kib_number": 7, "badge": "x"}, "trace": 1}"#;
        let employee = create(more).unwrap();
        assert_eq!(employee.kib_number, "7");
        let told = written(&Create {
            employee: &employee,
        });
        assert!(String::from_utf8(told.unwrap()).unwrap().contains("badge"));
        let third = br#"{"personId":"1","kib_number":"2","employee":{"regionals":null}}"#;
        assert!(Updated::read(third).unwrap().regionals().is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_without_what_stands_there() {
        for (message, said) in [
            ("", "no JSON"),
            (r#"{"personId":"Secret","kib_number":{"Secret":1}}"#, "text"),
            (r#"{"personId":"Secret"}"#, "missing field `kib_number`"),
            (
                r#"{"personId":"1","kib_number":"2","employee":"Secret"}"#,
                "shape",
            ),
            (r#"["Secret"]"#, "shape"),
        ] {
            let error = Updated::read(message.as_bytes()).err().unwrap();
            assert!(error.contains(said), "{message}: {error}");
            assert!(!error.contains("Secret"), "{error}");
        }
        let error = batch(br#"{"event":"OTHER","data":{}}"#).unwrap_err();
        assert!(error.contains("OTHER"), "{error}");
        let error = create(br#"{"employee":{"name":"Secret"}}"#).err().unwrap();
        assert!(
            error.contains("kib_number") && !error.contains("Secret"),
            "{error}"
        );
    }
}
