//! What clap has to say: help to standard output, a wrong command line in one
//! line to standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;

use super::failure::eprint_line;
use super::stdio;

/// Prints what clap found instead of a command.
pub(super) fn explain(error: &clap::Error) -> ExitCode {
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let colours = stdio::stdout_takes_colours();
            let text = if colours {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            match stdio::print(&text) {
                Ok(()) => ExitCode::SUCCESS,
                Err(failure) => failure.explain(),
            }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            // Whoever gives no command wants to know which there are.
            let _ = io::stderr().write_all(text.to_string().as_bytes());
            ExitCode::from(2)
        }
        _ => {
            eprint_line(&one_line(&text.to_string()));
            ExitCode::from(2)
        }
    }
}

/// clap's message without its heading and the usage behind it, its lines joined.
fn one_line(text: &str) -> String {
    let message = text.strip_prefix("error: ").unwrap_or(text);
    let lines = message
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty());
    let mut joined = String::new();
    for line in lines {
        if !joined.is_empty() {
            let goes_on = joined.ends_with(':') || line.starts_with('[');
            joined.push_str(if goes_on { " " } else { "; " });
        }
        joined.push_str(line);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_message_of_claps_becomes_one_line() {
        let text = "error: unexpected argument '--stat' found\n\n  tip: a similar argument exists: '--start'\n\n\
                    Usage: flatbed cut <FILE>...\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(text),
            "unexpected argument '--stat' found; tip: a similar argument exists: '--start'"
        );
        let text = "error: the following required arguments were not provided:\n  --output <OUT>\n\n\
                    Usage: flatbed cut\n";
        assert_eq!(
            one_line(text),
            "the following required arguments were not provided: --output <OUT>"
        );
    }
}
