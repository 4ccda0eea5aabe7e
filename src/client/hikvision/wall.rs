//! A device's own clock, and the zone in which it shows the time.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::clock::Written;

/// So far a device's clock may be off and still be taken for right.
const NEARLY: i64 = 5 * 60;

/// What a device says of its own clock, and what is to be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wall {
    /// The zone in which it shows the time.
    pub(super) zone: TimeZone,
    /// Its offset now.
    pub(super) offset: Offset,
    /// By how much it is fast, in seconds; slow where negative.
    pub(super) ahead: i64,
}

impl Wall {
    /// From `localTime` and `timeZone` of `System/time`, read at `now`.
    ///
    /// The offset in `localTime` is not believed, as it stands for winter all the
    /// year; what its clock shows tells which reading of its zone is right: that of
    /// POSIX, where `CST-8` is east of Greenwich, or the opposite. If neither is,
    /// what it shows is taken for its zone, to the quarter of an hour.
    pub(super) fn read(local: &str, zone: Option<&str>, now: Timestamp) -> Option<Self> {
        let written = Written::parse(local)?;
        let shown = Offset::UTC.to_timestamp(written.at).ok()?;
        let measured = shown.duration_since(now).as_secs();
        let posix = |sign| TimeZone::posix(&posix(zone?, sign)?).ok();
        let named = [posix(1), posix(-1), written.offset.map(TimeZone::fixed)];
        let named: Vec<TimeZone> = named.into_iter().flatten().collect();
        let off = |zone: &TimeZone| measured - i64::from(zone.to_offset(now).seconds());
        let near = |zone: &&TimeZone| off(zone).abs() <= NEARLY;
        let zone = match named.iter().find(near) {
            Some(zone) => zone.clone(),
            None => match rounded(measured) {
                Some(offset) => TimeZone::fixed(offset),
                // The clock is wrong by more than zones explain.
                None => named.into_iter().next()?,
            },
        };
        Some(Self {
            offset: zone.to_offset(now),
            ahead: off(&zone),
            zone,
        })
    }
}

/// The quarter of an hour nearest to this many seconds, if one is near and any
/// zone is so far from Greenwich.
fn rounded(seconds: i64) -> Option<Offset> {
    let quarter = 15 * 60;
    let nearest = (seconds + seconds.signum() * quarter / 2) / quarter * quarter;
    let is_one = (seconds - nearest).abs() <= NEARLY && nearest.abs() <= 14 * 3600;
    let nearest = i32::try_from(nearest).ok().filter(|_| is_one)?;
    Offset::from_seconds(nearest).ok()
}

/// The zone in POSIX's own words. Devices write
/// `CST-8:00:00DST01:00:00,M4.1.0/02:00:00,M10.5.0/02:00:00`, where POSIX wants
/// summer's offset and not its difference. `sign` is -1 for those that count the
/// other way.
fn posix(text: &str, sign: i32) -> Option<String> {
    let (standard, rules) = match text.trim().split_once(',') {
        Some((standard, rules)) => (standard, Some(rules)),
        None => (text.trim(), None),
    };
    let (west, rest) = offset_of(named(standard)?)?;
    let west = west * sign;
    let mut posix = format!("STD{}", clock(west));
    if let Some(rules) = rules
        && !rest.is_empty()
    {
        let rest = named(rest)?;
        let west_in_summer = match rest.starts_with(['+', '-']) {
            true => offset_of(rest)?.0 * sign,
            false if rest.is_empty() => west - 3600,
            false => west - offset_of(rest)?.0,
        };
        let summer = clock(west_in_summer);
        posix = format!("{posix}DST{summer},{rules}");
    }
    Some(posix)
}

/// What follows a zone's abbreviation.
fn named(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('<') {
        return rest.split_once('>').map(|(_, rest)| rest);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    (rest.len() < text.len()).then_some(rest)
}

/// Seconds as in `-8:00:00`, and what follows.
fn offset_of(text: &str) -> Option<(i32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-:".contains(c));
    let (offset, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let (sign, digits) = match offset.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, offset.strip_prefix('+').unwrap_or(offset)),
    };
    let mut seconds = 0;
    for (part, worth) in digits.split(':').zip([3600, 60, 1]) {
        let part: i32 = part.parse().ok().filter(|part| (0..=59).contains(part))?;
        seconds += part * worth;
    }
    Some((sign * seconds, rest))
}

fn clock(seconds: i32) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.abs();
    format!(
        "{sign}{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The moment in the middle of two, for a time that was asked for between them.
pub(super) fn between(before: Timestamp, after: Timestamp) -> Timestamp {
    let half = after.duration_since(before) / 2;
    before
        .saturating_add(half.max(SignedDuration::ZERO))
        .unwrap_or(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: &str = "CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_zone_is_what_the_clock_shows() {
        let summer = at("2026-07-24T11:20:29Z");
        // Winter's offset in summer, as devices say.
        let wall = Wall::read("2026-07-24T13:20:40+01:00", Some(BERLIN), summer).unwrap();
        assert_eq!((wall.offset.seconds(), wall.ahead), (7200, 11));
        assert_eq!(
            wall.zone.to_offset(at("2026-12-24T00:00:00Z")).seconds(),
            3600
        );
        let china = Wall::read("2026-07-24T19:20:29+08:00", Some("CST-8:00:00"), summer).unwrap();
        assert_eq!((china.offset.seconds(), china.ahead), (28_800, 0));
        // Counted the other way.
        let turned = Wall::read("2026-07-24T19:20:29", Some("CST+8:00:00"), summer).unwrap();
        assert_eq!(turned.offset.seconds(), 28_800);
        let new_york = "CST+5:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00";
        let west = Wall::read("2026-07-24T07:20:00-05:00", Some(new_york), summer).unwrap();
        assert_eq!((west.offset.seconds(), west.ahead), (-14_400, -29));
        // Its zone says nothing true, or nothing at all.
        for zone in [Some("CST-8:00:00"), Some("garbage"), Some(""), None] {
            let wall = Wall::read("2026-07-24T18:20:31Z", zone, summer).unwrap();
            assert_eq!((wall.offset.seconds(), wall.ahead), (25_200, 2), "{zone:?}");
        }
        // Its clock was never set.
        let reset = Wall::read("1970-01-01T09:00:00+08:00", Some("CST-8:00:00"), summer).unwrap();
        assert!(reset.offset.seconds() == 28_800 && reset.ahead < -1_000_000_000);
        assert!(Wall::read("soon", Some("CST-8:00:00"), summer).is_none());
    }

    #[test]
    fn zones_are_put_into_posixs_words() {
        for (text, expected) in [
            ("CST-8:00:00", Some("STD-08:00:00")),
            ("CST-5:30:00", Some("STD-05:30:00")),
            ("<+07>-7", Some("STD-07:00:00")),
            (
                "CST0:00:00DST01:00:00,M3.5.0/01:00:00,M10.5.0/02:00:00",
                Some("STD00:00:00DST-01:00:00,M3.5.0/01:00:00,M10.5.0/02:00:00"),
            ),
            (
                "EST5EDT,M3.2.0,M11.1.0",
                Some("STD05:00:00DST04:00:00,M3.2.0,M11.1.0"),
            ),
            ("-8", None),
            ("CST", None),
            ("CST-é", None),
            ("CST-99", None),
        ] {
            assert_eq!(posix(text, 1).as_deref(), expected, "{text}");
        }
    }
}
