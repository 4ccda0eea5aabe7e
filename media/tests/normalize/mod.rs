//! The proxy, the sound, its silences, the scenes and their frames, all from one
//! pass.

mod ends;
mod frames;
mod proxy;
mod sound;

use std::path::{Path, PathBuf};

use flatbed_media::normalize::{self, Options, Outputs, Report, SoundOutput};
use flatbed_media::{Context, Input, Output};
use tempfile::TempDir;

/// A recording, normalised.
struct Normalized {
    report: Report,
    proxy: PathBuf,
    sound: PathBuf,
    _folder: TempDir,
}

fn make(path: &Path) -> Normalized {
    make_with(Input::path(path), &Options::default())
}

fn make_with(input: Input, options: &Options) -> Normalized {
    let folder = tempfile::tempdir().expect("a folder");
    let (proxy, sound) = (
        folder.path().join("proxy.mp4"),
        folder.path().join("sound.wav"),
    );
    let report = normalize::normalize(input, outputs(folder.path()), options, &Context::new())
        .expect("normalised");
    Normalized {
        report,
        proxy,
        sound,
        _folder: folder,
    }
}

fn outputs(folder: &Path) -> Outputs {
    Outputs {
        proxy: Some(Output::path(folder.join("proxy.mp4")).expect("an output")),
        sound: Some(SoundOutput::path(folder.join("sound.wav"))),
        frames: None,
    }
}
