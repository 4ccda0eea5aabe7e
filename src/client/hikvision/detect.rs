//! Whether a device counts in UTC or by its wall clock, found out by searching
//! around now.
//!
//! Both readings of a search for "now" are a device's zone apart. What was recorded
//! between the earlier and the later of the two lies in the future for one of
//! them, so if there is anything, it is the other that is right. If there is
//! nothing, and the device has recorded up to the earlier of the two, it is that
//! one. If it has recorded neither, nothing can be told, and nothing is guessed: a
//! clip of another hour is worse than none.

use hyper::Method;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::clock::{Clock, Span};
use super::error::{Error, Result};
use super::exchange::Ask;
use super::search::Query;
use super::settings::TimeMode;
use super::wall::{Wall, between};
use super::xml::Element;
use super::{Device, Track};

/// Clocks may differ by so much, and recordings be listed so late.
const MARGIN: SignedDuration = SignedDuration::from_mins(10);

impl Device {
    /// What its times mean, for recordings of this track in this span.
    pub(super) async fn clock(&self, track: Track, span: Span) -> Result<Clock> {
        let mode = &self.settings.time;
        match mode {
            TimeMode::Utc => return Ok(Clock::Utc),
            TimeMode::Zone(zone) => return Ok(Clock::Local(zone.clone())),
            TimeMode::Local | TimeMode::Auto => {}
        }
        let known = self.shared.memory().clock(mode);
        if let Some(clock) = known {
            return Ok(clock);
        }
        let wall = self.wall().await?;
        let local = Clock::Local(wall.zone.clone());
        let clock = match mode {
            TimeMode::Local => local,
            _ => match self.detect(track, &wall).await? {
                Some(Told::Local) => local,
                Some(Told::Utc) => Clock::Utc,
                // Both say the same of this span.
                None if is_greenwich(&local, span) => return Ok(Clock::Utc),
                None => return Err(self.undecided(&wall)),
            },
        };
        let lasts = self.config.clock;
        self.shared.memory().keep_clock(mode, &clock, lasts);
        Ok(clock)
    }

    /// The device's own clock.
    pub(super) async fn wall(&self) -> Result<Wall> {
        let before = Timestamp::now();
        let ask = Ask {
            method: Method::GET,
            path: "/ISAPI/System/time",
            body: None,
            what: "tell its time",
        };
        let answer = self.ask_for(&ask).await?;
        let garbled = |reason: &str| Error::garbled(&self.name, reason);
        let root = Element::parse(&answer).map_err(garbled)?;
        let now = between(before, Timestamp::now());
        root.text_of("localTime")
            .and_then(|local| Wall::read(local, root.text_of("timeZone"), now))
            .ok_or_else(|| garbled("it does not tell its time"))
    }

    /// What recent recordings say, if they say anything.
    pub(super) async fn detect(&self, track: Track, wall: &Wall) -> Result<Option<Told>> {
        if wall.offset == Offset::UTC {
            return Ok(None);
        }
        // By its own clock, fast or slow as it may be.
        let ahead = SignedDuration::from_secs(wall.ahead);
        let utc = Timestamp::now().saturating_add(ahead).unwrap_or_default();
        let (utc, local) = (Offset::UTC.to_datetime(utc), wall.offset.to_datetime(utc));
        let (earlier, later, of_earlier, of_later) = if utc < local {
            (utc, local, Told::Utc, Told::Local)
        } else {
            (local, utc, Told::Local, Told::Utc)
        };
        if self
            .has_any(track, shift(earlier, MARGIN), shift(later, MARGIN))
            .await?
        {
            Ok(Some(of_later))
        } else if self
            .has_any(track, shift(earlier, -MARGIN), shift(earlier, MARGIN))
            .await?
        {
            Ok(Some(of_earlier))
        } else {
            Ok(None)
        }
    }

    /// Whether anything is recorded between these of the device's times.
    async fn has_any(&self, track: Track, start: DateTime, end: DateTime) -> Result<bool> {
        let query = Query {
            track,
            start,
            end,
            position: 0,
            id: Uuid::now_v7(),
        };
        let page = self.page(query).await?;
        // Some list what touches the span, and some whatever they have.
        let within = |item: &super::search::Item| {
            item.is_wanted && item.end.at > start && item.start.at < end
        };
        Ok(page.items.iter().any(within))
    }

    fn undecided(&self, wall: &Wall) -> Error {
        Error::TimeMode {
            device: self.name.clone(),
            reason: format!(
                "its zone is {} and it has recorded nothing lately",
                wall.offset
            ),
        }
    }
}

/// What recordings tell of a device's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Utc,
    Local,
}

fn shift(at: DateTime, by: SignedDuration) -> DateTime {
    at.saturating_add(by)
}

/// Whether the wall clock shows UTC at both ends.
fn is_greenwich(clock: &Clock, span: Span) -> bool {
    [span.start, span.end]
        .iter()
        .all(|&at| clock.offset_at(at) == Offset::UTC)
}
