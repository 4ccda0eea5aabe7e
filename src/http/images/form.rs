//! What a request asks for, and its image: in memory while it is small and there is
//! room, else on its way into the store.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use flatbed_media::image::{Format, Options};
use ring::digest;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::Images;
use super::desk::{Held, body};
use crate::http::body::{is_form, parse, read};
use crate::http::failure::Failure;
use crate::http::multipart::{Form, Part};
use crate::http::upload::shown_name;
use crate::job::JobId;
use crate::store::{self, Describe, Upload};
use crate::workload::image_api::options::{self, Fields};
use crate::workload::image_api::source;

/// Between two pieces of a body.
const IDLE: Duration = Duration::from_secs(30);

/// The most bytes of a request that brings no file, or of a form's field.
const LONGEST_WORDS: usize = 16 << 10;

/// What a form has beside the file.
const LONGEST_FORM: u64 = 1 << 20;

/// How much of a file that is refused is read, so that who sends it gets the answer.
const PASSED_OVER: u64 = 16 << 20;

/// What tells a format.
const HEAD: usize = 32;

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

fn too_large(api: &Images) -> Failure {
    let largest = api.largest();
    Failure::too_large(format!(
        "file: it is larger than {largest} bytes, which IMAGE_MAX_BYTES allows"
    ))
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

/// The form's file.
async fn file(
    api: &Images,
    job: &Ticket,
    mut field: Part<'_>,
    name: &str,
) -> Result<Image, Failure> {
    let mut coming = Coming::new(api, job);
    loop {
        let chunk = match field.next().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return coming.end(name).await,
            Err(failure) => {
                coming.abort().await;
                return Err(failure);
            }
        };
        if let Err(failure) = coming.push(&chunk, name).await {
            coming.abort().await;
            pass_over(&mut field).await;
            return Err(failure);
        }
    }
}

async fn pass_over(field: &mut Part<'_>) {
    let mut passed = 0;
    while let Ok(Some(chunk)) = field.next().await {
        passed += chunk.len() as u64;
        if passed > PASSED_OVER {
            break;
        }
    }
}

/// An upload, as it comes.
struct Coming<'a> {
    api: &'a Images,
    job: &'a Ticket,
    bytes: u64,
    /// Its first ones.
    head: Vec<u8>,
    place: Place,
    /// Where the job may be known: is it the same image?
    checksum: Option<digest::Context>,
}

enum Place {
    Memory(Held),
    Store {
        upload: Upload,
        body: store::Body,
        _turn: OwnedSemaphorePermit,
    },
    /// The job is known, and has its image.
    Nowhere,
}

impl<'a> Coming<'a> {
    fn new(api: &'a Images, job: &'a Ticket) -> Self {
        Self {
            api,
            job,
            bytes: 0,
            head: Vec::new(),
            place: Place::Memory(api.desk().held()),
            checksum: job.is_named.then(|| digest::Context::new(&digest::SHA256)),
        }
    }

    async fn push(&mut self, chunk: &[u8], name: &str) -> Result<(), Failure> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.api.largest() {
            return Err(too_large(self.api));
        }
        let missing = HEAD.saturating_sub(self.head.len()).min(chunk.len());
        if missing > 0 {
            self.head
                .extend_from_slice(chunk.get(..missing).unwrap_or_default());
            if self.head.len() == HEAD {
                Format::of(&self.head, name).map_err(|error| unfit(&error))?;
            }
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(chunk);
        }
        if let Place::Memory(held) = &mut self.place {
            if held.push(chunk) {
                return Ok(());
            }
            self.place = self.spill().await?;
        }
        if let Place::Store { body, .. } = &mut self.place {
            body.write(chunk).await?;
        }
        Ok(())
    }

    /// What is held goes into the store, and what comes follows it.
    async fn spill(&mut self) -> Result<Place, Failure> {
        if self.api.knows(self.job).await? {
            return Ok(Place::Nowhere);
        }
        let turn = self.api.desk().storing().await?;
        let key = source(&self.job.id).map_err(|error| Failure::internal(&error))?;
        let store = self.api.store();
        let (upload, mut body) = store.create(&key, Describe::default(), None).await?;
        if let Place::Memory(held) = &self.place {
            body.write(held.bytes()).await?;
        }
        Ok(Place::Store {
            upload,
            body,
            _turn: turn,
        })
    }

    async fn end(self, name: &str) -> Result<Image, Failure> {
        if self.bytes == 0 {
            return Err(Failure::bad_request("file: it is empty"));
        }
        if self.head.len() < HEAD {
            Format::of(&self.head, name).map_err(|error| unfit(&error))?;
        }
        let checksum = self
            .checksum
            .map(|checksum| hex(checksum.finish().as_ref()));
        match self.place {
            Place::Memory(held) => Ok(Image::Held(held)),
            Place::Store { upload, body, .. } => {
                drop(body);
                upload.finish().await?;
                Ok(Image::Stored(checksum))
            }
            Place::Nowhere => Ok(Image::Stored(checksum)),
        }
    }

    async fn abort(self) {
        if let Place::Store { upload, body, .. } = self.place {
            drop(body);
            upload.abort().await;
        }
    }
}

/// Keeps what is held as the source of a job; its checksum, where one is needed.
pub(super) async fn store(
    api: &Images,
    job: &Ticket,
    image: &Arc<[u8]>,
) -> Result<Option<String>, Failure> {
    if !api.knows(job).await? {
        let key = source(&job.id).map_err(|error| Failure::internal(&error))?;
        let image = body(Arc::clone(image));
        api.store().put(&key, image, Describe::default()).await?;
    }
    let checksum = || hex(digest::digest(&digest::SHA256, image).as_ref());
    Ok(job.is_named.then(checksum))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the engine says against an image.
pub(super) fn unfit(error: &flatbed_media::Error) -> Failure {
    Failure::unfit(error.to_string())
}
