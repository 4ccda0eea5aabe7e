//! Where the result goes, and what must not be overwritten.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueHint;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use flatbed_media::{Container, Output};

use super::failure::Failure;
use super::overwriting::Overwriting;
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
    #[arg(value_parser = PossibleValuesParser::new(["mp4", "mov", "mkv", "webm", "avi", "ts"])
        .try_map(|name| name.parse::<Container>()))]
    format: Option<Container>,

    #[command(flatten)]
    overwriting: Overwriting,
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

    /// The container, where the arguments name it.
    pub(super) fn container(&self) -> Result<Option<Container>, Failure> {
        let named = self.format.or_else(|| Container::of_path(&self.output));
        if named.is_none() && !self.is_stdout() {
            return Err(self.unnamed());
        }
        Ok(named)
    }

    fn unnamed(&self) -> Failure {
        Failure::usage(format!(
            "{}: the name must end in .mp4, .mov, .mkv, .webm, .avi or .ts, or --format say what it is",
            self.output.display()
        ))
    }

    /// The place to write to. It is none of `inputs`, and no file that somebody
    /// may miss.
    pub(super) fn place(&self, inputs: &[PathBuf]) -> Result<Place, Failure> {
        if self.is_stdout() {
            return self.stdout();
        }
        let path = &self.output;
        let name = path.display().to_string();
        self.overwriting.check(path, inputs)?;
        let Some(container) = self.format.or_else(|| Container::of_path(path)) else {
            return Err(self.unnamed());
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
