//! What went wrong, in one line, and the exit code that says whose fault it is.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use flatbed_media::Error;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line asks for something that makes no sense.
    Usage(String),
    /// Everything that is wrong with the settings, a line each.
    Settings(Vec<String>),
    /// What is asked for is not there, or not in a state for it.
    Unfit(String),
    /// A peer or a disk that the worker needs will not do.
    Away(String),
    /// The engine's word.
    Engine(Error),
    /// Some of many failed, and each was told already: a word on all of them,
    /// and what the first one's fault was.
    Some(String, Box<Failure>),
    /// Whoever read the result from standard output has gone. They know.
    ReaderGone,
}

impl Failure {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(super) fn unfit(message: impl Into<String>) -> Self {
        Self::Unfit(message.into())
    }

    pub(super) fn away(message: impl Into<String>) -> Self {
        Self::Away(message.into())
    }

    pub(super) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Engine(Error::io(what, source))
    }

    /// One of `failed` failures among `all` things, of which each was told.
    pub(super) fn of_many(self, failed: u64, all: usize) -> Self {
        Self::Some(format!("{failed} of {all} failed"), Box::new(self))
    }

    fn code(&self) -> u8 {
        match self {
            Self::Some(_, first) => first.code(),
            Self::Usage(_) | Self::Settings(_) => 2,
            Self::Unfit(_) | Self::Engine(Error::Malformed { .. } | Error::Unsupported { .. }) => 3,
            Self::Engine(Error::Limit { .. }) => 4,
            Self::Engine(Error::Cancelled) => 130,
            Self::Engine(_) | Self::Away(_) | Self::ReaderGone => 5,
        }
    }

    fn message(&self) -> Option<String> {
        match self {
            Self::Usage(message)
            | Self::Unfit(message)
            | Self::Away(message)
            | Self::Some(message, _) => Some(message.clone()),
            Self::Engine(Error::Io { what, source }) => {
                Some(format!("{what}: {}", system_message(source)))
            }
            Self::Engine(error) => Some(error.to_string()),
            Self::Settings(_) | Self::ReaderGone => None,
        }
    }

    /// Prints why, and gives the process its exit code.
    pub(super) fn explain(&self) -> ExitCode {
        if let Self::Settings(lines) = self {
            for line in lines {
                eprint_line(line);
            }
        }
        if let Some(message) = self.message() {
            eprint_line(&message);
        }
        ExitCode::from(self.code())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

/// Prints a message behind the program's name on standard error, as one line
/// whatever is in it.
pub(super) fn eprint_line(message: &str) {
    use io::Write as _;
    // Nobody is left to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "flatbed: {}", one_line(message));
}

/// The system's words without Rust's `(os error 2)`.
fn system_message(error: &io::Error) -> String {
    let message = error.to_string();
    match message.find(" (os error ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

/// File names may hold line breaks and worse.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            // Writing to a String does not fail.
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(one_line("a\nb\u{1b}[31m: é"), "a\\nb\\u{1b}[31m: é");
    }

    #[test]
    fn the_system_speaks_plainly() {
        let failure = Failure::io("a.mp4", io::Error::from_raw_os_error(2));
        assert_eq!(
            failure.message().as_deref(),
            Some("a.mp4: No such file or directory")
        );
    }

    #[test]
    fn the_exit_code_tells_whose_fault_it_is() {
        let code = |error| Failure::Engine(error).code();
        assert_eq!(code(Error::malformed("a", "b")), 3);
        assert_eq!(code(Error::unsupported("a", "b")), 3);
        assert_eq!(code(Error::limit("a", "b")), 4);
        assert_eq!(code(Error::io("a", io::ErrorKind::NotFound.into())), 5);
        assert_eq!(code(Error::Cancelled), 130);
        assert_eq!(Failure::usage("a").code(), 2);
        assert_eq!(Failure::unfit("a").code(), 3);
    }
}
