//! A request's body: JSON, or a form with a file in it.

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart};
use axum::http::Request;
use hyper::body::Incoming;

use super::refusal::Refusal;
use super::{Seen, Uploaded, hear};

/// The request's body, of whichever kind.
pub async fn read(request: Request<Incoming>, seen: &mut Seen) -> Result<(), Refusal> {
    let length = request.headers().get("content-length");
    let length: usize = length
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .unwrap_or(0);
    let media_type = request.headers().get("content-type").cloned();
    let media_type = media_type.as_ref().and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or_default().to_owned();
    let request = request.map(Body::new);
    if length > hear::MOST_BYTES {
        let _ = to_bytes(request.into_body(), usize::MAX).await;
        return Err(Refusal::invalid(format!(
            "Maximum content size limit ({}) exceeded ({length} bytes read)",
            hear::MOST_BYTES
        ))
        .status(413)
        .kind("server_error"));
    }
    let broken = || Refusal::invalid("Could not parse multipart form");
    if media_type.starts_with("multipart/form-data") {
        let mut request = request;
        // Its size is looked at above.
        DefaultBodyLimit::disable().apply(&mut request);
        let mut form = multipart(request).await.map_err(|()| broken())?;
        while let Some(field) = form.next_field().await.map_err(|_| broken())? {
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let media_type = field.content_type().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(|_| broken())?;
            match file_name {
                Some(file_name) if name == "file" => {
                    seen.file = Some(Uploaded {
                        name: file_name,
                        media_type,
                        bytes: bytes.to_vec(),
                    });
                }
                _ => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    seen.fields.insert(name, text);
                }
            }
        }
        return Ok(());
    }
    let body = to_bytes(request.into_body(), usize::MAX).await;
    let body = body.map_err(|_| Refusal::invalid("The body broke off"))?;
    if body.is_empty() {
        return Ok(());
    }
    seen.json = serde_json::from_slice(&body).map_err(|_| {
        Refusal::invalid(
            "We could not parse the JSON body of your request. (HINT: This likely means you \
             aren't using your HTTP library correctly.)",
        )
    })?;
    Ok(())
}

async fn multipart(request: Request<Body>) -> Result<Multipart, ()> {
    Multipart::from_request(request, &()).await.map_err(|_| ())
}
