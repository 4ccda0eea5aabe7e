//! A person's photo: fetched from its address, guarded, and made into what `HikCentral`
//! takes for a face. Whatever goes wrong with it is told, and holds nobody up.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;
use url::Url;

use super::face::Faces;
use super::stage::Stage;
use crate::client::eposh::Employee;
use crate::fetch::{self, Fetcher, Request};
use crate::runner::JobContext;
use crate::telemetry::{self, AccessMetrics, Photo};

const STAGE: &str = Stage::CreatePerson.as_str();

/// Pauses before a download that failed in a way that may pass is tried again.
const AGAIN: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Gets photos of faces.
pub struct Photos {
    fetcher: Fetcher,
    faces: Faces,
    metrics: AccessMetrics,
    /// The most bytes of a photo.
    most: u64,
}

impl Photos {
    /// Photos that `fetcher` may fetch, of `most` bytes at most, made fit by `faces`.
    pub fn new(fetcher: Fetcher, most: u64, faces: Faces, metrics: AccessMetrics) -> Self {
        Self {
            fetcher,
            faces,
            metrics,
            most,
        }
    }

    /// The face as a JPEG, if there is one that can be had. What it comes to is counted
    /// but for the sending.
    pub(super) async fn face(&self, employee: &Employee, context: &JobContext) -> Option<Bytes> {
        let kib = &*employee.kib_number;
        let Some(link) = employee.photo_link().filter(|link| !link.trim().is_empty()) else {
            tracing::info!(stage = STAGE, kib, "there is no photo");
            self.metrics.photo(Photo::Absent);
            return None;
        };
        let fetched = context.stage(telemetry::Stage::Fetch, self.fetch(link, context));
        let photo = match fetched.await {
            Ok(photo) => photo,
            Err(error) => {
                let error = shown(&error);
                tracing::warn!(
                    stage = STAGE,
                    kib,
                    error,
                    "the photo is not had; going on without"
                );
                self.metrics.photo(Photo::Unreachable);
                return None;
            }
        };
        context.metrics().bytes_in(photo.len() as u64);
        let made = self.faces.make(photo, context);
        match context.stage(telemetry::Stage::Engine, made).await {
            Ok(face) => {
                context.metrics().bytes_out(face.len() as u64);
                Some(face.into())
            }
            Err(error) => {
                tracing::warn!(stage = STAGE, kib, %error, "the photo is not fit; going on without");
                self.metrics.photo(Photo::Unfit);
                None
            }
        }
    }

    async fn fetch(&self, link: &str, context: &JobContext) -> fetch::Result<Vec<u8>> {
        let mut pauses = AGAIN.into_iter();
        loop {
            let error = match self.fetch_once(link).await {
                Err(error @ fetch::Error::Away { .. }) => error,
                ended => return ended,
            };
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = context.stopped() => return Err(error),
            }
        }
    }

    async fn fetch_once(&self, link: &str) -> fetch::Result<Vec<u8>> {
        let request = Request::new(link.trim(), self.most);
        let download = self.fetcher.get(&request).await?;
        download.bytes().await
    }
}

/// The error with no more than the host of the address: what files are called may be
/// somebody's number.
fn shown(error: &fetch::Error) -> String {
    let (fetch::Error::Away { url, .. }
    | fetch::Error::Refused { url, .. }
    | fetch::Error::Forbidden { url, .. }
    | fetch::Error::TooLarge { url, .. }) = error;
    let host = Url::parse(url).ok();
    let host = host
        .as_ref()
        .and_then(Url::host_str)
        .unwrap_or("its address");
    error.to_string().replace(url.as_str(), host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_s_name_is_told() {
        let url = "https://storage.googleapis.com/kib/-3171234567890001.png".to_owned();
        let error = fetch::Error::TooLarge { url, most: 7 };
        let told = "storage.googleapis.com: larger than the 7 bytes allowed";
        assert_eq!(shown(&error), told);
        let url = "3171234567890001".to_owned();
        let reason = "no address".to_owned();
        let error = fetch::Error::Forbidden { url, reason };
        assert_eq!(shown(&error), "its address: not allowed: no address");
    }
}
