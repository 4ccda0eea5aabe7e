//! How patient to be with devices, for all of them.

use std::time::Duration;

use crate::config::Variables;

/// What holds for every device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From a request to the answer's head, and between two pieces of its body.
    pub idle: Duration,
    /// For a whole answer that is no download.
    pub exchange: Duration,
    /// How long a busy device is asked again before the caller is told.
    pub busy: Duration,
    /// The first wait for a busy device; the next ones double, to 15 s.
    pub busy_first: Duration,
    /// How long refused settings are not tried again, where the device names no
    /// time: as long as Hikvision's lock lasts.
    pub refused: Duration,
    /// Downloads from one device at a time.
    pub downloads: usize,
    /// The most bytes of one download.
    pub most_bytes: u64,
    /// How long what was found out of a device's clock is believed.
    pub clock: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            exchange: Duration::from_secs(60),
            busy: Duration::from_secs(60),
            busy_first: Duration::from_secs(1),
            refused: Duration::from_secs(30 * 60),
            downloads: 1,
            most_bytes: 64 << 30,
            clock: Duration::from_secs(3600),
        }
    }
}

impl Config {
    /// As `HIKVISION_TIMEOUT_SECONDS`, `HIKVISION_BUSY_SECONDS` and
    /// `HIKVISION_DOWNLOADS` (at a time from one device) say.
    pub fn parse(variables: &mut Variables) -> Self {
        let default = Self::default();
        let downloads = u64::try_from(default.downloads).unwrap_or(1);
        Self {
            idle: variables.seconds("HIKVISION_TIMEOUT_SECONDS", default.idle, 1..=3600),
            busy: variables.seconds("HIKVISION_BUSY_SECONDS", default.busy, 0..=3600),
            downloads: usize::try_from(variables.number("HIKVISION_DOWNLOADS", downloads, 1..=16))
                .unwrap_or(1),
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read() {
        assert_eq!(Config::parse(&mut Variables::of([])), Config::default());
        let mut variables = Variables::of([
            ("HIKVISION_TIMEOUT_SECONDS", "5"),
            ("HIKVISION_BUSY_SECONDS", "0"),
            ("HIKVISION_DOWNLOADS", "2"),
        ]);
        let config = Config::parse(&mut variables);
        assert_eq!((config.idle.as_secs(), config.busy.as_secs()), (5, 0));
        assert_eq!(config.downloads, 2);
        let mut variables = Variables::of([("HIKVISION_DOWNLOADS", "0")]);
        Config::parse(&mut variables);
        assert!(variables.finish().is_err());
    }
}
