//! An upload on its way into the store: streamed, counted, all of it or nothing.

use uuid::Uuid;

use super::failure::Failure;
use super::multipart::{Form, Part};
use super::videos::Videos;
use crate::catalogue::{Catalogue, Video};
use crate::store::{self, Describe};

/// Stores the field `file` of `form` and takes it into the catalogue.
pub(super) async fn take(api: &Videos, mut form: Form) -> Result<Video, Failure> {
    while let Some(field) = form.next().await? {
        if field.name() == Some("file") {
            return store_field(api, field).await;
        }
    }
    Err(Failure::bad_request("the form has no field `file`"))
}

async fn store_field(api: &Videos, mut field: Part<'_>) -> Result<Video, Failure> {
    let id = Uuid::now_v7();
    let name = field.file_name().map(shown_name);
    let key = Catalogue::key_for(id, name.as_deref());
    let (upload, mut body) = api.store.create(&key, Describe::default(), None).await?;
    let copied = copy(&mut field, &mut body, api.largest).await;
    drop(body);
    if let Err(failure) = copied {
        upload.abort().await;
        return Err(failure);
    }
    upload.finish().await?;
    api.take_in(id, key, name, true).await
}

async fn copy(field: &mut Part<'_>, body: &mut store::Body, largest: u64) -> Result<(), Failure> {
    let mut bytes = 0;
    while let Some(chunk) = field.next().await? {
        bytes += chunk.len() as u64;
        if bytes > largest {
            return Err(Failure::too_large(format!(
                "file: it is larger than {largest} bytes, which MAX_VIDEO_UPLOAD_SIZE allows"
            )));
        }
        body.write(&chunk).await?;
    }
    if bytes == 0 {
        return Err(Failure::bad_request("file: it is empty"));
    }
    Ok(())
}

/// The last part of a path, at most 255 bytes, without what terminals heed.
pub(super) fn shown_name(name: &str) -> String {
    const LONGEST: usize = 255;
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut shown = String::new();
    for letter in name.chars().filter(|letter| !letter.is_control()) {
        if shown.len() + letter.len_utf8() > LONGEST {
            break;
        }
        shown.push(letter);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_last_part_of_a_path() {
        assert_eq!(shown_name(r"C:\clips\gate.mp4"), "gate.mp4");
        assert_eq!(shown_name("../../etc/passwd\n"), "passwd");
        assert_eq!(shown_name(&"ä".repeat(200)).len(), 254);
    }
}
