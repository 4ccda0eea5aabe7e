//! Recordings as whole files on a disk: where that is asked for, and where one broke
//! off on its way into the engine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use flatbed_media::Input;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::failure::Failure;
use crate::client::hikvision::{Device, Download, Error, Recording};
use crate::store::Store;
use crate::store::scratch::{Scratch, check_room};

/// How often a download that breaks off is begun anew within an attempt.
const TRIES: u32 = 3;

/// The pause before the second try; doubled before the next one.
const PAUSE: Duration = Duration::from_secs(1);

/// Files of recordings: gone with this value, on each way out.
#[derive(Debug)]
pub struct Spooled {
    files: Vec<PathBuf>,
    /// Of all files.
    pub bytes: u64,
    _folder: Scratch,
}

impl Spooled {
    /// Fetches all recordings, one after the other. `seen` is how many bytes of each
    /// came before, where they ended without a word.
    pub async fn fetch(
        device: &Device,
        recordings: &[Recording],
        seen: &[Option<u64>],
        store: &Store,
    ) -> Result<Self, Failure> {
        let hints = recordings
            .iter()
            .filter_map(|recording| recording.size_hint);
        let folder = store.scratch(hints.fold(0, u64::saturating_add)).await?;
        let mut files = Vec::new();
        let mut bytes: u64 = 0;
        for (number, recording) in recordings.iter().enumerate() {
            let file = folder.path(&format!("recording-{number}"));
            let seen = seen.get(number).copied().flatten();
            bytes = bytes.saturating_add(whole(device, recording, &file, seen).await?);
            files.push(file);
        }
        Ok(Self {
            files,
            bytes,
            _folder: folder,
        })
    }

    /// The recordings as the engine's inputs.
    pub fn inputs(&self, recordings: &[Recording]) -> Vec<Input> {
        let named = self.files.iter().zip(recordings);
        named
            .map(|(file, recording)| {
                Input::path(file).called(format!("the recording of {}", recording.start))
            })
            .collect()
    }
}

/// Fetches a recording until it is whole; its size.
///
/// It is whole when all came that the device promised. One that promises nothing is
/// believed when as much came as its address says, or twice the same.
async fn whole(
    device: &Device,
    recording: &Recording,
    file: &Path,
    seen: Option<u64>,
) -> Result<u64, Failure> {
    let mut seen = seen;
    let mut pause = PAUSE;
    let mut tries = 1;
    loop {
        let failed = match once(device, recording, file).await {
            Ok((bytes, Some(_))) => return Ok(bytes),
            Ok((bytes, None)) => {
                let listed = recording.size_hint.is_some_and(|hint| bytes >= hint);
                if listed || seen == Some(bytes) {
                    return Ok(bytes);
                }
                let before = seen.replace(bytes);
                match before {
                    // Nothing to compare it with yet.
                    None => continue,
                    Some(before) => Failure::Short(format!(
                        "the recording of {} comes in different lengths, {before} and {bytes} bytes",
                        recording.start
                    )),
                }
            }
            Err(Failure::Recorder(error @ (Error::BrokeOff { .. } | Error::Empty { .. }))) => {
                Failure::Recorder(error)
            }
            Err(error) => return Err(error),
        };
        if tries == TRIES {
            return Err(failed);
        }
        tracing::debug!(error = %failed, tries, "a download is begun anew");
        sleep(pause).await;
        pause *= 2;
        tries += 1;
    }
}

/// Fetches a recording once: how many bytes came, and how many were promised.
async fn once(
    device: &Device,
    recording: &Recording,
    file: &Path,
) -> Result<(u64, Option<u64>), Failure> {
    let mut download = device.download(recording).await?;
    let promised = download.length();
    if let Some(bytes) = promised
        && let Some(folder) = file.parent()
    {
        check_room(folder, bytes)?;
    }
    let bytes = write(&mut download, file)
        .await?
        .map_err(|error| Failure::Disk(format!("{}: {error}", file.display())))?;
    Ok((bytes, promised))
}

/// Writes a download into a file, over what was there. The inner error is the
/// disk's.
async fn write(download: &mut Download, path: &Path) -> Result<std::io::Result<u64>, Error> {
    let mut bytes = 0;
    let mut file = match File::create(path).await {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    while let Some(piece) = download.chunk().await? {
        if let Err(error) = file.write_all(&piece).await {
            return Ok(Err(error));
        }
        bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
    }
    Ok(file.flush().await.map(|()| bytes))
}
