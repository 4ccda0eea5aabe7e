//! The log, on standard error, for those who ask for it.

use std::env;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::failure::Failure;

const VARIABLES: [&str; 2] = ["FLATBED_LOG", "RUST_LOG"];

/// Begins to log if the environment says so.
pub(super) fn start() -> Result<(), Failure> {
    let asked = VARIABLES.into_iter().find_map(|variable| {
        let directives = env::var(variable).ok()?;
        (!directives.is_empty()).then_some((variable, directives))
    });
    let Some((variable, directives)) = asked else {
        return Ok(());
    };
    let targets: Targets = directives
        .parse()
        .map_err(|error| Failure::usage(format!("{variable}: {error}")))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .init();
    Ok(())
}
