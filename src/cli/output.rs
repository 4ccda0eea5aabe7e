//! Where the result goes, and what must not be overwritten.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use flatbed_media::{Container, Output};

use super::failure::Failure;
use super::stdio::{MediaStdout, STDOUT};

/// A file or standard output.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// The file to write; - is standard output
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// The container, where OUT's extension does not name it; required for standard output
    #[arg(long, value_name = "FORMAT")]
    #[arg(value_parser = PossibleValuesParser::new(["mp4", "mov", "mkv", "ts"])
        .try_map(|name| name.parse::<Container>()))]
    format: Option<Container>,

    /// Replace OUT if it exists
    #[arg(short, long)]
    force: bool,
}

/// An output whose place is free to be written to.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) output: Output,
    reader_gone: Option<Arc<AtomicBool>>,
}

impl OutputArgs {
    pub(super) fn is_stdout(&self) -> bool {
        self.output.as_os_str() == "-"
    }

    /// The place to write to. It is none of `inputs`, and no file that somebody
    /// may miss.
    pub(super) fn place(&self, inputs: &[PathBuf]) -> Result<Place, Failure> {
        if self.is_stdout() {
            return self.stdout();
        }
        let path = &self.output;
        let name = path.display().to_string();
        self.check_overwriting(&name, inputs)?;
        let Some(container) = self.format.or_else(|| Container::of_path(path)) else {
            return Err(Failure::usage(format!(
                "{name}: the name must end in .mp4, .mov, .mkv, .webm, .avi or .ts, or --format say what it is"
            )));
        };
        Ok(Place {
            name,
            output: Output::path_as(path, container),
            reader_gone: None,
        })
    }

    fn stdout(&self) -> Result<Place, Failure> {
        let Some(container) = self.format else {
            return Err(Failure::usage(
                "standard output has no extension: give --format mp4, mov, mkv, webm, avi or ts",
            ));
        };
        let (stream, reader_gone) = MediaStdout::open()?;
        Ok(Place {
            name: STDOUT.to_owned(),
            output: Output::live(STDOUT, container, stream),
            reader_gone: Some(reader_gone),
        })
    }

    fn check_overwriting(&self, name: &str, inputs: &[PathBuf]) -> Result<(), Failure> {
        let Ok(there) = fs::metadata(&self.output) else {
            return Ok(());
        };
        let refuse = |reason: &str| Err(Failure::usage(format!("{name}: {reason}")));
        if there.is_dir() {
            return refuse("is a directory; name the file in it");
        }
        if there.is_file() && inputs.iter().any(|input| is_same(input, &there)) {
            return refuse("is one of the inputs; write to another file");
        }
        if there.is_file() && !self.force {
            return refuse("exists already; --force replaces it");
        }
        Ok(())
    }
}

impl Place {
    /// What a failure to write here means.
    pub(super) fn explainer(&self) -> impl Fn(flatbed_media::Error) -> Failure + use<> {
        let reader_gone = self.reader_gone.clone();
        move |error| match &reader_gone {
            Some(gone) if gone.load(Ordering::Relaxed) => Failure::ReaderGone,
            _ => error.into(),
        }
    }
}

fn is_same(path: &Path, file: &Metadata) -> bool {
    fs::metadata(path).is_ok_and(|other| (other.dev(), other.ino()) == (file.dev(), file.ino()))
}
