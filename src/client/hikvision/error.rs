//! Why a recorder did not do what it was asked, and what its operator can do.

use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::connection::Trouble;

/// What calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed: one line that names the device and the remedy. None holds a
/// password, nor what a device sent but for a few words of its own error text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings of the device make no sense; nothing was sent.
    #[error("{device}: {reason}")]
    Settings {
        /// Its host and port.
        device: String,
        /// What is wrong.
        reason: String,
    },
    /// It cannot be reached, or does not go on.
    #[error("{device}: {reason}; check its address, port and network")]
    Away {
        /// Its host and port.
        device: String,
        /// What happened.
        reason: String,
    },
    /// Its certificate is signed by nobody known, as recorders' own are.
    #[error(
        "{device}: its certificate is not trusted ({reason}); install one that is, or allow self-signed ones for this device"
    )]
    Certificate {
        /// Its host and port.
        device: String,
        /// What TLS said.
        reason: String,
    },
    /// It leads elsewhere; nothing is sent there.
    #[error("{device}: it redirects to {to}; set its scheme and port to where it is")]
    Moved {
        /// Its host and port.
        device: String,
        /// Scheme, host and port.
        to: String,
    },
    /// It refuses the user or the password. Nothing more is sent to it until these
    /// change, or until `until`, so that it does not lock this host out.
    #[error(
        "{device}: it refuses user '{user}' or the password{}; correct them in the settings, and see that the user may use ISAPI (nothing more is sent before {until})", tries(.left)
    )]
    Password {
        /// Its host and port.
        device: String,
        /// The user.
        user: String,
        /// How many tries the device said are left before it locks this host out.
        left: Option<u32>,
        /// When it is tried again with the same settings.
        until: Timestamp,
    },
    /// It has locked this host out. Nothing is sent to it until then.
    #[error(
        "{device}: it has locked this host out until {until}, after wrong passwords; correct the password, or restart the device to unlock it"
    )]
    Locked {
        /// Its host and port.
        device: String,
        /// The end of the lock.
        until: Timestamp,
    },
    /// The user may not do this.
    #[error(
        "{device}: user '{user}' may not {what} ({answer}); give it the right to remote playback on this channel"
    )]
    Denied {
        /// Its host and port.
        device: String,
        /// The user.
        user: String,
        /// What was tried.
        what: &'static str,
        /// Its own words.
        answer: String,
    },
    /// It was busy each time that it was asked.
    #[error(
        "{device}: it is busy, after {tries} tries to {what}; stop other downloads and playbacks, or try later"
    )]
    Busy {
        /// Its host and port.
        device: String,
        /// What was tried.
        what: &'static str,
        /// How often.
        tries: u32,
    },
    /// It says that something is wrong with it.
    #[error(
        "{device}: it failed to {what} ({answer}); look at its disks and its log, or restart it"
    )]
    Failed {
        /// Its host and port.
        device: String,
        /// What was tried.
        what: &'static str,
        /// Its own words.
        answer: String,
    },
    /// It does not know how to, in any of the ways that are known.
    #[error(
        "{device}: it refuses to {what} ({answer}); is it a recorder with ISAPI switched on, and the track right?"
    )]
    Refused {
        /// Its host and port.
        device: String,
        /// What was tried.
        what: &'static str,
        /// Its own words.
        answer: String,
    },
    /// What it answers cannot be read.
    #[error(
        "{device}: its answer makes no sense ({reason}); is there an ISAPI device at this address?"
    )]
    Garbled {
        /// Its host and port.
        device: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A download without a byte in it.
    #[error(
        "{device}: it sent nothing for a recording that it lists; try later, or look at its disks"
    )]
    Empty {
        /// Its host and port.
        device: String,
    },
    /// A download that ended before its end.
    #[error("{device}: the download broke off after {received} bytes ({reason}); try again")]
    BrokeOff {
        /// Its host and port.
        device: String,
        /// How much had come.
        received: u64,
        /// What happened.
        reason: String,
    },
    /// More than is taken from a device.
    #[error("{device}: {what} goes beyond {most}; ask for a shorter span")]
    TooMuch {
        /// Its host and port.
        device: String,
        /// What is too much.
        what: &'static str,
        /// The limit, with its unit.
        most: String,
    },
    /// Whether its times are UTC or local cannot be told.
    #[error(
        "{device}: whether its times are UTC or its local time cannot be told ({reason}); set its time mode to local or utc"
    )]
    TimeMode {
        /// Its host and port.
        device: String,
        /// Why.
        reason: String,
    },
    /// The caller gave up.
    #[error("{device}: cancelled")]
    Cancelled {
        /// Its host and port.
        device: String,
    },
}

fn tries<'a>(left: impl Into<Option<&'a u32>>) -> String {
    match left.into() {
        Some(left) => format!(" ({left} tries are left before it locks this host out)"),
        None => String::new(),
    }
}

impl Error {
    /// Whether the same call may succeed later, with nothing changed by the
    /// operator.
    pub fn passes(&self) -> bool {
        match self {
            Self::Away { .. }
            | Self::Locked { .. }
            | Self::Busy { .. }
            | Self::Failed { .. }
            | Self::Garbled { .. }
            | Self::Empty { .. }
            | Self::BrokeOff { .. }
            | Self::TimeMode { .. } => true,
            Self::Settings { .. }
            | Self::Certificate { .. }
            | Self::Moved { .. }
            | Self::Password { .. }
            | Self::Denied { .. }
            | Self::Refused { .. }
            | Self::TooMuch { .. }
            | Self::Cancelled { .. } => false,
        }
    }

    /// How long it is no use to try again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Locked { until, .. } | Self::Password { until, .. } => {
                let left = until.duration_since(Timestamp::now());
                Some(Duration::try_from(left).unwrap_or_default())
            }
            _ => None,
        }
    }

    pub(super) fn away(device: &str, reason: impl Into<String>) -> Self {
        Self::Away {
            device: device.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn garbled(device: &str, reason: impl Into<String>) -> Self {
        Self::Garbled {
            device: device.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn settings(device: &str, reason: impl Into<String>) -> Self {
        Self::Settings {
            device: device.to_owned(),
            reason: reason.into(),
        }
    }

    /// Whether whatever else is asked of the device will come to the same.
    pub(super) fn is_of_all(&self) -> bool {
        matches!(
            self,
            Self::Away { .. }
                | Self::Certificate { .. }
                | Self::Moved { .. }
                | Self::Password { .. }
                | Self::Locked { .. }
        )
    }

    /// What became of a request.
    pub(super) fn of_trouble(device: &str, trouble: &Trouble) -> Self {
        let reason = trouble.words();
        match trouble {
            Trouble::Connect(_) if reason.contains("certificate") => Self::Certificate {
                device: device.to_owned(),
                reason,
            },
            Trouble::Connect(_) => Self::away(device, format!("no connection: {reason}")),
            Trouble::Exchange(_) => Self::away(device, format!("the exchange broke off: {reason}")),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Settings { .. } | Error::TimeMode { .. } => io::ErrorKind::InvalidInput,
            Error::Away { .. } | Error::BrokeOff { .. } | Error::Empty { .. } => {
                io::ErrorKind::ConnectionAborted
            }
            Error::Certificate { .. }
            | Error::Password { .. }
            | Error::Locked { .. }
            | Error::Denied { .. } => io::ErrorKind::PermissionDenied,
            Error::Busy { .. } => io::ErrorKind::ResourceBusy,
            Error::Moved { .. } | Error::Refused { .. } => io::ErrorKind::Unsupported,
            Error::Failed { .. } | Error::Cancelled { .. } => io::ErrorKind::Other,
            Error::Garbled { .. } => io::ErrorKind::InvalidData,
            Error::TooMuch { .. } => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, error)
    }
}
