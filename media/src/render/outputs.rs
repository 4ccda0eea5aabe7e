//! Where the results go: a folder, or a place for the video and one for the
//! pictures.

use std::path::{Path, PathBuf};

use crate::{Container, Error, Output, Result};

/// The places of the results. Each file is complete or absent.
#[derive(Debug)]
pub struct Outputs {
    video: Video,
    pictures: Option<PathBuf>,
}

#[derive(Debug)]
enum Video {
    Folder(PathBuf),
    Place(Output),
    None,
}

impl Outputs {
    /// `video.<ext>` and `thumbnail-1.jpg`, `thumbnail-2.jpg`, … in a folder,
    /// which is made if it is not there.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            pictures: Some(path.clone()),
            video: Video::Folder(path),
        }
    }

    /// The video at a place of its own, whose container is the result's.
    pub fn video(output: Output) -> Self {
        Self {
            video: Video::Place(output),
            pictures: None,
        }
    }

    /// Pictures alone, in a folder.
    pub fn pictures(path: impl Into<PathBuf>) -> Self {
        Self {
            video: Video::None,
            pictures: Some(path.into()),
        }
    }

    /// The folder that pictures go to.
    #[must_use]
    pub fn with_pictures(mut self, path: impl Into<PathBuf>) -> Self {
        self.pictures = Some(path.into());
        self
    }

    /// The container of the video, where it is chosen already.
    pub(super) fn container(&self) -> Option<Container> {
        match &self.video {
            Video::Place(output) => Some(output.container()),
            Video::Folder(_) | Video::None => None,
        }
    }

    /// The place of the video, and where it is as a file.
    pub(super) fn take_video(&mut self, container: Container) -> Result<(Output, Option<PathBuf>)> {
        match std::mem::replace(&mut self.video, Video::None) {
            Video::Folder(folder) => {
                make(&folder)?;
                let path = folder.join(format!("video.{}", container.extension()));
                Ok((Output::path_as(path.clone(), container), Some(path)))
            }
            Video::Place(output) => {
                let path = output.file().map(Path::to_owned);
                Ok((output, path))
            }
            Video::None => Err(Error::unsupported(
                "the video",
                "there is no place to write it to",
            )),
        }
    }

    /// The folder that pictures go to.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where there is none.
    pub(super) fn folder_of_pictures(&self) -> Result<&Path> {
        self.pictures.as_deref().ok_or_else(|| {
            Error::unsupported("the thumbnails", "there is no folder to write them to")
        })
    }
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|source| Error::io(folder.display().to_string(), source))
}
