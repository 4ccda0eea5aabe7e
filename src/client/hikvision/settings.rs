//! What has to be known of one device to talk to it.

use std::fmt;
use std::str::FromStr;

use jiff::tz::{Offset, TimeZone};
use url::Url;

use super::error::{Error, Result};
use crate::config::Secret;

/// One device, as its operator describes it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `http` or `https`.
    pub scheme: Transport,
    /// A name or an address, without anything around it.
    pub host: String,
    /// 80 or 443 where it is not given.
    pub port: Option<u16>,
    /// The user.
    pub user: String,
    /// The password. It goes to this host and port and to no other.
    pub password: Secret,
    /// What the device's times mean.
    pub time: TimeMode,
    /// Whether any certificate will do, as recorders sign their own. What is sent
    /// can then be read by who stands in between.
    pub any_certificate: bool,
}

impl Settings {
    /// A device at `host`, over `http`, which finds out what its times mean.
    pub fn new(host: impl Into<String>, user: impl Into<String>, password: Secret) -> Self {
        Self {
            scheme: Transport::Http,
            host: host.into(),
            port: None,
            user: user.into(),
            password,
            time: TimeMode::Auto,
            any_certificate: false,
        }
    }

    /// Host and port, for messages.
    pub(super) fn name(&self) -> String {
        let host: String = self
            .host
            .chars()
            .filter(|c| !c.is_control())
            .take(253)
            .collect();
        match self.port {
            Some(port) if host.contains(':') && !host.starts_with('[') => {
                format!("[{host}]:{port}")
            }
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// The address below which ISAPI lies.
    pub(super) fn base(&self) -> Result<Url> {
        let name = self.name();
        let wrong = |reason: &str| Error::settings(&name, reason);
        let host = self.host.trim();
        let bracketed = host.contains(':') && !host.starts_with('[');
        let allowed = |c: char| c.is_alphanumeric() || "-_.:[]".contains(c);
        if host.is_empty() || !host.chars().all(allowed) {
            return Err(wrong(
                "its host must be a name or an address and nothing else",
            ));
        }
        if self.user.is_empty() {
            return Err(wrong("it has no user name"));
        }
        let (left, right) = if bracketed { ("[", "]") } else { ("", "") };
        let mut url = Url::parse(&format!("{}://{left}{host}{right}/", self.scheme))
            .map_err(|_| wrong("its host is no name and no address"))?;
        if url.port().is_some() && self.port.is_some() {
            return Err(wrong("its host must not name a port too"));
        }
        if let Some(port) = self.port {
            url.set_port(Some(port))
                .map_err(|()| wrong("its port is none"))?;
        }
        Ok(url)
    }
}

/// How requests travel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Transport {
    /// In the clear.
    #[default]
    Http,
    /// Encrypted.
    Https,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// The text is neither `http` nor `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected http or https")]
pub struct InvalidTransport;

impl FromStr for Transport {
    type Err = InvalidTransport;

    fn from_str(text: &str) -> Result<Self, InvalidTransport> {
        match text.trim().to_ascii_lowercase().as_str() {
            "http" => Ok(Self::Http),
            "https" => Ok(Self::Https),
            _ => Err(InvalidTransport),
        }
    }
}

/// What a device means by a time like `2026-07-24T13:20:29Z`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TimeMode {
    /// Find out.
    #[default]
    Auto,
    /// UTC, as written.
    Utc,
    /// Its wall clock, in the zone that it says it has.
    Local,
    /// A wall clock in this zone, for devices whose own zone is set wrongly.
    Zone(TimeZone),
}

/// The text is no [`TimeMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, utc, local, an offset as +07:00, or a zone as Asia/Jakarta")]
pub struct InvalidTimeMode;

impl FromStr for TimeMode {
    type Err = InvalidTimeMode;

    fn from_str(text: &str) -> Result<Self, InvalidTimeMode> {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "" | "auto" => return Ok(Self::Auto),
            "utc" => return Ok(Self::Utc),
            "local" => return Ok(Self::Local),
            _ => {}
        }
        let zone = match offset(text) {
            Some(offset) => TimeZone::fixed(offset),
            None => TimeZone::get(text).map_err(|_| InvalidTimeMode)?,
        };
        Ok(Self::Zone(zone))
    }
}

/// `+07:00` or `-0330`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|&c| c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    if hours > 15 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str) -> Settings {
        Settings::new(host, "admin", Secret::new("hunter2"))
    }

    #[test]
    fn hosts_are_hosts_and_nothing_else() {
        for (host, port, url) in [
            ("10.1.2.3", None, "http://10.1.2.3/"),
            (" nvr.local ", Some(8000), "http://nvr.local:8000/"),
            ("fd00::1", Some(81), "http://[fd00::1]:81/"),
            ("[fd00::1]", None, "http://[fd00::1]/"),
        ] {
            let settings = Settings { port, ..at(host) };
            assert_eq!(settings.base().unwrap().as_str(), url);
        }
        for host in [
            "", "http://a", "a/b", "user@a", "a?b", "a b", "a#b", "a\r\nb",
        ] {
            let error = at(host).base().unwrap_err().to_string();
            assert!(
                !error.contains("hunter2") && !error.contains('\n'),
                "{error}"
            );
        }
        let nobody = Settings {
            user: String::new(),
            ..at("a")
        };
        assert!(nobody.base().is_err());
        assert!(!format!("{:?}", at("a")).contains("hunter2"));
    }

    #[test]
    fn time_modes_are_words_offsets_and_zones() {
        assert_eq!("".parse(), Ok(TimeMode::Auto));
        assert_eq!(" UTC ".parse(), Ok(TimeMode::Utc));
        assert_eq!("local".parse(), Ok(TimeMode::Local));
        let fixed = |hours| TimeMode::Zone(TimeZone::fixed(jiff::tz::offset(hours)));
        assert_eq!("+07:00".parse(), Ok(fixed(7)));
        assert_eq!("-0500".parse(), Ok(fixed(-5)));
        for text in [
            "+7",
            "+25:00",
            "+01:99",
            "-",
            "+",
            "+ab:cd",
            "Mars/Olympus",
            "é",
        ] {
            assert_eq!(text.parse::<TimeMode>(), Err(InvalidTimeMode), "{text}");
        }
    }
}
