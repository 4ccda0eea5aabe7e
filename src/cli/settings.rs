//! The settings of the worker, for the commands that need them.

use std::future::Future;
use std::path::Path;

use tokio::runtime::Builder;

use super::failure::Failure;
use crate::config::{Invalid, Setting, Variables};
use crate::serve::config::Config;

/// What the environment and `.env` say.
pub(super) fn read() -> Result<(Config, Vec<Setting>), Failure> {
    let variables = Variables::of_process(Path::new(".env"));
    variables
        .and_then(Config::read)
        .map_err(|Invalid(lines)| Failure::Settings(lines))
}

/// Runs a future on a runtime of its own.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::io("threads", error))?;
    Ok(runtime.block_on(work))
}
