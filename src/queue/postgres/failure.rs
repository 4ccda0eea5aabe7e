//! What went wrong, as the contract has it: away, or refused with a remedy.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use super::address::Address;
use super::schema::Newer;
use crate::queue::Error;

/// Why a call to the server failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It did not answer in time.
    #[error("no answer in time")]
    Silent,
    /// The tables are of a newer program.
    #[error(transparent)]
    Newer(#[from] Newer),
    /// The server or the connection to it.
    #[error("{}", one_line(.0))]
    Postgres(#[from] tokio_postgres::Error),
}

impl Trouble {
    /// Whether another connection may do better: this one is gone, or belongs to a
    /// server that ends or must not write, or knows the tables as they were.
    pub(crate) fn is_broken(&self) -> bool {
        let Self::Postgres(error) = self else {
            return true;
        };
        error.code().is_none_or(|code| {
            let code = code.code();
            code.starts_with("08")
                || code.starts_with("57P")
                || ["25006", "0A000", "26000", "42P01", "53300"].contains(&code)
        })
    }

    /// Whether it may pass by itself.
    fn is_away(&self) -> bool {
        let Self::Postgres(error) = self else {
            return matches!(self, Self::Silent);
        };
        let Some(code) = error.code() else {
            return is_of_the_network(error);
        };
        let code = code.code();
        let class = code.get(..2).unwrap_or_default();
        // 42P01: the tables were there when it connected; the next one makes them.
        ["08", "40", "53", "55", "57", "58", "XX"].contains(&class) && code != "53100"
            || ["25006", "0A000", "26000", "42P01"].contains(&code)
    }

    pub(crate) fn error(self, address: &Address) -> Error {
        let queue = address.name().to_owned();
        let reason = format!("{self}{}", self.remedy());
        let is_away = self.is_away();
        let source = Some(self.into());
        if is_away {
            Error::Away {
                queue,
                reason,
                source,
            }
        } else {
            Error::Refused {
                queue,
                reason,
                source,
            }
        }
    }

    fn remedy(&self) -> &'static str {
        let Self::Postgres(error) = self else {
            return "";
        };
        let Some(code) = error.code() else {
            return if is_of_tls(error) {
                "; see sslmode and sslrootcert in DATABASE_URL"
            } else {
                ""
            };
        };
        match *code {
            SqlState::INSUFFICIENT_PRIVILEGE => {
                "; run `flatbed migrate` as a role that may create tables, and grant this one \
                 SELECT, INSERT, UPDATE and DELETE on those that begin with flatbed_; on the \
                 tables of clips and of analyses what docs/CCTV.md and docs/ANALYSIS.md say"
            }
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                "; see user and password in DATABASE_URL, and the server's pg_hba.conf"
            }
            SqlState::INVALID_CATALOG_NAME => "; create it, or name another in DATABASE_URL",
            SqlState::TOO_MANY_CONNECTIONS => "; raise its max_connections (three a host)",
            SqlState::DISK_FULL => "; make room on the server's disk",
            _ => "",
        }
    }
}

/// No word of the server's: the way to it, unless it was TLS or the log-in.
fn is_of_the_network(error: &tokio_postgres::Error) -> bool {
    if is_of_tls(error) {
        return false;
    }
    error.is_closed()
        || sources(error).any(<dyn std::error::Error>::is::<std::io::Error>)
        || error.to_string().starts_with("timeout")
}

/// The library does not tell otherwise.
fn is_of_tls(error: &tokio_postgres::Error) -> bool {
    error.to_string().contains("TLS handshake")
        && !sources(error).any(|cause| {
            cause
                .downcast_ref::<std::io::Error>()
                .is_some_and(|error| error.kind() != std::io::ErrorKind::InvalidData)
        })
}

fn sources(
    error: &tokio_postgres::Error,
) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn one_line(error: &tokio_postgres::Error) -> String {
    let text = if let Some(said) = error.as_db_error() {
        format!("{} ({})", said.message(), said.code().code())
    } else {
        let mut text = error.to_string();
        for cause in sources(error).map(ToString::to_string) {
            // Some say their causes' words themselves.
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        text
    };
    text.lines().collect::<Vec<_>>().join(" ")
}
