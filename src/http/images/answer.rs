//! The image, on its way to who asked for it. The room that it takes is given back
//! when it is gone, or when nobody takes it.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use flatbed_media::image::Report;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// It is given in pieces of so many bytes.
const PIECE: usize = 64 << 10;

/// How long a piece may wait to be taken.
const STALLED: Duration = Duration::from_secs(30);

/// What is told of an image beside it.
const WIDTH: HeaderName = HeaderName::from_static("image-width");
const HEIGHT: HeaderName = HeaderName::from_static("image-height");
const FRAMES: HeaderName = HeaderName::from_static("image-frames");
const QUALITY: HeaderName = HeaderName::from_static("image-quality");

/// `webp` as an answer; `room` is held until it is gone.
pub fn image(webp: Vec<u8>, report: &Report, room: impl Send + 'static) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("image/webp"));
    headers.insert(CONTENT_LENGTH, webp.len().into());
    headers.insert(WIDTH, report.width.into());
    headers.insert(HEIGHT, report.height.into());
    headers.insert(FRAMES, report.frames.into());
    if let Some(quality) = report.quality {
        headers.insert(QUALITY, u16::from(quality).into());
    }
    (headers, pieces(webp.into(), room)).into_response()
}

/// Whoever reads nothing is broken off: else as many as the desk has places could
/// shut it.
fn pieces(mut rest: Bytes, room: impl Send + 'static) -> Body {
    let (give, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        while !rest.is_empty() {
            let piece = rest.split_to(PIECE.min(rest.len()));
            if !matches!(timeout(STALLED, give.send(piece)).await, Ok(Ok(()))) {
                break;
            }
        }
        drop(room);
    });
    Body::from_stream(stream::unfold(taken, |mut taken| async {
        let piece: Bytes = taken.recv().await?;
        Some((Ok::<_, Infallible>(piece), taken))
    }))
}
