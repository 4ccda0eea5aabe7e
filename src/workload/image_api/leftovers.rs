//! What nobody fetched is removed after a while, and what a process that was killed
//! left of an upload.

use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use tokio::time::sleep;
use uuid::Uuid;

use super::{PREFIX, RESULT, SOURCE};
use crate::store::{self, Key, Object, Store};

/// How often it is looked.
const PERIOD: Duration = Duration::from_secs(3600);

/// And after the start, where there is more to do than this.
const FIRST: Duration = Duration::from_secs(60);

/// Removes for ever what is older than `keep`.
pub async fn remove(store: Store, keep: Duration) {
    sleep(FIRST).await;
    loop {
        match sweep(&store, keep).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "files of old image jobs were removed"),
            Err(error) => tracing::warn!(%error, "files of old image jobs are not removed"),
        }
        sleep(PERIOD).await;
    }
}

/// Removes what is older than `keep`, and tells how much that was.
pub async fn sweep(store: &Store, keep: Duration) -> store::Result<u64> {
    let Ok(folder) = PREFIX.parse::<Key>() else {
        return Ok(0);
    };
    let Some(oldest) = SystemTime::now().checked_sub(keep) else {
        return Ok(0);
    };
    let mut removed = 0;
    let mut objects = store.list(Some(&folder))?;
    while let Some(object) = objects.next().await {
        let Object { key, modified, .. } = object?;
        if modified < oldest && is_ours(&key) {
            store.delete(&key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Whether it is a job's: the bucket may be shared with others.
fn is_ours(key: &Key) -> bool {
    let segments: Vec<_> = key.segments().collect();
    matches!(
        segments.as_slice(),
        [PREFIX, job, SOURCE | RESULT] if job.parse::<Uuid>().is_ok()
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn others_files_are_left_alone() {
        let job = "0193b2f0-6d1c-7a52-9d5e-0f6c3a9b1c44";
        let is_ours = |key: &str| super::is_ours(&key.parse().unwrap());
        assert!(is_ours(&format!("image-jobs/{job}/source")));
        assert!(is_ours(&format!("image-jobs/{job}/image.webp")));
        for other in [
            format!("image-jobs/{job}/other"),
            format!("image-jobs/{job}/a/source"),
            format!("images/{job}/source"),
            "image-jobs/source".to_owned(),
            "image-jobs/mine/source".to_owned(),
        ] {
            assert!(!is_ours(&other), "{other}");
        }
    }
}
