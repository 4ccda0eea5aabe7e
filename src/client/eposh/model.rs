//! A page of people, read as it comes and written as the messages have it.
//!
//! Fields that are not known here are kept, so that whoever reads a message finds what
//! Eposh has sent. Of those that are known, other shapes than the document's are
//! understood: numbers for texts and texts for numbers, an address for an object with
//! it, and what PHP makes of empty and sparse arrays. What is null is taken for missing
//! and left out. No `Debug` shows who somebody is.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A page of the people of one day: the `data` of a message to the publisher.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The people, in order.
    pub data: Vec<Employee>,
    /// Which page it is, and of how many.
    pub pagination: Pagination,
    /// What is not known here.
    #[serde(flatten)]
    pub other: Map<String, Value>,
    /// Entries of which nothing can be made: they are not in `data`, and one of them
    /// does not cost the page.
    #[serde(skip)]
    pub unread: Vec<Unread>,
}

/// An entry of a page of which nothing can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its place on the page, from 1.
    pub place: usize,
    /// Why, without what stands there.
    pub reason: String,
}

/// Which page it is, and of how many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pagination {
    /// This page, from 1.
    #[serde(deserialize_with = "number")]
    pub current_page: u32,
    /// The last one; 1, or 0, where there is nobody.
    #[serde(deserialize_with = "number")]
    pub last_page: u32,
    /// The people of all pages; 0 where it is not told.
    #[serde(default, deserialize_with = "number_or_none")]
    pub total: u64,
    /// What is not known here.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Somebody who was inducted.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Employee {
    /// The whole name.
    #[serde(deserialize_with = "needed")]
    pub name: String,
    /// The number of the identity card.
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "Option::is_none"
    )]
    pub identity_number: Option<String>,
    /// The number of the work permit, by which somebody is known here.
    #[serde(deserialize_with = "needed")]
    pub kib_number: String,
    /// When born.
    #[serde(
        default,
        deserialize_with = "birth_date",
        skip_serializing_if = "Option::is_none"
    )]
    pub birth_date: Option<BirthDate>,
    /// The face.
    #[serde(
        default,
        deserialize_with = "photo",
        skip_serializing_if = "Option::is_none"
    )]
    pub photo: Option<Photo>,
    /// Where somebody may go.
    #[serde(default, deserialize_with = "regionals")]
    pub regionals: Vec<Regional>,
    /// What is not known here.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A day of birth.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct BirthDate {
    /// Year, month and day: `1999-08-22`.
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "Option::is_none"
    )]
    pub ymd: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A photo.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Photo {
    /// Its address.
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "Option::is_none"
    )]
    pub link: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A part of the site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regional {
    /// What people call it.
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// What settings call it.
    #[serde(
        default,
        deserialize_with = "text",
        skip_serializing_if = "Option::is_none"
    )]
    pub slug: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Employee {
    /// The address of the photo, where there is one.
    pub fn photo_link(&self) -> Option<&str> {
        self.photo.as_ref()?.link.as_deref()
    }
}

impl Page {
    /// Reads an answer, or a message's `data`. The reason why it cannot be read has
    /// nothing of it.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(json).map_err(|error| unreadable(&error))?;
        Self::of(value)
    }

    /// The page that `value` is, or holds as its `data`.
    pub fn of(mut value: Value) -> Result<Self, String> {
        if let Some(inner) = value.get_mut("data").filter(|inner| inner.is_object()) {
            value = inner.take();
        }
        let Value::Object(mut fields) = value else {
            return Err("it is no object".to_owned());
        };
        let Some(Value::Array(entries)) = fields.remove("data") else {
            return Err("it has no list data".to_owned());
        };
        let pagination = fields.remove("pagination").filter(Value::is_object);
        let pagination = pagination.ok_or("it has no object pagination")?;
        let pagination = serde_json::from_value(pagination)
            .map_err(|error| format!("its pagination: {error}"))?;
        let mut page = Self {
            data: Vec::with_capacity(entries.len()),
            pagination,
            other: fields,
            unread: Vec::new(),
        };
        for (index, entry) in entries.into_iter().enumerate() {
            match employee(entry) {
                Ok(employee) => page.data.push(employee),
                Err(reason) => page.unread.push(Unread {
                    place: index + 1,
                    reason,
                }),
            }
        }
        Ok(page)
    }
}

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::of(Value::deserialize(from)?).map_err(D::Error::custom)
    }
}

fn employee(entry: Value) -> Result<Employee, String> {
    if !entry.is_object() {
        return Err("it is no object".to_owned());
    }
    serde_json::from_value(entry).map_err(|error| error.to_string())
}

/// Where JSON ends to be JSON; the parser's own words may repeat what stands there.
fn unreadable(error: &serde_json::Error) -> String {
    let what = if error.is_eof() { "cut off" } else { "no JSON" };
    format!("{what} at line {}, column {}", error.line(), error.column())
}

fn plain(value: Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(plain(Value::deserialize(from)?))
}

fn needed<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = plain(Value::deserialize(from)?).ok_or("its name or its kib_number is no text");
    // Blanks around it would make another person of the same one.
    text.map(|text| text.trim().to_owned())
        .map_err(D::Error::custom)
}

fn number<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr,
{
    let text = plain(Value::deserialize(from)?);
    let number = text.and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| D::Error::custom("expected whole numbers"))
}

fn number_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let text = plain(Value::deserialize(from)?);
    Ok(text.and_then(|text| text.trim().parse().ok()).unwrap_or(0))
}

fn birth_date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BirthDate>, D::Error> {
    Ok(object(Value::deserialize(from)?, "ymd"))
}

fn photo<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Photo>, D::Error> {
    Ok(object(Value::deserialize(from)?, "link"))
}

fn regionals<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Regional>, D::Error> {
    let values: Vec<Value> = match Value::deserialize(from)? {
        Value::Array(values) => values,
        // A sparse array of PHP's.
        Value::Object(fields) => fields.into_iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    };
    let known = values.into_iter();
    Ok(known.filter_map(|value| object(value, "slug")).collect())
}

/// An object, or what its field `main` would be, alone.
fn object<T: for<'de> Deserialize<'de>>(value: Value, main: &str) -> Option<T> {
    let object = match value {
        Value::Object(fields) => fields,
        other => Map::from_iter([(main.to_owned(), plain(other)?.into())]),
    };
    serde_json::from_value(Value::Object(object)).ok()
}

impl fmt::Debug for Employee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee")
            .field("regionals", &self.regionals)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BirthDate").finish_non_exhaustive()
    }
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Photo").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `data` of the document's first message.
    const PAGE: &str = r#"{"data":[{"name":"Sample Person One","identity_number":"0000000000000001","kib_number":"2611852","birth_date":{"ymd":"1999-08-22"},"photo":{"link":"https://storage.googleapis.com/eposh/public/2026/01/kib/-0000000001.png"},"regionals":[{"name":"Zona I","slug":"zona-i"},{"name":"Zona II","slug":"zona-ii"},{"name":"TUKS","slug":"tuks"}]}],"pagination":{"current_page":1,"last_page":2,"total":155}}"#;

    fn employee_of(value: &Value) -> Employee {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn the_document_s_page_is_written_byte_by_byte_as_it_came() {
        let page = Page::read(PAGE.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&page).unwrap(), PAGE);
        let message = format!(r#"{{"event":"HIKVISION_SYNC","data":{PAGE}}}"#);
        assert_eq!(Page::read(message.as_bytes()).unwrap(), page);
        assert_eq!(serde_json::from_str::<Page>(PAGE).unwrap(), page);
        let employee = &page.data[0];
        assert_eq!(employee.regionals[2].slug.as_deref(), Some("tuks"));
        assert!(employee.photo_link().unwrap().ends_with("-0000000001.png"));
        let person = json!({"name": "A", "kib_number": "1", "regionals": []});
        assert_eq!(serde_json::to_value(employee_of(&person)).unwrap(), person);
    }

    #[test]
    fn what_is_not_known_is_kept() {
        let person = json!({
            "name": "A", "identity_number": "1", "kib_number": "2",
            "birth_date": {"ymd": "1999-08-22", "dmy": "22-08-1999"},
            "photo": {"link": "https://a/b.png", "size": 7},
            "regionals": [{"name": "TUKS", "slug": "tuks", "id": 9}],
            "company": {"name": "B", "since": [2001]}, "vendor": null,
        });
        assert_eq!(serde_json::to_value(employee_of(&person)).unwrap(), person);
        let page = json!({
            "data": [person], "links": {"next": null},
            "pagination": {"current_page": 1, "last_page": 1, "total": 1, "per_page": 100},
        });
        assert_eq!(
            serde_json::to_value(Page::of(page.clone()).unwrap()).unwrap(),
            page
        );
    }

    #[test]
    fn other_shapes_are_understood() {
        let person = json!({
            "name": " A ", "identity_number": 3_171_234_567_890_001_u64, "kib_number": 2_611_852,
            "birth_date": "1999-08-22", "photo": "https://a/b.png",
            "regionals": {"0": {"name": "TUKS", "slug": "tuks"}, "2": "zona-i", "3": null},
        });
        assert_eq!(
            serde_json::to_value(employee_of(&person)).unwrap(),
            json!({
                "name": "A", "identity_number": "3171234567890001", "kib_number": "2611852",
                "birth_date": {"ymd": "1999-08-22"}, "photo": {"link": "https://a/b.png"},
                "regionals": [{"name": "TUKS", "slug": "tuks"}, {"slug": "zona-i"}],
            })
        );
        for empty in [json!(null), json!([]), json!(""), json!(false)] {
            let person = json!({
                "name": "A", "identity_number": empty, "kib_number": "1", "birth_date": empty,
                "photo": empty, "regionals": empty,
            });
            assert_eq!(
                serde_json::to_value(employee_of(&person)).unwrap(),
                json!({"name": "A", "kib_number": "1", "regionals": []}),
                "{empty}"
            );
        }
        for link in [json!({}), json!({"link": null}), json!({"link": ""})] {
            let person = json!({"name": "A", "kib_number": "1", "photo": link});
            assert_eq!(employee_of(&person).photo_link(), None, "{link}");
        }
    }

    #[test]
    fn nobody_is_named_in_what_people_read() {
        let page = Page::read(PAGE.as_bytes()).unwrap();
        let shown = format!("{page:?} {:?}", page.data[0]);
        for own in ["Sample", "0001", "2611852", "1999", "storage.g"] {
            assert!(!shown.contains(own), "{own}: {shown}");
        }
        assert!(shown.contains("tuks"), "{shown}");
        for entry in [
            json!("Sample"),
            json!({"name": ["Sample"], "kib_number": 1}),
        ] {
            let page = json!({
                "data": [entry], "pagination": {"current_page": 1, "last_page": 1, "total": 1},
            });
            let page = Page::of(page).unwrap();
            assert_eq!((page.data.len(), page.unread.len()), (0, 1));
            assert!(!page.unread[0].reason.contains("Sample"), "{page:?}");
        }
    }
}
