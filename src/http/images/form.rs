//! What a request asks for.

use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flatbed_media::image::Options;
use serde_json::Value;

use super::Images;
use super::coming::{file, too_large};
use super::desk::Held;
use crate::http::body::{is_form, parse, read};
use crate::http::failure::Failure;
use crate::http::multipart::{Form, Part};
use crate::http::upload::shown_name;
use crate::job::JobId;
use crate::workload::image_api::options::{self, Fields};

/// Between two pieces of a body.
const IDLE: Duration = Duration::from_secs(30);

/// The most bytes of a request that brings no file, or of a form's field.
const LONGEST_WORDS: usize = 16 << 10;

/// What a form has beside the file.
const LONGEST_FORM: u64 = 1 << 20;

/// What is asked for.
pub(super) struct Asked {
    /// Where the image is.
    pub(super) image: Image,
    /// What it is called in messages.
    pub(super) name: String,
    /// What is asked of it, as it was said.
    pub(super) fields: Fields,
    /// The same, checked.
    pub(super) options: Options,
    /// Whether a job is asked for.
    pub(super) is_job: bool,
}

/// Where an image is.
pub(super) enum Image {
    /// It came, and is in memory.
    Held(Held),
    /// It came, and is in the store; its checksum, where one is needed.
    Stored(Option<String>),
    /// At this address.
    At(String),
}

/// Reads all of a request.
pub(super) async fn take(api: &Images, job: &Ticket, request: Request) -> Result<Asked, Failure> {
    let is_job = prefers_job(request.headers());
    let mut asked = if is_form(&request) {
        let most = api.largest().saturating_add(LONGEST_FORM);
        if length(request.headers()).is_some_and(|length| length > most) {
            return Err(too_large(api));
        }
        let form = Form::of(request, Some(IDLE)).await?;
        Words::of_form(api, job, form).await?
    } else if is_image(request.headers()) {
        return Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send the image as a form's field `file` (curl -F file=@photo.jpg)",
        ));
    } else {
        let words = read(request, LONGEST_WORDS).await?;
        let fields = parse(&words)?;
        Words { fields, file: None }
    };
    let wants_job = options::switch(&asked.fields, "async").map_err(Failure::bad_request)?;
    asked.fields.remove("async");
    let url = asked.fields.remove("url").filter(|url| !url.is_null());
    let (image, name) = match (asked.file, url) {
        (Some(file), None) => file,
        (None, Some(Value::String(url))) => {
            api.fetcher()
                .check(&url)
                .map_err(|error| Failure::bad_request(format!("url: {error}")))?;
            let name = name_of(&url);
            (Image::At(url), name)
        }
        (None, Some(_)) => return Err(Failure::bad_request("url: expected a text")),
        (Some(_), Some(_)) => {
            return Err(Failure::bad_request(
                "url: give it, or a file, and not both",
            ));
        }
        (None, None) => {
            return Err(Failure::bad_request(
                "the request has no image: send a form with the field `file`, or JSON with a `url`",
            ));
        }
    };
    Ok(Asked {
        image,
        name,
        options: options::check(&asked.fields).map_err(Failure::bad_request)?,
        fields: asked.fields,
        is_job: is_job || wants_job,
    })
}

/// The job that a request may become.
pub(super) struct Ticket {
    pub(super) id: JobId,
    /// Whether the caller named it, so that it may be known already.
    pub(super) is_named: bool,
}

/// RFC 7240, section 4.1.
fn prefers_job(headers: &HeaderMap) -> bool {
    headers.get_all("prefer").iter().any(|value| {
        let value = value.to_str().unwrap_or_default();
        let preferences = value.split(',').filter_map(|one| one.split(';').next());
        let mut preferences = preferences.map(str::trim);
        preferences.any(|preference| preference.eq_ignore_ascii_case("respond-async"))
    })
}

/// Whether the body is the image itself.
fn is_image(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("image/") || kind == "application/octet-stream"
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The last part of an address's path.
fn name_of(url: &str) -> String {
    let url = url::Url::parse(url).ok();
    let name = url
        .as_ref()
        .and_then(|url| url.path_segments()?.next_back());
    match name.map(shown_name) {
        Some(name) if !name.is_empty() => name,
        _ => "image".to_owned(),
    }
}

/// What a request says, and the file that it brings.
struct Words {
    fields: Fields,
    file: Option<(Image, String)>,
}

impl Words {
    async fn of_form(api: &Images, job: &Ticket, mut form: Form) -> Result<Self, Failure> {
        let mut words = Self {
            fields: Fields::new(),
            file: None,
        };
        while let Some(field) = form.next().await? {
            let name = field.name().unwrap_or_default().to_owned();
            let is_again = if name == "file" {
                let name = field.file_name().map(shown_name);
                let name = name.filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| "image".to_owned());
                let image = match words.file {
                    None => file(api, job, field, &name).await?,
                    Some(_) => return Err(Failure::bad_request("file: one at a time")),
                };
                words.file.replace((image, name)).is_some()
            } else {
                let text = text(&name, field).await?;
                words.fields.insert(name.clone(), value(text)).is_some()
            };
            if is_again {
                return Err(Failure::bad_request(format!(
                    "{name:.40}: it is given twice"
                )));
            }
        }
        Ok(words)
    }
}

/// A form has texts alone: numbers, `true` and `false` are what they are in JSON.
fn value(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::Null)) => value,
        _ => Value::String(text),
    }
}

async fn text(name: &str, mut field: Part<'_>) -> Result<String, Failure> {
    let mut text = Vec::new();
    while let Some(chunk) = field.next().await? {
        if text.len() + chunk.len() > LONGEST_WORDS {
            return Err(Failure::too_large(format!("{name:.40}: it is too long")));
        }
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(text);
    text.map_err(|_| Failure::bad_request(format!("{name:.40}: expected a text")))
}
