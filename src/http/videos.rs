//! `/api/videos`: what exports are made of.

use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{is_form, parse, read};
use super::failure::{ErrorBody, Failure};
use super::multipart::Form;
use super::upload;
use crate::catalogue::{Catalogue, Refusal, Video};
use crate::store::{Key, Store};

/// What these answers are made from.
#[derive(Clone)]
pub struct Videos {
    /// Which videos there are.
    pub catalogue: Catalogue,
    /// Where they are.
    pub store: Store,
    /// The most bytes of an upload.
    pub largest: u64,
}

/// The most bytes of a request that brings no file.
const LONGEST_WORDS: usize = 16 << 10;

/// The routes.
pub fn routes(videos: Videos) -> Router {
    // The upload counts its own bytes.
    let create = post(create).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/api/videos", create.get(list))
        .route("/api/videos/{id}", get(show).delete(delete))
        .with_state(videos)
}

/// An object that is in the store already.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InStore {
    /// Its key.
    #[schema(example = "recordings/2026-11-22/gate.mp4")]
    key: String,
}

/// The form of an upload.
#[derive(ToSchema)]
#[allow(dead_code)] // it describes
pub struct UploadForm {
    /// The video, or a picture for watermarks.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes in a video: an upload (a form with the field `file`), or the key of an
/// object that is in the store already (JSON).
///
/// Pictures (PNG, JPEG, WebP) are taken too, for watermarks.
#[utoipa::path(
    post, path = "/api/videos", operation_id = "createVideo", tag = "videos",
    request_body(content(
        (UploadForm = "multipart/form-data"),
        (InStore = "application/json"),
    )),
    responses(
        (status = 201, body = Video),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 413, body = ErrorBody, description = "More than MAX_VIDEO_UPLOAD_SIZE"),
        (status = 422, body = ErrorBody, description = "It is not media"),
        (status = 507, body = ErrorBody, description = "The store's disk is full"),
    )
)]
pub async fn create(
    State(api): State<Videos>,
    request: Request,
) -> Result<(StatusCode, Json<Video>), Failure> {
    let video = if is_form(&request) {
        let form = Form::of(request, None).await?;
        upload::take(&api, form).await?
    } else {
        let asked: InStore = parse(&read(request, LONGEST_WORDS).await?)?;
        let key: Key = asked
            .key
            .parse()
            .map_err(|error| Failure::bad_request(format!("key: {error}")))?;
        let name = key.file_name().to_owned();
        api.take_in(Uuid::now_v7(), key, Some(name), false).await?
    };
    Ok((StatusCode::CREATED, Json(video)))
}

impl Videos {
    pub(super) async fn take_in(
        &self,
        id: Uuid,
        key: Key,
        name: Option<String>,
        uploaded: bool,
    ) -> Result<Video, Failure> {
        let taken = self.catalogue.take_in(id, key, name, uploaded).await;
        taken.map_err(|refusal| match refusal {
            Refusal::Unfit(error) => Failure::unfit(error.to_string()),
            Refusal::Store(error) => error.into(),
        })
    }
}

/// What is known of a video.
#[utoipa::path(
    get, path = "/api/videos/{id}", operation_id = "getVideo", tag = "videos",
    params(("id" = String, Path, description = "The video's id")),
    responses((status = 200, body = Video), (status = 404, body = ErrorBody))
)]
pub async fn show(
    State(api): State<Videos>,
    Path(id): Path<String>,
) -> Result<Json<Video>, Failure> {
    let video = api.catalogue.find(&id).await?;
    video.map(Json).ok_or_else(|| absent(&id))
}

/// Which videos are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Those that came after the one with this id.
    after: Option<Uuid>,
    /// How many at most, up to 1000.
    #[serde(default = "hundred")]
    limit: usize,
}

fn hundred() -> usize {
    100
}

/// A part of the list of videos.
#[derive(Debug, Serialize, ToSchema)]
pub struct Videolist {
    videos: Vec<Video>,
    /// What `after` is to be for the part that follows; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Uuid>,
}

/// The videos, in the order of their coming.
#[utoipa::path(
    get, path = "/api/videos", operation_id = "listVideos", tag = "videos", params(Which),
    responses((status = 200, body = Videolist), (status = 400, body = ErrorBody))
)]
pub async fn list(
    State(api): State<Videos>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Videolist>, Failure> {
    let Query(which) = which.map_err(|error| Failure::bad_request(error.body_text()))?;
    let limit = which.limit.clamp(1, 1000);
    let videos = api.catalogue.list(which.after, limit).await?;
    let next = videos
        .last()
        .filter(|_| videos.len() == limit)
        .map(|video| video.id);
    Ok(Json(Videolist { videos, next }))
}

/// Forgets a video; an uploaded one is removed from the store, one that was given
/// by its key stays there.
#[utoipa::path(
    delete, path = "/api/videos/{id}", operation_id = "deleteVideo", tag = "videos",
    params(("id" = String, Path, description = "The video's id")),
    responses((status = 204), (status = 404, body = ErrorBody))
)]
pub async fn delete(
    State(api): State<Videos>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    if api.catalogue.delete(&id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(absent(&id))
    }
}

fn absent(id: &str) -> Failure {
    Failure::not_found(format!("there is no video {id:?}"))
}
