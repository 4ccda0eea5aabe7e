//! An image is asked for.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flatbed_media::image::{self, Options};
use flatbed_media::{Context, Input};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use super::coming::{self, unfit};
use super::desk::{Held, Room};
use super::form::{self, Asked, Image, Ticket};
use super::{Images, answer};
use crate::fetch;
use crate::http::exports::create::{Taken, id_of_key, known};
use crate::http::failure::{ErrorBody, Failure};
use crate::job::JobId;
use crate::queue::{Added, NewJob};
use crate::runner::JobContext;
use crate::telemetry::{Answered, Stage};
use crate::workload::image::Failure as Fault;
use crate::workload::image_api::{Conversion, JOB_NAME};

/// How an image is to become WebP: the options of `flatbed image`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)] // it describes
pub struct ImageOptions {
    /// The largest width, in pixels.
    #[schema(minimum = 1, maximum = 65500)]
    max_width: Option<u32>,
    /// The largest height, in pixels.
    #[schema(minimum = 1, maximum = 65500)]
    max_height: Option<u32>,
    /// What happens where it has another shape: `inside` (all of it is shown, the
    /// default), `cover` (what stands over is cut off), `exact` (the shape is not kept).
    #[schema(pattern = "^(inside|cover|exact)$")]
    fit: Option<String>,
    /// Lets small images grow to the size.
    enlarge: Option<bool>,
    /// From 1 (small) to 100 (good); 80.
    #[schema(minimum = 1, maximum = 100)]
    quality: Option<u8>,
    /// Keeps every pixel as it is.
    lossless: Option<bool>,
    /// The quality that makes it this like the original.
    #[schema(exclusive_minimum = 0.0, exclusive_maximum = 1.0)]
    ssim: Option<f64>,
    /// Lowers the quality until it fits into so many bytes.
    #[schema(minimum = 1)]
    max_bytes: Option<u32>,
    /// From 0 (fast) to 6 (small); 4.
    #[schema(minimum = 0, maximum = 6)]
    effort: Option<u8>,
    /// Of an animation, the first picture only.
    still: Option<bool>,
    /// `icc`, `exif` or both: the colour profile, EXIF. A form has them with a comma
    /// between.
    keep: Option<Vec<String>>,
    /// Resizes in linear light.
    linear_light: Option<bool>,
    /// Asks for a job, however small the image is.
    r#async: Option<bool>,
}

/// The form of an upload.
#[derive(ToSchema)]
#[allow(dead_code)] // it describes
pub struct ImageForm {
    /// The image: JPEG, PNG, GIF, WebP, BMP or TIFF.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    #[schema(inline)]
    #[serde(flatten)]
    options: ImageOptions,
}

/// An image that is at an address.
#[derive(ToSchema)]
#[allow(dead_code)] // it describes
pub struct ImageAt {
    /// Its address: `http` or `https`, public unless the operator allows its host.
    #[schema(example = "https://example.com/photo.jpg")]
    url: String,
    #[schema(inline)]
    #[serde(flatten)]
    options: ImageOptions,
}

/// Makes a WebP of an image: an upload (a form with the field `file`), or what is at an
/// address (JSON, or a form, with `url`).
///
/// A small image is answered with at once; one of more bytes or pixels, or that takes
/// longer than is allowed, becomes a job, as does what asks for it (`async`, or the
/// header `Prefer: respond-async`).
#[utoipa::path(
    post, path = "/api/images", operation_id = "createImage", tag = "images",
    request_body(content(
        (ImageForm = "multipart/form-data"),
        (ImageAt = "application/json"),
    )),
    params(
        ("Prefer" = Option<String>, Header, description = "`respond-async` asks for a job"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gives the same job"),
    ),
    responses(
        (status = 200, body = String, content_type = "image/webp", description = "The image",
            headers(
                ("Image-Width" = u32, description = "In pixels"),
                ("Image-Height" = u32, description = "In pixels"),
                ("Image-Frames" = u64, description = "1 unless it is an animation"),
                ("Image-Quality" = u8, description = "Absent where it is lossless"),
            )),
        (status = 202, body = Taken, description = "A job; the header Location leads to it"),
        (status = 400, body = ErrorBody, description = "A field is wrong; the message names it"),
        (status = 408, body = ErrorBody, description = "The upload stood still"),
        (status = 413, body = ErrorBody, description = "More than IMAGE_MAX_BYTES"),
        (status = 415, body = ErrorBody, description = "The body is the image itself, and no form"),
        (status = 422, body = ErrorBody, description = "It is no image, broken, of a format that is not read, has too many pixels, or is not at the address; or the idempotency key was used for other work"),
        (status = 502, body = ErrorBody, description = "The address cannot be reached, or fails"),
        (status = 507, body = ErrorBody, description = "The store's disk is full"),
    )
)]
pub async fn create(State(api): State<Images>, request: Request) -> Result<Response, Failure> {
    let counted = api.requests.request();
    let made = make(&api, request).await;
    counted.answered(match &made {
        Ok(answer) if answer.status() == StatusCode::OK => Answered::Image,
        Ok(_) => Answered::Job,
        Err(failure) if failure.is_busy() => Answered::Busy,
        Err(failure) if failure.code().is_client_error() => Answered::Refused,
        Err(_) => Answered::Failed,
    });
    made
}

async fn make(api: &Images, request: Request) -> Result<Response, Failure> {
    let place = api.desk().enter()?;
    let key = request.headers().get("idempotency-key");
    let job = Ticket {
        is_named: key.is_some(),
        id: match key {
            Some(key) => id_of_key(key.as_bytes())?,
            None => JobId::random(),
        },
    };
    let Asked {
        image,
        name,
        fields,
        options,
        is_job,
    } = form::take(api, &job, request).await?;
    let mut order = Order {
        api,
        job,
        is_preferred: is_job,
        conversion: Conversion {
            url: None,
            sha256: None,
            name,
            options: fields,
        },
    };
    let deadline = Instant::now() + api.desk().config().at_once;
    match image {
        Image::Stored(checksum) => {
            order.conversion.sha256 = checksum;
            order.add().await
        }
        Image::At(url) => {
            let fetched = if is_job {
                None
            } else {
                order.fetch(&url, deadline).await?
            };
            let image = fetched.map(Held::shared);
            order.conversion.url = Some(url);
            match image {
                Some(image) => order.at_once(image, options, deadline, place).await,
                None => order.add().await,
            }
        }
        Image::Held(held) => order.at_once(held.shared(), options, deadline, place).await,
    }
}

/// What a request asks for.
struct Order<'a> {
    api: &'a Images,
    job: Ticket,
    is_preferred: bool,
    conversion: Conversion,
}

impl Order<'_> {
    /// What is at `url`, if it is small and comes in time.
    async fn fetch(&self, url: &str, deadline: Instant) -> Result<Option<Held>, Failure> {
        let context = JobContext::new(self.api.work.clone());
        let fetched = context.stage(Stage::Fetch, self.fetch_small(url));
        let fetched = timeout_at(deadline, fetched).await;
        match fetched.unwrap_or(Ok(None)) {
            Ok(held) => Ok(held),
            Err(error) => Err(match &error {
                fetch::Error::Forbidden { .. } => Failure::bad_request(format!("url: {error}")),
                fetch::Error::Refused { .. } => Failure::unfit(format!("url: {error}")),
                fetch::Error::TooLarge { .. } => Failure::too_large(format!("url: {error}")),
                fetch::Error::Away { .. } => {
                    Failure::new(StatusCode::BAD_GATEWAY, format!("url: {error}"))
                }
            }),
        }
    }

    async fn fetch_small(&self, url: &str) -> fetch::Result<Option<Held>> {
        let request = fetch::Request::new(url, self.api.largest());
        let mut download = self.api.fetcher().get(&request).await?;
        let small = self.api.desk().config().small_bytes;
        if download.length.is_some_and(|length| length > small) {
            return Ok(None);
        }
        let mut held = self.api.desk().held();
        while let Some(chunk) = download.chunk().await? {
            if !held.push(&chunk) {
                return Ok(None);
            }
        }
        Ok(Some(held))
    }

    /// The image, if it is small and made in time; else a job.
    async fn at_once(
        mut self,
        (image, room): (Arc<[u8]>, Room),
        options: Options,
        deadline: Instant,
        place: OwnedSemaphorePermit,
    ) -> Result<Response, Failure> {
        let is_small = self.is_small(&image).await?;
        if is_small && !self.is_preferred {
            let input = Input::bytes(&self.conversion.name, Arc::clone(&image));
            if let Ok(made) = timeout_at(deadline, self.convert(input, options)).await {
                drop(image);
                let (webp, report) = made?;
                let room = room.grown(webp.len(), self.api.desk()).await?;
                self.api.work.bytes_out(report.bytes_out);
                return Ok(answer::image(webp, &report, (room, place)));
            }
        }
        if self.conversion.url.is_none() {
            self.conversion.sha256 = coming::store(self.api, &self.job, &image).await?;
        }
        drop(image);
        drop(room);
        self.add().await
    }

    /// Looks at the header: what is no image, or too large for a job too, is refused.
    async fn is_small(&self, image: &Arc<[u8]>) -> Result<bool, Failure> {
        let (image, name) = (Arc::clone(image), self.conversion.name.clone());
        let limits = self.api.images.optimiser.limits().clone();
        let context = Context::new().with_limits(limits);
        let facts = spawn_blocking(move || image::probe(&image, &name, &context)).await;
        let facts = facts.map_err(|error| Failure::internal(&error))?;
        let facts = facts.map_err(|error| unfit(&error))?;
        Ok(facts.pixels() <= self.api.desk().config().small_pixels)
    }

    async fn convert(
        &self,
        input: Input,
        options: Options,
    ) -> Result<(Vec<u8>, image::Report), Failure> {
        let _turn = self.api.desk().engine().await;
        let context = JobContext::new(self.api.work.clone());
        let made = self.api.images.make(input, options, &context).await;
        made.map_err(|fault| match fault {
            Fault::Engine(error) => match error {
                flatbed_media::Error::Io { .. } | flatbed_media::Error::Ffmpeg { .. } => {
                    Failure::internal(&error)
                }
                error => unfit(&error),
            },
            other => Failure::internal(&other),
        })
    }

    /// The job, and where to look for it.
    async fn add(self) -> Result<Response, Failure> {
        let Self { api, job, .. } = self;
        let payload = serde_json::to_vec(&self.conversion);
        let payload = payload.map_err(|error| Failure::internal(&error))?;
        let new = NewJob::new(JOB_NAME, payload.clone()).with_id(job.id.clone());
        let taken = match api.queue.add(new).await {
            Ok(Added::New) => Taken::queued(job.id.clone()),
            Ok(Added::Known) => {
                let id = job.id.clone();
                known(api.queue.as_ref(), id, &payload, "Idempotency-Key").await?
            }
            Err(error) => {
                if !job.is_named {
                    // Whether it was added nobody knows; without its image it fails.
                    api.images.remove(&job.id).await;
                }
                return Err(error.into());
            }
        };
        let mut response = (StatusCode::ACCEPTED, Json(taken)).into_response();
        let headers = response.headers_mut();
        if let Ok(place) = HeaderValue::try_from(format!("/api/images/{}", job.id)) {
            headers.insert(LOCATION, place);
        }
        if self.is_preferred {
            let applied = HeaderName::from_static("preference-applied");
            headers.insert(applied, HeaderValue::from_static("respond-async"));
        }
        Ok(response)
    }
}
