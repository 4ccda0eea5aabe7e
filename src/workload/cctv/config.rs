//! The settings of clips, read from variables and checked all at once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::passwords::Keys;
use crate::client::hikvision::Track;
use crate::config::Variables;
use crate::store::Key;

/// How clips are made.
#[derive(Debug, Clone)]
pub struct Config {
    /// What passwords of cameras are decrypted with.
    pub keys: Keys,
    /// `EXACT_CUT`: exactly the frames asked for, with some of them encoded; else
    /// nothing is encoded, and the clip may begin earlier.
    pub exact: bool,
    /// `TRACK_ID`: where the camera's row names none.
    pub track: Track,
    /// `CLIP_PREFIX`: all clips are below it.
    pub prefix: Key,
    /// `CLIP_SPOOL`.
    pub spool: Spool,
    /// `CLIP_MAX_SECONDS`: longer orders are refused.
    pub longest: Duration,
    /// `CLIP_SETTLE_SECONDS`: how long after its end missing footage may still come.
    pub settle: Duration,
    /// `CAMERA_ANY_CERTIFICATE`: whether recorders may sign their own.
    pub any_certificate: bool,
}

/// The ways of a recording into the engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Spool {
    /// As it comes. Nothing lies on a disk, and what comes behind the clip's end is
    /// not fetched. A recording that breaks off is fetched again by way of the disk.
    #[default]
    Stream,
    /// As whole files in `TEMP_VIDEO_DIR`.
    Disk,
}

impl FromStr for Spool {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "stream" => Ok(Self::Stream),
            "disk" => Ok(Self::Disk),
            _ => Err("expected stream or disk"),
        }
    }
}

impl fmt::Display for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream => "stream",
            Self::Disk => "disk",
        })
    }
}

impl Config {
    /// With these keys, and everything else by default.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            exact: false,
            track: Track(101),
            prefix: default_prefix(),
            spool: Spool::default(),
            longest: Duration::from_secs(2 * 3600),
            settle: Duration::from_secs(10 * 60),
            any_certificate: false,
        }
    }

    /// As the variables say; `None` without `CAMERA_ENCRYPTION_KEY`.
    pub fn read(variables: &mut Variables) -> Option<Self> {
        let keys = variables.secret("CAMERA_ENCRYPTION_KEY")?;
        let keys = Keys::parse(keys.expose()).unwrap_or_else(|error| {
            variables.wrong("CAMERA_ENCRYPTION_KEY", &error.to_string());
            Keys::none()
        });
        let default = Self::new(keys);
        let prefix = variables.text_or("CLIP_PREFIX", default.prefix.as_str());
        let prefix = prefix.trim_matches('/').parse().unwrap_or_else(|error| {
            variables.wrong("CLIP_PREFIX", &format!("{error}"));
            default_prefix()
        });
        let week = 7 * 24 * 3600;
        Some(Self {
            exact: variables.switch("EXACT_CUT", default.exact),
            track: Track(variables.number("TRACK_ID", default.track.0, 1..=99_999)),
            prefix,
            spool: variables.parse("CLIP_SPOOL", default.spool),
            longest: variables.seconds("CLIP_MAX_SECONDS", default.longest, 1..=week),
            settle: variables.seconds("CLIP_SETTLE_SECONDS", default.settle, 0..=week),
            any_certificate: variables.switch("CAMERA_ANY_CERTIFICATE", default.any_certificate),
            keys: default.keys,
        })
    }
}

#[allow(clippy::expect_used, reason = "it is a key, as a test says")]
fn default_prefix() -> Key {
    "clips".parse().expect("a key")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Invalid;

    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

    #[test]
    fn the_requirement_s_variables_are_read() {
        assert!(Config::read(&mut Variables::of([])).is_none());
        let mut variables = Variables::of([
            ("CAMERA_ENCRYPTION_KEY", KEY),
            ("EXACT_CUT", "True"),
            ("TRACK_ID", "201"),
            ("CLIP_PREFIX", "/a/b/"),
            ("CLIP_SPOOL", "disk"),
        ]);
        let config = Config::read(&mut variables).unwrap();
        assert!(config.exact);
        assert_eq!(config.track, Track(201));
        assert_eq!(config.prefix.as_str(), "a/b");
        assert_eq!(config.spool, Spool::Disk);
        assert!(!format!("{config:?}").contains("cw_0"));
        assert_eq!(default_prefix().as_str(), "clips");
        variables.finish().unwrap();
    }

    #[test]
    fn all_that_is_wrong_is_told_and_no_key() {
        let mut variables = Variables::of([
            ("CAMERA_ENCRYPTION_KEY", "hunter2"),
            ("EXACT_CUT", "perhaps"),
            ("CLIP_PREFIX", ".."),
            ("CLIP_SPOOL", "tape"),
        ]);
        Config::read(&mut variables);
        let Invalid(faults) = variables.finish().unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert!(!faults.join(" ").contains("hunter2"), "{faults:?}");
    }
}
