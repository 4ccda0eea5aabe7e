//! What can be asked about people.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::profile::{Data, Missing, Profile};
use super::refusal::{Refusal, words};
use super::site::{Person, Site};

/// The longest code, and the largest face.
const LONGEST_CODE: usize = 16;
const LARGEST_FACE: usize = 200 << 10;

/// What is answered in `data`.
pub type Answer = Result<Value, Refusal>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add<'a> {
    #[serde(default, borrow)]
    person_code: Cow<'a, str>,
    #[serde(borrow)]
    person_given_name: Cow<'a, str>,
    #[serde(borrow)]
    person_family_name: Cow<'a, str>,
    #[serde(borrow)]
    org_index_code: Cow<'a, str>,
    #[serde(default, borrow)]
    faces: Vec<Face<'a>>,
    begin_time: Option<String>,
    end_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Face<'a> {
    #[serde(borrow)]
    face_data: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetFace<'a> {
    #[serde(borrow)]
    person_id: Cow<'a, str>,
    #[serde(borrow)]
    face_data: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetFields {
    person_id: String,
    list: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    id: String,
    /// Spelt so.
    #[serde(rename = "customFiledName")]
    _name: String,
    #[serde(rename = "customFieldType")]
    _kind: u8,
    custom_field_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ByCode {
    person_code: String,
}

pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("{} {error}", words("2"))))
}

pub fn add(site: &mut Site, profile: &Profile, body: &[u8]) -> Answer {
    let add: Add = parse(body)?;
    for (name, value) in [
        ("personGivenName", &add.person_given_name),
        ("personFamilyName", &add.person_family_name),
        ("orgIndexCode", &add.org_index_code),
    ] {
        if value.is_empty() {
            return Err(Refusal::bad(format!("{name} is empty")));
        }
    }
    if add.person_code.chars().count() > LONGEST_CODE {
        // It repeats what it does not like.
        let words = format!("personCode {} is too long", add.person_code);
        return Err(Refusal::bad(words));
    }
    if !site.organisations.contains(&*add.org_index_code) {
        return Err(Refusal::missing(words("128")));
    }
    if site.by_code(&add.person_code).is_some() {
        return Err(Refusal::new("131", words("131")));
    }
    if site.count() >= profile.most_people {
        return Err(Refusal::new("132", words("132")));
    }
    for time in [&add.begin_time, &add.end_time].into_iter().flatten() {
        if time.len() != "2020-05-26T15:00:00+08:00".len() {
            return Err(Refusal::bad("beginTime or endTime"));
        }
    }
    let face = add.faces.first().map(|face| jpeg(&face.face_data));
    let face = face.transpose()?;
    let id = site.add(Person {
        code: add.person_code.into_owned(),
        given_name: add.person_given_name.into_owned(),
        family_name: add.person_family_name.into_owned(),
        organisation: add.org_index_code.into_owned(),
        face,
        faces: usize::from(face.is_some()),
        begin: add.begin_time,
        end: add.end_time,
        ..Person::default()
    });
    Ok(match profile.data {
        Data::Text => json!(id),
        Data::Number => json!(id.parse::<u64>().unwrap_or(0)),
        Data::Object => json!({ "personId": id }),
    })
}

pub fn find(site: &Site, profile: &Profile, body: &[u8]) -> Answer {
    let ByCode { person_code } = parse(body)?;
    let Some(person) = site.by_code(&person_code) else {
        return match profile.missing {
            Missing::Code => Err(Refusal::missing(words("128"))),
            Missing::Null => Ok(Value::Null),
            Missing::Empty => Ok(json!("")),
            Missing::Object => Ok(json!({})),
        };
    };
    let fields = person.fields.iter();
    let fields: Vec<Value> = fields
        .map(|(id, value)| json!({"id": id, "customFieldValue": value}))
        .collect();
    Ok(json!({
        "personId": person.id, "personCode": person.code, "orgIndexCode": person.organisation,
        "personName": format!("{} {}", person.given_name, person.family_name),
        "personGivenName": person.given_name, "personFamilyName": person.family_name,
        "gender": 0, "personPhoto": {"picUri": ""}, "customFieldList": fields,
    }))
}

pub fn set_face(site: &mut Site, body: &[u8]) -> Answer {
    let set: SetFace = parse(body)?;
    let face = jpeg(&set.face_data)?;
    let person = site.by_id(&set.person_id);
    let person = person.ok_or_else(|| Refusal::missing(words("128")))?;
    person.face = Some(face);
    person.faces += 1;
    Ok(json!(""))
}

pub fn set_fields(site: &mut Site, body: &[u8]) -> Answer {
    let set: SetFields = parse(body)?;
    if set.list.is_empty() {
        return Err(Refusal::bad("list is empty"));
    }
    if !set.list.iter().all(|field| site.fields.contains(&field.id)) {
        return Err(Refusal::missing(words("128")));
    }
    let person = site.by_id(&set.person_id);
    let person = person.ok_or_else(|| Refusal::missing(words("128")))?;
    for field in set.list {
        if field.custom_field_value.chars().count() > 128 {
            let words = format!("customFieldValue {} is too long", field.custom_field_value);
            return Err(Refusal::bad(words));
        }
        person.fields.insert(field.id, field.custom_field_value);
    }
    Ok(json!(""))
}

/// How large a face is, which has to be a whole JPEG, in plain base64.
fn jpeg(data: &str) -> Result<usize, Refusal> {
    let bytes = STANDARD.decode(data.as_bytes());
    let bytes = bytes.map_err(|_| Refusal::bad("faceData is no base64"))?;
    if !bytes.starts_with(&[0xff, 0xd8, 0xff]) || !bytes.ends_with(&[0xff, 0xd9]) {
        return Err(Refusal::bad("faceData is no JPEG"));
    }
    if bytes.len() > LARGEST_FACE {
        return Err(Refusal::bad("faceData is larger than 200 KB"));
    }
    Ok(bytes.len())
}
