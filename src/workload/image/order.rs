//! What a message must be, and where the result of its image goes.

use serde::Deserialize;
use url::Url;

use super::failure::Failure;
use crate::client::callback::{ImageJob, ImageJobId};
use crate::queue::redis_list::config::IMAGE_TASK;
use crate::store::Key;

/// What a producer pushes.
#[derive(Deserialize)]
struct Message {
    task_type: String,
    #[serde(default)]
    payload: serde_json::Value,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "imageJobID")]
    image_job_id: ImageJobId,
}

/// The job that a message is about.
pub(super) fn parse(message: &[u8]) -> Result<ImageJobId, Failure> {
    let refuse = |error: serde_json::Error| Failure::Order(error.to_string());
    let message: Message = serde_json::from_slice(message).map_err(refuse)?;
    if message.task_type != IMAGE_TASK {
        let task: String = message.task_type.chars().take(100).collect();
        return Err(Failure::Order(format!(
            "task_type {task:?} is not done here, {IMAGE_TASK:?} is"
        )));
    }
    let payload: Payload = serde_json::from_value(message.payload).map_err(refuse)?;
    Ok(payload.image_job_id)
}

/// The folder of what producers upload; it does not appear in results' keys.
const RAW: &str = "raw/";

/// Where the result goes: `raw/1234-abc.jpg` becomes
/// `optimized/1234-abc-optimized.webp`. Folders below `raw` stay, so that equal names
/// in two of them are two results.
pub(super) fn result_key(prefix: &Key, id: &ImageJobId, job: &ImageJob) -> Result<Key, Failure> {
    let named = source_key(job).map(|key| {
        let key = key.as_str();
        key.strip_prefix(RAW).unwrap_or(key).to_owned()
    });
    let named = named.or_else(|| {
        let url = Url::parse(job.source_image_url.as_deref()?).ok()?;
        let name = url.path_segments()?.next_back()?.to_owned();
        Some(name).filter(|name| name.parse::<Key>().is_ok())
    });
    let named = named.unwrap_or_else(|| id.to_string());
    let (folder, name) = match named.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name),
        None => (String::new(), named.as_str()),
    };
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    prefix
        .join(&format!("{folder}{stem}-optimized.webp"))
        .map_err(|error| Failure::Source(error.to_string()))
}

/// The image's key in the bucket, if the job has one that can be a key.
pub(super) fn source_key(job: &ImageJob) -> Option<Key> {
    job.source_image_key.as_deref()?.parse().ok()
}

/// What the image is called in messages.
pub(super) fn shown_name(id: &ImageJobId, job: &ImageJob) -> String {
    match source_key(job) {
        Some(key) => key.file_name().to_owned(),
        None => id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::callback::Status;

    fn job(key: Option<&str>, url: Option<&str>) -> ImageJob {
        ImageJob {
            status: Status::Pending,
            source_image_url: url.map(str::to_owned),
            source_image_key: key.map(str::to_owned),
        }
    }

    #[test]
    fn messages_of_other_tasks_are_no_orders() {
        let id = parse(
            br#"{"task_type":"process_image","payload":{"imageJobID":"655501d2f12a3d0f3c5a1002"}}"#,
        );
        assert_eq!(id.unwrap().as_str(), "655501d2f12a3d0f3c5a1002");
        for (message, expected) in [
            (
                r#"{"task_type":"report","payload":{}}"#,
                "\"report\" is not done here",
            ),
            (r#"{"task_type":"process_image"}"#, "invalid type: null"),
            (
                r#"{"task_type":"process_image","payload":{}}"#,
                "imageJobID",
            ),
            (
                r#"{"task_type":"process_image","payload":{"imageJobID":"../../admin"}}"#,
                "letters, digits",
            ),
            ("\u{0}\u{ff}", "expected value"),
        ] {
            let error = parse(message.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{message}: {error}");
        }
    }

    #[test]
    fn results_are_named_as_the_document_has_it() {
        let prefix: Key = "optimized".parse().unwrap();
        let id: ImageJobId = "17".parse().unwrap();
        for (key, url, expected) in [
            (
                Some("raw/1234-abc.jpg"),
                None,
                "optimized/1234-abc-optimized.webp",
            ),
            (
                Some("raw/a/1.tar.png"),
                None,
                "optimized/a/1.tar-optimized.webp",
            ),
            (Some("1234"), None, "optimized/1234-optimized.webp"),
            (Some("raw/.jpg"), None, "optimized/.jpg-optimized.webp"),
            (
                None,
                Some("https://pub.r2.dev/raw/9-z.jpeg?x=1"),
                "optimized/9-z-optimized.webp",
            ),
            (
                Some("../up"),
                Some("https://pub.r2.dev/"),
                "optimized/17-optimized.webp",
            ),
            (None, None, "optimized/17-optimized.webp"),
        ] {
            let made = result_key(&prefix, &id, &job(key, url)).unwrap();
            assert_eq!(made.as_str(), expected);
        }
    }
}
