//! `flatbed concat`: recordings become one.

use flatbed_media::cut::{Mode, Selection};

use super::failure::Failure;
use super::join::JoinArgs;

const USAGE: &str = "\
flatbed concat [OPTIONS] <FILE>... -o <OUT>
       flatbed concat [OPTIONS] --files-from <LIST> -o <OUT>";

const EXAMPLES: &str = "\
Examples:
  flatbed concat 10h.mp4 11h.mp4 -o both.mp4
  flatbed concat part*.ts --timeline source --gaps keep -o day.mkv
  find . -name '*.ps' | sort | flatbed concat --files-from - -o day.mp4
  flatbed concat a.mp4 b.mp4 --on-mismatch reencode -o both.mp4";

/// Join recordings into one file, copying picture and sound
///
/// They are joined in the order given. What overlaps the recording before is
/// dropped; the frames beside such a seam are encoded, all others copied.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(super) struct Arguments {
    #[command(flatten)]
    join: JoinArgs,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.join.run(Selection::default(), Mode::Exact)
}
