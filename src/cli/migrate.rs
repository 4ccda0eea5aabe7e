//! `flatbed migrate`: makes or updates the tables.

use super::failure::Failure;
use super::{settings, stdio};
use crate::serve::queues;

const EXAMPLES: &str = "\
Examples:
  flatbed migrate
  DATABASE_URL=postgres://owner:password@db:5432/videos flatbed migrate

`serve` does the same when it starts. Where its role may not create tables, run
this as one that may. Hosts that do it at the same time take turns.";

/// Make or update the tables in `DATABASE_URL`, and say what was done
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Result<(), Failure> {
    let (config, _) = settings::read()?;
    let lines = settings::block_on(queues::migrate(&config))?;
    let lines = lines.map_err(|error| Failure::away(format!("{error:#}")))?;
    stdio::print(&(lines.join("\n") + "\n"))
}
