//! `flatbed config`: what is in force, and why.

use serde::Serialize;

use super::failure::Failure;
use super::{settings, stdio};

const EXAMPLES: &str = "\
Examples:
  flatbed config
  flatbed config --json | jq '.[] | select(.source != \"default\")'";

/// Show the settings that `serve` would run with, and where each comes from
///
/// Secrets are shown as `(set)`. What is wrong is told all at once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    value: String,
    source: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (_, read) = settings::read()?;
    let lines = read.into_iter().map(|setting| Line {
        name: setting.name,
        value: setting.value,
        source: setting.origin.to_string(),
    });
    let lines: Vec<Line> = lines.collect();
    if arguments.json {
        return stdio::print_json(&lines);
    }
    let widest = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let shown = lines.iter().map(|line| {
        let Line {
            name,
            value,
            source,
        } = line;
        format!("{name:widest$}  {value}  ({source})\n")
    });
    let text: String = shown.collect();
    stdio::print(&text)
}
