//! `flatbed serve`: the worker.

use super::failure::Failure;
use super::settings;
use crate::serve;
use crate::telemetry;

const EXAMPLES: &str = "\
Examples:
  flatbed serve
  REDIS_URL=redis://localhost:6379 S3_BUCKET=videos flatbed serve

With no environment at all it keeps its queue and its files in ./flatbed-data and
answers on http://127.0.0.1:8001. `flatbed config` shows what is in force and
`flatbed doctor` whether it will do.";

/// Take jobs from a queue and from HTTP until told to stop
///
/// Reads its settings from the environment and from a file `.env`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Result<(), Failure> {
    let (config, _) = settings::read()?;
    telemetry::log::start(&config.log);
    settings::block_on(async {
        Box::pin(serve::serve(config))
            .await
            .map_err(|error| Failure::away(format!("{error:#}")))
    })?
}
