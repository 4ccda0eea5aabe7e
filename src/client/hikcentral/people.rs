//! People: looked up, added, given a face and fields.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};

use super::HikCentral;
use super::error::{Error, Kind, Result};
use super::exchange::{Call, data};
use super::person::{CustomField, NewPerson, PersonCode, PersonId};
use super::text::Text;

const FIND: Call = Call {
    what: "look up a person",
    path: "/artemis/api/resource/v1/person/personCode/personInfo",
    once: false,
};
const ADD: Call = Call {
    what: "add a person",
    path: "/artemis/api/resource/v1/person/single/add",
    once: true,
};
const FACE: Call = Call {
    what: "set a person's face",
    path: "/artemis/api/resource/v1/person/face/update",
    once: false,
};
const FIELD: Call = Call {
    what: "set a person's field",
    path: "/artemis/api/resource/v1/person/personId/customFieldsUpdate",
    once: false,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ByCode<'a> {
    person_code: &'a str,
}

/// Who was looked up.
#[derive(Deserialize)]
#[serde(untagged)]
enum Found {
    #[serde(rename_all = "camelCase")]
    Person {
        person_id: Text,
        person_code: Option<Text>,
    },
    /// An empty object, an empty text, null.
    Nobody(IgnoredAny),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Add<'a> {
    person_code: &'a str,
    person_given_name: &'a str,
    person_family_name: &'a str,
    org_index_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    faces: Option<[Face<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    begin_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Face<'a> {
    #[serde(serialize_with = "base64")]
    face_data: &'a [u8],
}

/// Versions answer with the number alone, or with an object around it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Added {
    Id(Text),
    #[serde(rename_all = "camelCase")]
    Person {
        person_id: Text,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetFace<'a> {
    person_id: &'a str,
    #[serde(flatten)]
    face: Face<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetFields<'a> {
    person_id: &'a str,
    list: [Field<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Field<'a> {
    id: &'a str,
    /// Its name is spelt so.
    #[serde(rename = "customFiledName")]
    name: &'a str,
    custom_field_type: u8,
    custom_field_value: &'a str,
}

impl HikCentral {
    /// Who has this code, if anybody.
    pub async fn person_by_code(&self, code: &PersonCode) -> Result<Option<PersonId>> {
        let person_code = code.as_str();
        let asked = self
            .ask(FIND, &ByCode { person_code }, &[person_code])
            .await;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match data::<Option<Found>>(FIND, &answer)? {
            Some(Found::Person {
                person_code: Some(other),
                ..
            }) if other.as_str() != person_code => {
                let reason = "its answer is about a person with another code";
                Err(Error::new(Kind::Foreign, FIND.what, reason))
            }
            Some(Found::Person { person_id, .. }) => Ok(person_id.filled().map(PersonId::new)),
            Some(Found::Nobody(_)) | None => Ok(None),
        }
    }

    /// Adds a person, once. Where it is left open whether it was done (a lost answer, a
    /// server that fails), the error is [`Kind::Unknown`], and nothing is repeated: look
    /// the person up by the code then.
    pub async fn add_person(&self, person: &NewPerson) -> Result<PersonId> {
        let (given, family) = (person.given_name.trim(), person.family_name.trim());
        if given.is_empty() || family.is_empty() {
            let reason = "a given name and a family name are needed";
            return Err(Error::new(Kind::Unfit, ADD.what, reason));
        }
        let face = person.face.as_deref();
        let face = face.map(|jpeg| Face::new(ADD, jpeg)).transpose()?;
        let add = Add {
            person_code: person.code.as_str(),
            person_given_name: given,
            person_family_name: family,
            org_index_code: &person.organisation,
            faces: face.map(|face| [face]),
            begin_time: person.begin.map(time),
            end_time: person.end.map(time),
        };
        let answer = self
            .ask(ADD, &add, &[person.code.as_str(), given, family])
            .await?;
        let id = match data(ADD, &answer) {
            Ok(Added::Id(id) | Added::Person { person_id: id }) => id.filled(),
            Err(_) => None,
        };
        id.map(PersonId::new).ok_or_else(|| {
            let reason = "a success that does not name the person";
            Error::new(Kind::Unknown, ADD.what, reason)
        })
    }

    /// Gives a person this face, and no other. A JPEG of no more than some 200 KB.
    pub async fn update_face(&self, person: &PersonId, jpeg: &[u8]) -> Result<()> {
        let set = SetFace {
            person_id: person.as_str(),
            face: Face::new(FACE, jpeg)?,
        };
        self.ask(FACE, &set, &[]).await.map(drop)
    }

    /// Writes a value into a field of a person's.
    pub async fn set_custom_field(
        &self,
        person: &PersonId,
        field: &CustomField,
        value: &str,
    ) -> Result<()> {
        let set = SetFields {
            person_id: person.as_str(),
            list: [Field {
                id: &field.id,
                name: &field.name,
                custom_field_type: field.kind,
                custom_field_value: value,
            }],
        };
        self.ask(FIELD, &set, &[value]).await.map(drop)
    }
}

impl<'a> Face<'a> {
    fn new(call: Call, jpeg: &'a [u8]) -> Result<Self> {
        if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
            return Err(Error::new(Kind::Unfit, call.what, "the photo is no JPEG"));
        }
        Ok(Self { face_data: jpeg })
    }
}

/// Plain base64: some versions choke on the `data:` that pages put before it.
fn base64<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Base64Display::new(bytes, &STANDARD))
}

/// `2020-05-26T15:00:00+00:00`.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_person_is_written_as_the_guide_has_it() {
        let add = Add {
            person_code: "2611852",
            person_given_name: "Siti",
            person_family_name: "Rahma",
            org_index_code: "1",
            faces: Some([Face::new(ADD, &[0xff, 0xd8, 0xff, 0xe0]).unwrap()]),
            begin_time: Some(time("2020-05-26T07:00:00.9Z".parse().unwrap())),
            end_time: None,
        };
        assert_eq!(
            serde_json::to_value(&add).unwrap(),
            json!({
                "personCode": "2611852", "personGivenName": "Siti", "personFamilyName": "Rahma",
                "orgIndexCode": "1", "faces": [{"faceData": "/9j/4A=="}],
                "beginTime": "2020-05-26T07:00:00+00:00"
            })
        );
        let face = Face::new(FACE, &[0xff, 0xd8, 0xff]).unwrap();
        let set = SetFace {
            person_id: "7",
            face,
        };
        let expected = json!({"personId": "7", "faceData": "/9j/"});
        assert_eq!(serde_json::to_value(&set).unwrap(), expected);
        for other in [&b"data:image/jpeg;base64,/9j/"[..], b"\x89PNG", b""] {
            let error = Face::new(FACE, other).err().unwrap();
            assert_eq!(error.kind(), Kind::Unfit);
        }
    }

    #[test]
    fn the_new_number_is_a_text_a_number_or_in_an_object() {
        for text in [
            r#""18945""#,
            "18945",
            r#"{"personId":"18945"}"#,
            r#"{"personId":18945}"#,
        ] {
            let (Added::Id(id) | Added::Person { person_id: id }) =
                serde_json::from_str(text).unwrap();
            assert_eq!(id.filled().as_deref(), Some("18945"), "{text}");
        }
        for text in ["{}", "null", "[]", "true"] {
            assert!(serde_json::from_str::<Added>(text).is_err(), "{text}");
        }
    }
}
