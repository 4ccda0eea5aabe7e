//! `GET /api/videos/{id}/analysis`: what was found, with links to its files.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flatbed_media::image::{SheetOptions, contact_sheet as lay_out};
use flatbed_media::{Context, Input};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Analyses, absent, video_id};
use crate::archive::model::Frame;
use crate::archive::{self, Analysis, Transcript, subtitles};
use crate::http::failure::{ErrorBody, Failure};
use crate::runner::engine::on_thread;
use crate::store::Key;

/// What is known of a video, and where its files are.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalysisStatus {
    #[serde(flatten)]
    analysis: Analysis,
    /// The frames' pictures, by their indices.
    #[schema(value_type = HashMap<String, String>)]
    frame_urls: HashMap<u32, String>,
    /// The proxy.
    proxy_url: Option<String>,
    /// The transcript as `WebVTT`.
    webvtt_url: Option<String>,
    /// The same as SRT.
    srt_url: Option<String>,
    /// All frames in one picture.
    contact_sheet_url: Option<String>,
}

impl Analyses {
    async fn known(&self, id: &str) -> Result<Analysis, Failure> {
        let known = self.archive.load(video_id(id)?).await?;
        known.ok_or_else(|| absent(id))
    }

    /// A link to an object, where files are objects.
    async fn link(&self, key: Option<&Key>) -> Result<Option<String>, Failure> {
        let (Some(files), Some(key)) = (&self.files, key) else {
            return Ok(None);
        };
        Ok(Some(files.link(key, self.link_life, None).await?.url))
    }

    async fn frame_url(&self, base: &str, frame: &Frame) -> Result<String, Failure> {
        let link = self.link(frame.key.as_ref()).await?;
        Ok(link.unwrap_or_else(|| format!("{base}/frames/{}.jpg", frame.index)))
    }
}

/// What was found in a video so far.
#[utoipa::path(
    get, path = "/api/videos/{id}/analysis", operation_id = "getAnalysis", tag = "analysis",
    params(("id" = String, Path, description = "The video's id")),
    responses((status = 200, body = AnalysisStatus), (status = 404, body = ErrorBody))
)]
pub async fn show(
    State(api): State<Analyses>,
    Path(id): Path<String>,
) -> Result<Json<AnalysisStatus>, Failure> {
    let analysis = api.known(&id).await?;
    let base = format!("/api/videos/{}/analysis", analysis.video_id);
    let mut frame_urls = HashMap::new();
    for frame in &analysis.frames {
        frame_urls.insert(frame.index, api.frame_url(&base, frame).await?);
    }
    let is_heard = analysis.transcript.is_some();
    let there = |is_there: bool, name: &str| is_there.then(|| format!("{base}/{name}"));
    Ok(Json(AnalysisStatus {
        frame_urls,
        proxy_url: api.link(analysis.proxy.as_ref()).await?,
        webvtt_url: there(is_heard, "transcript.vtt"),
        srt_url: there(is_heard, "transcript.srt"),
        contact_sheet_url: there(!analysis.frames.is_empty(), "contact-sheet.png"),
        analysis,
    }))
}

/// A part of it: `transcript.vtt`, `transcript.srt`, `transcript.json`, `scenes.json`,
/// `frames.json` or `contact-sheet.png`.
#[utoipa::path(
    get, path = "/api/videos/{id}/analysis/{part}", operation_id = "getAnalysisPart",
    tag = "analysis",
    params(
        ("id" = String, Path, description = "The video's id"),
        ("part" = String, Path, description = "transcript.vtt, transcript.srt, transcript.json, scenes.json, frames.json or contact-sheet.png"),
    ),
    responses(
        (status = 200, content_type = "text/vtt"), (status = 404, body = ErrorBody),
    )
)]
pub async fn part(
    State(api): State<Analyses>,
    Path((id, part)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let known = api.known(&id).await?;
    let transcript = || {
        let none = || Failure::not_found(format!("video {id} has no transcript"));
        known.transcript.as_ref().ok_or_else(none)
    };
    let text = |media_type, write: fn(&[_]) -> String| {
        let Transcript { segments, .. } = transcript()?;
        Ok::<_, Failure>(of_type(media_type, write(segments).into()))
    };
    match part.as_str() {
        "transcript.vtt" => text("text/vtt; charset=utf-8", subtitles::webvtt),
        "transcript.srt" => text("application/x-subrip; charset=utf-8", subtitles::srt),
        "transcript.json" => Ok(Json(transcript()?).into_response()),
        "scenes.json" => Ok(Json(&known.scenes).into_response()),
        "frames.json" => Ok(Json(&known.frames).into_response()),
        "contact-sheet.png" => contact_sheet(&api, &known).await,
        _ => Err(Failure::not_found(format!(
            "an analysis has no part {part:?}"
        ))),
    }
}

/// A frame's picture: JPEG.
#[utoipa::path(
    get, path = "/api/videos/{id}/analysis/frames/{frame}", operation_id = "getAnalysisFrame",
    tag = "analysis",
    params(
        ("id" = String, Path, description = "The video's id"),
        ("frame" = String, Path, description = "The frame's index, with or without .jpg"),
    ),
    responses(
        (status = 200, content_type = "image/jpeg"),
        (status = 302, description = "The picture is in the store, there is a link to it"),
        (status = 404, body = ErrorBody),
    )
)]
pub async fn frame(
    State(api): State<Analyses>,
    Path((id, frame)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let none = || Failure::not_found(format!("video {id} has no frame {frame:?}"));
    let index = frame.strip_suffix(".jpg").unwrap_or(&frame);
    let index: u32 = index.parse().map_err(|_| none())?;
    let known = api.known(&id).await?;
    let found = known.frames.iter().find(|frame| frame.index == index);
    let found = found.ok_or_else(none)?;
    if let Some(url) = api.link(found.key.as_ref()).await?
        && let Ok(url) = HeaderValue::from_str(&url)
    {
        return Ok((StatusCode::FOUND, [(LOCATION, url)]).into_response());
    }
    let picture = api.archive.picture(known.video_id, index).await?;
    Ok(of_type("image/jpeg", picture.ok_or_else(none)?))
}

/// Forgets what was found, files too; the video stays.
#[utoipa::path(
    delete, path = "/api/videos/{id}/analysis", operation_id = "deleteAnalysis", tag = "analysis",
    params(("id" = String, Path, description = "The video's id")),
    responses((status = 204), (status = 404, body = ErrorBody))
)]
pub async fn forget(
    State(api): State<Analyses>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let video = video_id(&id)?;
    match api.archive.load(video).await {
        Ok(None) => return Err(absent(id)),
        // What cannot be read is forgotten too.
        Ok(Some(_)) | Err(archive::Error::Unreadable { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    api.archive.forget(video).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All frames in one picture, made when it is asked for.
async fn contact_sheet(api: &Analyses, known: &Analysis) -> Result<Response, Failure> {
    let mut pictures = Vec::new();
    for frame in known.frames.iter().take(MOST_ON_SHEET) {
        if let Some(picture) = api.archive.picture(known.video_id, frame.index).await? {
            let name = format!("frame {}", frame.index);
            pictures.push(Input::bytes(name, picture.to_vec()));
        }
    }
    if pictures.is_empty() {
        let id = known.video_id;
        return Err(Failure::not_found(format!("video {id} has no frames")));
    }
    let options = SheetOptions::default();
    let sheet = on_thread(move || lay_out(pictures, &options, &Context::new())).await;
    let (sheet, _) = sheet.map_err(|error| Failure::internal(&error))?;
    Ok(of_type("image/png", sheet.into()))
}

/// More than that nobody looks at on one sheet.
const MOST_ON_SHEET: usize = 100;

fn of_type(media_type: &'static str, content: Bytes) -> Response {
    let media_type = HeaderValue::from_static(media_type);
    ([(CONTENT_TYPE, media_type)], content).into_response()
}
