//! Why a store did not do what it was asked, split by whose fault it is.

use std::error::Error as StdError;
use std::io;

use object_store::client::{HttpError, HttpErrorKind};

/// Why a call to a store failed. Each names the object, as `s3://bucket/key`, in
/// one line without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store cannot be reached, is busy or broken; trying later may help.
    #[error("{object}: the store is away: {reason}")]
    Away {
        /// The object or bucket.
        object: String,
        /// What happened.
        reason: String,
    },
    /// The store is there and will not: keys, rights, the bucket, the name.
    /// Somebody has to mend it.
    #[error("{object}: refused: {reason}")]
    Refused {
        /// The object or bucket.
        object: String,
        /// What, and the remedy.
        reason: String,
    },
    /// There is no such object.
    #[error("{object}: there is no such object")]
    Absent {
        /// The object.
        object: String,
    },
    /// The object is not the one any more that was opened.
    #[error("{object}: the object was changed while it was read; read it again")]
    Changed {
        /// The object.
        object: String,
    },
    /// There is no room: a disk, a quota.
    #[error("{object}: no room: {reason}")]
    Full {
        /// The object or folder.
        object: String,
        /// How much is missing of what.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("{object}: cancelled")]
    Cancelled {
        /// The object.
        object: String,
    },
}

/// What calls to a store return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn away(object: &str, reason: impl Into<String>) -> Self {
        Self::Away {
            object: object.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn refused(object: &str, reason: impl Into<String>) -> Self {
        Self::Refused {
            object: object.to_owned(),
            reason: reason.into(),
        }
    }

    pub(super) fn absent(object: &str) -> Self {
        Self::Absent {
            object: object.to_owned(),
        }
    }

    pub(super) fn changed(object: &str) -> Self {
        Self::Changed {
            object: object.to_owned(),
        }
    }

    pub(super) fn full(object: &str, reason: impl Into<String>) -> Self {
        Self::Full {
            object: object.to_owned(),
            reason: reason.into(),
        }
    }

    /// What a disk said about `object`.
    pub(super) fn of_disk(object: &str, error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => Self::absent(object),
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
                Self::full(object, error.to_string())
            }
            Kind::NotADirectory | Kind::IsADirectory => Self::refused(
                object,
                "the folder store cannot keep an object both at a key and below it",
            ),
            Kind::TimedOut | Kind::ResourceBusy | Kind::StaleNetworkFileHandle => {
                Self::away(object, error.to_string())
            }
            _ => Self::refused(object, format!("{error}; see to the folder's rights")),
        }
    }

    /// What `object_store` said about `object`.
    pub(super) fn of_cloud(object: &str, error: &object_store::Error) -> Self {
        use object_store::Error as E;
        let told = Told::by(error);
        if told.text.contains("NoSuchBucket") {
            return Self::refused(
                object,
                "the bucket does not exist; create it or correct its name",
            );
        }
        if told.status == Some(507) || told.text.contains("StorageFull") {
            return Self::full(object, told.reason());
        }
        match error {
            E::NotFound { .. } => Self::absent(object),
            E::Precondition { .. } => Self::changed(object),
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => Self::refused(
                object,
                format!("{}; check the keys and the bucket's policy", told.reason()),
            ),
            _ if told.status == Some(416) => Self::changed(object),
            _ => match told.status {
                Some(408 | 425 | 429) | None => Self::away(object, told.reason()),
                Some(400..=499) => Self::refused(object, told.reason()),
                Some(_) => Self::away(object, told.reason()),
            },
        }
    }
}

/// What an error and those below it tell.
struct Told {
    status: Option<u16>,
    /// The texts of all of them.
    text: String,
    /// That of the deepest.
    deepest: String,
}

impl Told {
    fn by(error: &(dyn StdError + 'static)) -> Self {
        let mut told = Self {
            status: None,
            text: String::new(),
            deepest: String::new(),
        };
        let mut next = Some(error);
        while let Some(error) = next {
            told.deepest = error.to_string();
            if let Some(http) = error.downcast_ref::<HttpError>()
                && matches!(http.kind(), HttpErrorKind::Timeout)
            {
                "it did not answer in time".clone_into(&mut told.deepest);
                return told;
            }
            told.text.push_str(&told.deepest);
            told.text.push('\n');
            next = error.source();
        }
        // The crate keeps the type that has the number to itself.
        told.status = told
            .text
            .split_once("status code: ")
            .and_then(|(_, rest)| rest.get(..3)?.parse().ok());
        told
    }

    /// One line: the service's own code and message, or else what the network said.
    fn reason(&self) -> String {
        let element = |name: &str| {
            let (_, rest) = self.text.split_once(&format!("<{name}>"))?;
            Some(rest.split_once("</")?.0)
        };
        let line = match (self.status, element("Code"), element("Message")) {
            (_, Some(code), Some(message)) => format!("{code}, {message}"),
            (_, Some(code), None) => code.to_owned(),
            (Some(status), ..) => format!("it answered {status}"),
            (None, ..) => self.deepest.clone(),
        };
        let line: Vec<&str> = line.split_whitespace().collect();
        line.join(" ").chars().take(300).collect()
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Away { .. } => io::ErrorKind::NotConnected,
            Error::Refused { .. } => io::ErrorKind::PermissionDenied,
            Error::Absent { .. } => io::ErrorKind::NotFound,
            Error::Changed { .. } => io::ErrorKind::InvalidData,
            Error::Full { .. } => io::ErrorKind::StorageFull,
            Error::Cancelled { .. } => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl Error {
    /// The store's error that an engine's or a stream's error wraps, if it does.
    pub fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(own) = error.downcast_ref::<Self>() {
                return Some(own);
            }
            let wrapped = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            if let Some(own) = wrapped.and_then(|inner| inner.downcast_ref::<Self>()) {
                return Some(own);
            }
            next = error.source();
        }
        None
    }
}
