//! What a device has recorded: all pages of a search, in UTC.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::ToSpan;
use uuid::Uuid;

use super::clock::{Clock, Span};
use super::error::{Error, Result};
use super::search::{Item, Page, Query};
use super::{Device, Track};

/// The most recordings that one search gives. A day of ten-second events has 8640.
const MOST: usize = 20_000;
/// No device gives fewer on a page that is not the last: with fewer than that, "no
/// more" is believed.
const BELIEVED: usize = 8;

/// A recording on a device: a file that comes whole, whatever part is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its address, as the device gave it and wants it back. Whatever host stands
    /// in it is not asked.
    pub uri: String,
    /// The track that it was made of.
    pub track: Track,
    /// When its first frame was taken, to the second.
    pub start: Timestamp,
    /// When it ends, as the device says; the file may be shorter.
    pub end: Timestamp,
    /// Its size in bytes, as the device says: a hint, and no more.
    pub size_hint: Option<u64>,
}

impl Recording {
    /// From its first moment to its last.
    pub fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }
}

impl Device {
    /// The recordings of a track that overlap a span of time, in the order of time.
    ///
    /// Where the device counts in its local time, both are turned; see [`TimeMode`].
    ///
    /// [`TimeMode`]: super::TimeMode
    pub async fn recordings(&self, track: Track, span: Span) -> Result<Vec<Recording>> {
        let clock = self.clock(track, span).await?;
        self.recordings_by(&clock, track, span).await
    }

    pub(super) async fn recordings_by(
        &self,
        clock: &Clock,
        track: Track,
        span: Span,
    ) -> Result<Vec<Recording>> {
        if span.end <= span.start {
            return Ok(Vec::new());
        }
        let (start, end) = clock.window(span);
        let query = Query {
            track,
            start,
            end,
            position: 0,
            id: Uuid::now_v7(),
        };
        let mut recordings = Vec::new();
        let items = self.pages(query).await?;
        for item in items.into_iter().filter(|item| item.is_wanted) {
            let Some(found) = clock.read(item.start, item.end, span) else {
                continue; // It ends before it begins.
            };
            if found.overlaps(span) {
                recordings.push(Recording {
                    size_hint: size(&item.uri),
                    uri: item.uri,
                    track,
                    start: found.start,
                    end: found.end,
                });
            }
        }
        recordings.sort_by_key(|recording| (recording.start, recording.end));
        Ok(recordings)
    }

    /// Every recording that the search finds, once.
    ///
    /// Pages are told apart by how many came before; `numOfMatches` may be that of
    /// the page or of all. A device that ignores the position repeats itself: then
    /// the search begins anew where the last recording ended. That nothing or
    /// nothing new comes is the end, and for few recordings the device's word.
    async fn pages(&self, mut query: Query) -> Result<Vec<Item>> {
        let mut seen = HashSet::new();
        let mut found: Vec<Item> = Vec::new();
        let mut expected = true;
        let mut by_time = false;
        loop {
            let Page {
                items,
                more,
                matches,
            } = match self.page(query).await {
                Ok(page) => page,
                // Some refuse a position behind the last one.
                Err(Error::Refused { .. }) if !expected => return Ok(found),
                Err(error) => return Err(error),
            };
            let (came, before) = (items.len(), found.len());
            for item in items {
                let key = (item.uri.clone(), item.start.at, item.end.at);
                if seen.insert(key) {
                    found.push(item);
                }
            }
            if found.len() > MOST {
                return Err(Error::TooMuch {
                    device: self.name.clone(),
                    what: "the list of recordings",
                    most: format!("{MOST} of them"),
                });
            }
            let repeats = found.len() == before;
            expected = more || matches > found.len();
            if came == 0 || (!repeats && !expected && came < BELIEVED) {
                return Ok(found);
            }
            by_time |= repeats;
            if !by_time {
                query.position += came;
            } else if !move_on(&mut query, &found) {
                return Ok(found);
            }
        }
    }
}

/// Begins the search anew behind the last recording. False if that is where it
/// began.
fn move_on(query: &mut Query, found: &[Item]) -> bool {
    let Some(last) = found.iter().map(|item| item.end.at).max() else {
        return false;
    };
    let next = if last > query.start {
        last
    } else {
        match query.start.checked_add(1.second()) {
            Ok(next) if last == query.start => next,
            _ => return false,
        }
    };
    if next >= query.end {
        return false;
    }
    query.start = next;
    query.position = 0;
    query.id = Uuid::now_v7();
    true
}

/// `size=` of an address.
fn size(uri: &str) -> Option<u64> {
    let (_, query) = uri.split_once('?')?;
    let mut values = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = values.find(|(name, _)| name.eq_ignore_ascii_case("size"))?;
    value.parse().ok().filter(|&size| size > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stand_in_addresses() {
        let uri =
            "rtsp://10.1.1.1/Streaming/tracks/101/?starttime=a&endtime=b&name=1&size=32947084";
        assert_eq!(size(uri), Some(32_947_084));
        for uri in [
            "",
            "rtsp://a/",
            "rtsp://a/?size=",
            "rtsp://a/?size=0",
            "rtsp://a/?size=-1",
            "?resize=5",
        ] {
            assert_eq!(size(uri), None, "{uri}");
        }
    }
}
