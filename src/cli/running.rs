//! How a command runs: threads, a bar, and how it tells what it did.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::time::Instant;

use flatbed_media::Context;
use serde::Serialize;

use super::failure::Failure;
use super::progress::Bar;
use super::{signals, stdio};

/// How a command runs.
#[derive(Debug, clap::Args)]
pub(super) struct Running {
    /// The most threads that work at a time [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Print what was done as one JSON object on standard output
    #[arg(long)]
    json: bool,

    /// Print nothing but errors, and the JSON object if it is asked for
    #[arg(short, long)]
    quiet: bool,
}

impl Running {
    /// The bar, and the context of the call that it follows.
    pub(super) fn start(&self) -> Result<(Bar, Context), Failure> {
        Ok(Bar::attach(self.plain()?, self.quiet))
    }

    /// A context without a bar, for calls that count their own steps.
    pub(super) fn plain(&self) -> Result<Context, Failure> {
        let mut context = signals::context()?;
        if let Some(folder) = std::env::var_os("TEMP_DIR").filter(|folder| !folder.is_empty()) {
            context = context.with_temp_dir(folder);
        }
        Ok(match self.threads {
            Some(threads) => context.with_threads(threads),
            None => context,
        })
    }

    /// The most threads, where the command line says.
    pub(super) fn threads(&self) -> Option<NonZeroUsize> {
        self.threads
    }

    /// Whether nothing but errors is to be printed.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether the summary is for programs.
    pub(super) fn wants_json(&self) -> bool {
        self.json
    }

    /// Standard output cannot take the result and the summary.
    pub(super) fn check_stdout(&self) -> Result<(), Failure> {
        if self.json {
            return Err(Failure::usage(
                "--json and --output - both write to standard output: give one",
            ));
        }
        Ok(())
    }

    /// Tells what was done: programs on standard output, people on standard
    /// error.
    pub(super) fn tell(
        &self,
        summary: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return stdio::print_json(summary);
        }
        self.tell_people(text);
        Ok(())
    }

    /// Tells of one thing done of many: a line of JSON each.
    pub(super) fn tell_line(
        &self,
        summary: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return stdio::print_json_line(summary);
        }
        self.tell_people(text);
        Ok(())
    }

    fn tell_people(&self, text: impl FnOnce() -> String) {
        if !self.quiet {
            // The work is done, whether or not anybody reads about it.
            let _ = io::stderr().write_all(text().as_bytes());
        }
    }
}

pub(super) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
