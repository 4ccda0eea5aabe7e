//! One request and its answer.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;

use super::{Backend, Error, Result, Update};
use crate::client::pauses::retry_after;
use crate::client::said::one_line;

/// The most bytes of an answer. A job has some hundred.
const LONGEST_ANSWER: usize = 1 << 20;

/// How much of what the backend says goes into an error.
const LONGEST_WORD: usize = 200;

/// What backends say in an answer that is an error.
#[derive(Deserialize)]
struct Word {
    #[serde(alias = "error")]
    message: String,
}

impl Backend {
    /// Sends one request, and gives the body of an answer that is a success.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Update<'_>>,
    ) -> Result<Bytes> {
        let shown = format!("{method} /{path}");
        let url = self.config.url.join(path).map_err(|error| {
            let reason = error.to_string();
            Error::foreign(&shown, &reason)
        })?;
        let mut request = self.client.request(method, url);
        if let Some(credentials) = &self.config.credentials {
            request = request.header(&credentials.header, credentials.value.clone());
        }
        if let Some(body) = body {
            let body = serde_json::to_vec(body).unwrap_or_default();
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let failed = |error: &reqwest::Error| Error::of_client(&shown, error);
        let mut answer = request.send().await.map_err(|error| failed(&error))?;
        let body = whole(&mut answer, &shown).await?;
        if answer.status().is_success() {
            return Ok(body);
        }
        Err(self.refusal(shown, answer.status(), answer.headers(), &body))
    }

    fn refusal(
        &self,
        request: String,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Error {
        let reason = match self.word(body) {
            Some(word) => format!("it answered {status}: {word}"),
            None => format!("it answered {status}"),
        };
        match status.as_u16() {
            404 => Error::Absent { request },
            401 | 403 | 407 => Error::Misled {
                request,
                reason,
                remedy: "CALLBACK_TOKEN and CALLBACK_HEADER",
            },
            300..=399 => Error::Misled {
                request,
                reason: format!("{reason}, and leads elsewhere"),
                remedy: "BACKEND_URL",
            },
            429 | 502..=504 => Error::Away {
                request,
                reason,
                status: Some(status.as_u16()),
                after: retry_after(headers),
            },
            408 | 425 | 500..=599 => Error::Failing { request, reason },
            _ => Error::Refused { request, reason },
        }
    }

    /// What the backend says about an error, in one line and without our token.
    fn word(&self, body: &[u8]) -> Option<String> {
        let Word { message } = serde_json::from_slice(body).ok()?;
        let token = self.config.credentials.as_ref().map(|own| &own.token);
        Some(one_line(&message, token, LONGEST_WORD))
    }
}

/// All of an answer's body, within bounds.
async fn whole(answer: &mut Response, shown: &str) -> Result<Bytes> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body.into()),
            Ok(Some(bytes)) if body.len() + bytes.len() <= LONGEST_ANSWER => {
                body.extend_from_slice(&bytes);
            }
            Ok(Some(_)) => {
                let reason = format!("it is longer than {LONGEST_ANSWER} bytes");
                return Err(Error::foreign(shown, &reason));
            }
            Err(error) => return Err(Error::of_client(shown, &error)),
        }
    }
}
