//! `flatbed doctor`: whether all that `serve` needs is there.

use serde::Serialize;

use super::failure::Failure;
use super::{settings, stdio};
use crate::serve::doctor::{self, Finding};

const EXAMPLES: &str = "\
Examples:
  flatbed doctor
  flatbed doctor --json
  flatbed doctor --cameras

It writes and removes a small object in the store and declares RabbitMQ's queues where
there are none, and changes nothing else.";

/// Check each thing that `serve` needs, and say how to mend what is wrong
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Print one JSON array
    #[arg(long)]
    json: bool,

    /// Ask the cameras' recorders too. Each is sent one login, and no other after one that it
    /// refused; recorders lock a host out after a few wrong ones
    #[arg(long)]
    cameras: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    ok: bool,
    message: &'a str,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (config, _) = settings::read()?;
    let findings = settings::block_on(doctor::examine(&config, arguments.cameras))?;
    let lines: Vec<Line<'_>> = findings.iter().map(Line::of).collect();
    if arguments.json {
        stdio::print_json(&lines)?;
    } else {
        let text: String = lines.iter().map(Line::text).collect();
        stdio::print(&text)?;
    }
    let wrong = lines.iter().filter(|line| !line.ok).count();
    if wrong == 0 {
        return Ok(());
    }
    Err(Failure::away(format!(
        "{wrong} of {} things need mending",
        lines.len()
    )))
}

impl<'a> Line<'a> {
    fn of(finding: &'a Finding) -> Self {
        let (ok, message) = match &finding.answer {
            Ok(message) => (true, message),
            Err(message) => (false, message),
        };
        Self {
            name: finding.name,
            ok,
            message,
        }
    }

    fn text(&self) -> String {
        let mark = if self.ok { "ok   " } else { "WRONG" };
        format!("{mark}  {:8}  {}\n", self.name, self.message)
    }
}
