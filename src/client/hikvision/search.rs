//! One page of a search: how it is asked in each dialect, and what comes back.

use hyper::Method;
use jiff::civil::DateTime;
use uuid::Uuid;

use super::Device;
use super::Track;
use super::clock::{Written, write};
use super::error::{Error, Result};
use super::exchange::Ask;
use super::verdict::Verdict;
use super::xml::Element;

const PATH: &str = "/ISAPI/ContentMgmt/search";
const WHAT: &str = "search for recordings";
/// Recordings in one answer: the most that all devices give.
pub(super) const PAGE: usize = 40;

/// How a search is written: what one firmware demands another refuses.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    declaration: bool,
    /// Of the root element.
    attributes: &'static str,
    braces: bool,
    /// The element around the track.
    list: &'static str,
}

const ISAPI: &str = " version=\"1.0\" xmlns=\"http://www.isapi.org/ver20/XMLSchema\"";
const HIKVISION: &str = " version=\"1.0\" xmlns=\"http://www.hikvision.com/ver20/XMLSchema\"";

/// Tried in this order, but for the one that was taken before. The first is the
/// least that a DS-9632NI takes.
const DIALECTS: [Dialect; 7] = [
    dialect(false, "", false, "trackIDList"),
    dialect(true, HIKVISION, false, "trackIDList"),
    dialect(true, ISAPI, true, "trackIDList"),
    dialect(true, "", true, "trackIDList"),
    dialect(true, HIKVISION, true, "trackList"),
    dialect(true, ISAPI, false, "trackList"),
    dialect(false, "", false, "trackList"),
];

const fn dialect(
    declaration: bool,
    attributes: &'static str,
    braces: bool,
    list: &'static str,
) -> Dialect {
    Dialect {
        declaration,
        attributes,
        braces,
        list,
    }
}

/// What is searched, in the device's own times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    pub(super) track: Track,
    pub(super) start: DateTime,
    pub(super) end: DateTime,
    pub(super) position: usize,
    /// The same for all pages of a search.
    pub(super) id: Uuid,
}

impl Query {
    fn body(&self, dialect: Dialect) -> String {
        let declaration = if dialect.declaration {
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
        } else {
            ""
        };
        let (open, close) = if dialect.braces { ("{", "}") } else { ("", "") };
        let id = self.id.hyphenated().to_string().to_uppercase();
        let Dialect {
            attributes, list, ..
        } = dialect;
        format!(
            "{declaration}<CMSearchDescription{attributes}>\
             <searchID>{open}{id}{close}</searchID>\
             <{list}><trackID>{}</trackID></{list}>\
             <timeSpanList><timeSpan><startTime>{}</startTime><endTime>{}</endTime></timeSpan>\
             </timeSpanList><maxResults>{PAGE}</maxResults>\
             <searchResultPostion>{}</searchResultPostion></CMSearchDescription>",
            self.track.0,
            write(self.start),
            write(self.end),
            self.position,
        )
    }
}

/// A recording as a device lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) start: Written,
    pub(super) end: Written,
    pub(super) uri: String,
    /// Whether it is of the track that was asked for and has an address. Some devices
    /// list others too, which count for the next page's position.
    pub(super) is_wanted: bool,
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// The device says that there are more.
    pub(super) more: bool,
    /// How many it says there are: in all, or on this page.
    pub(super) matches: usize,
}

impl Device {
    /// One page, in whichever dialect the device takes.
    pub(super) async fn page(&self, query: Query) -> Result<Page> {
        let known = self.shared.memory().dialect;
        let order = known
            .into_iter()
            .chain((0..DIALECTS.len()).filter(|&n| Some(n) != known));
        let mut last = None;
        for number in order {
            let Some(&dialect) = DIALECTS.get(number) else {
                continue;
            };
            let body = query.body(dialect);
            let ask = Ask {
                method: Method::POST,
                path: PATH,
                body: Some(&body),
                what: WHAT,
            };
            match self.ask(&ask).await? {
                Ok(answer) => {
                    let page = self.read(&answer, query.track)?;
                    self.shared.memory().dialect = Some(number);
                    return Ok(page);
                }
                Err(refused @ Verdict::Dialect(_)) => last = Some(refused),
                Err(other) => return Err(self.error(other, WHAT)),
            }
        }
        let refused = last.unwrap_or(Verdict::Dialect(String::new()));
        Err(self.error(refused, WHAT))
    }

    fn read(&self, answer: &[u8], track: Track) -> Result<Page> {
        let garbled = |reason: &str| Error::garbled(&self.name, reason);
        let root = Element::parse(answer).map_err(garbled)?;
        if root.name != "CMSearchResult" {
            return Err(garbled("it answers a search with something else"));
        }
        let status = root.text_of("responseStatusStrg").unwrap_or_default();
        let page = Page {
            items: items(&root, track).ok_or_else(|| garbled("a recording without a time"))?,
            more: status.eq_ignore_ascii_case("MORE"),
            matches: number(&root, "numOfMatches"),
        };
        let failed = root
            .text_of("responseStatus")
            .is_some_and(|status| status == "false");
        if failed && page.items.is_empty() && !status.eq_ignore_ascii_case("NO MATCHES") {
            let answer: String = status
                .chars()
                .filter(char::is_ascii_graphic)
                .take(60)
                .collect();
            return Err(self.error(Verdict::Failed(answer), WHAT));
        }
        Ok(page)
    }
}

/// All that is listed. What has no address cannot be fetched.
fn items(root: &Element, track: Track) -> Option<Vec<Item>> {
    let Some(list) = root.child("matchList") else {
        return Some(Vec::new());
    };
    let mut items = Vec::new();
    for item in list.all("searchMatchItem") {
        let of: Option<u32> = item
            .text_at(&["trackID"])
            .and_then(|text| text.parse().ok());
        let uri = item.text_of("playbackURI").unwrap_or_default();
        items.push(Item {
            start: Written::parse(item.text_at(&["timeSpan", "startTime"])?)?,
            end: Written::parse(item.text_at(&["timeSpan", "endTime"])?)?,
            uri: uri.to_owned(),
            is_wanted: !uri.is_empty() && of.is_none_or(|of| of == track.0),
        });
    }
    Some(items)
}

fn number(root: &Element, name: &str) -> usize {
    let text = root.text_of(name).unwrap_or_default();
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_xml_and_each_is_another() {
        let at = |text: &str| Written::parse(text).unwrap().at;
        let query = Query {
            track: Track(101),
            start: at("2026-07-24T00:00:00Z"),
            end: at("2026-07-24T23:59:59Z"),
            position: 40,
            id: Uuid::nil(),
        };
        let mut bodies: Vec<String> = DIALECTS.map(|dialect| query.body(dialect)).to_vec();
        for body in &bodies {
            let root = Element::parse(body.as_bytes()).unwrap();
            assert_eq!(root.text_of("trackID"), Some("101"));
            assert_eq!(root.text_of("startTime"), Some("2026-07-24T00:00:00Z"));
            assert_eq!(root.text_of("searchResultPostion"), Some("40"));
            let id = root.text_of("searchID").unwrap();
            let id = id.trim_matches(['{', '}']);
            assert_eq!(id, "00000000-0000-0000-0000-000000000000");
        }
        bodies.dedup();
        assert_eq!(bodies.len(), DIALECTS.len());
    }
}
