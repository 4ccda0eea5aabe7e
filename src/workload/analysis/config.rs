//! The settings of analysis, read from variables and checked all at once.

use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::config::Variables;

/// Which steps are on, and what they may cost.
#[derive(Debug, Clone)]
pub struct Config {
    /// `MAX_FRAMES_PER_VIDEO`.
    pub most_frames: NonZeroU32,
    /// `FRAME_MAX_SIDE`: a frame's longer side, in pixels.
    pub longest_side: u32,
    /// `ENABLE_PROXY`: whether a proxy is made, where it can be kept.
    pub proxy: bool,
    /// `ENABLE_TRANSCRIPTION`.
    pub transcription: bool,
    /// `ENABLE_VISION_ANALYSIS`.
    pub vision: bool,
    /// `ENABLE_EMBEDDINGS`.
    pub embeddings: bool,
    /// Where videos may come from.
    pub sources: Sources,
    /// `VIDEO_TEMP_DIR`: for what must lie on a disk for a while.
    pub temp_dir: PathBuf,
}

/// Where videos may come from, besides public addresses and the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// `ANALYSIS_SOURCE_DIRS`: folders, with colons between, of which files may be read.
    pub folders: Vec<PathBuf>,
    /// `ANALYSIS_SOURCE_BUCKETS`: buckets that may be read, besides one's own.
    pub buckets: Vec<String>,
    /// `MAX_SOURCE_SIZE`: the most bytes of a download.
    pub most_bytes: u64,
}

impl Config {
    /// As the variables say.
    pub fn read(variables: &mut Variables) -> Self {
        const FIFTY: NonZeroU32 = NonZeroU32::new(50).unwrap();
        Self {
            most_frames: variables.number("MAX_FRAMES_PER_VIDEO", FIFTY, 1..=100_000),
            longest_side: variables.number("FRAME_MAX_SIDE", 1280, 16..=16_384),
            proxy: variables.switch("ENABLE_PROXY", true),
            transcription: variables.switch("ENABLE_TRANSCRIPTION", true),
            vision: variables.switch("ENABLE_VISION_ANALYSIS", true),
            embeddings: variables.switch("ENABLE_EMBEDDINGS", true),
            sources: Sources::read(variables),
            temp_dir: variables
                .text_or("VIDEO_TEMP_DIR", "/tmp/video-processing")
                .into(),
        }
    }
}

impl Sources {
    fn read(variables: &mut Variables) -> Self {
        let folders = variables.text("ANALYSIS_SOURCE_DIRS").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&folders)
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect();
        if let Some(relative) = folders.iter().find(|folder| !folder.is_absolute()) {
            let why = format!("'{}': expected folders from / on", relative.display());
            variables.wrong("ANALYSIS_SOURCE_DIRS", &why);
        }
        let buckets = variables
            .text("ANALYSIS_SOURCE_BUCKETS")
            .unwrap_or_default();
        let buckets = buckets.split(',').map(str::trim);
        Self {
            folders,
            buckets: buckets
                .filter(|bucket| !bucket.is_empty())
                .map(str::to_owned)
                .collect(),
            most_bytes: variables.bytes("MAX_SOURCE_SIZE", 20 << 30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_s_defaults() {
        let config = Config::read(&mut Variables::of([]));
        assert_eq!(config.most_frames.get(), 50);
        assert!(config.transcription && config.vision && config.embeddings);
        assert_eq!(config.sources.folders, Vec::<PathBuf>::new());
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        let mut variables = Variables::of([
            ("MAX_FRAMES_PER_VIDEO", "0"),
            ("ENABLE_EMBEDDINGS", "perhaps"),
            ("ANALYSIS_SOURCE_DIRS", "/a:b"),
            ("MAX_SOURCE_SIZE", "big"),
        ]);
        Config::read(&mut variables);
        assert_eq!(variables.finish().unwrap_err().0.len(), 4);
    }
}
