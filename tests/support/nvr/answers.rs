//! The documents that a simulated recorder answers with.

use super::State;
use super::footage::parse;
use super::profile::{Grammar, Profile};

/// An answer that fits in memory.
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    fn ok(body: String) -> Self {
        Self { status: 200, body }
    }

    /// A `ResponseStatus`.
    pub fn status(profile: &Profile, status: u16, code: u32, string: &str, sub: &str) -> Self {
        let body = format!(
            "<ResponseStatus><requestURL></requestURL><statusCode>{code}</statusCode>\
             <statusString>{string}</statusString><subStatusCode>{sub}</subStatusCode>\
             </ResponseStatus>"
        );
        Self {
            status,
            body: dressed(profile, &body),
        }
    }

    pub fn bad_xml(profile: &Profile) -> Self {
        Self::status(profile, 400, 6, "Invalid XML Content", "badXmlContent")
    }
}

/// The document in the profile's namespace, its elements prefixed.
fn dressed(profile: &Profile, body: &str) -> String {
    let Profile {
        prefix, namespace, ..
    } = profile;
    let colon = if prefix.is_empty() { "" } else { ":" };
    let attributes = format!(" version=\"2.0\" xmlns{colon}{prefix}=\"{namespace}\">");
    // Each tag, without its '<': a name, or '/' and a name. The first is the root.
    let mut tags = Vec::new();
    for (index, tag) in body.split('<').skip(1).enumerate() {
        let tag = match tag.strip_prefix('/') {
            Some(name) => format!("/{prefix}{colon}{name}"),
            None => format!("{prefix}{colon}{tag}"),
        };
        tags.push(match index {
            0 => tag.replacen('>', &attributes, 1),
            _ => tag,
        });
    }
    let tags = tags.join("<");
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<{tags}")
}

/// What stands between two tags, if the text has them.
pub fn between<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>"))
        .map(|(value, _)| value.trim())
}

impl State {
    /// Whatever is asked for by GET and is no download.
    pub fn document(&self, path: &str) -> Option<Answer> {
        let profile = &self.profile;
        let body = match path {
            "/ISAPI/System/status" => {
                "<DeviceStatus><deviceUpTime>4711</deviceUpTime></DeviceStatus>".to_owned()
            }
            "/ISAPI/System/deviceInfo" => "<DeviceInfo><deviceName>NVR</deviceName>\
                <model>DS-7616NXI-K2</model><serialNumber>SIMULATED</serialNumber>\
                <firmwareVersion>V4.84.100</firmwareVersion><deviceType>NVR</deviceType></DeviceInfo>"
                .to_owned(),
            "/ISAPI/System/time" => format!(
                "<Time><timeMode>NTP</timeMode><localTime>{}</localTime><timeZone>{}</timeZone></Time>",
                profile.local_time(),
                profile.posix
            ),
            "/ISAPI/Streaming/channels" => {
                let channel = |id: u32| {
                    format!(
                        "<StreamingChannel><id>{id}</id><channelName>Camera {:02}</channelName>\
                         <enabled>true</enabled></StreamingChannel>",
                        id / 100
                    )
                };
                let channels: String = [101, 102, 201, 202].map(channel).concat();
                format!("<StreamingChannelList>{channels}</StreamingChannelList>")
            }
            "/ISAPI/ContentMgmt/download/capabilities" => format!(
                "<DownloadAbility><isSupportDownloadbyFileName>true</isSupportDownloadbyFileName>\
                 <isSupportDownloadbyTime>{}</isSupportDownloadbyTime></DownloadAbility>",
                profile.windows
            ),
            "/ISAPI/ContentMgmt/InputProxy/channels" if profile.is_recorder => {
                let channel = |(id, name): (u32, &str)| {
                    format!("<InputProxyChannel><id>{id}</id><name>{name}</name></InputProxyChannel>")
                };
                let channels = [(1, "Packing table &amp; door"), (2, "Ramp")].map(channel).concat();
                format!("<InputProxyChannelList>{channels}</InputProxyChannelList>")
            }
            _ => return None,
        };
        Some(Answer::ok(dressed(profile, &body)))
    }

    /// A search.
    pub fn search(&self, body: &str) -> Answer {
        let profile = &self.profile;
        if !takes(profile.grammar, body) {
            return Answer::bad_xml(profile);
        }
        let field = |name| between(body, name);
        let (Some(track), Some(start), Some(end), Some(most)) = (
            field("trackID").and_then(|text| text.parse::<u32>().ok()),
            field("startTime").and_then(parse),
            field("endTime").and_then(parse),
            field("maxResults").and_then(|text| text.parse::<usize>().ok()),
        ) else {
            return Answer::bad_xml(profile);
        };
        let id = field("searchID").unwrap_or_default();
        let asked = field("searchResultPostion").and_then(|text| text.parse().ok());
        let position = asked
            .filter(|_| !profile.ignores_position)
            .unwrap_or(0_usize);
        let matching: Vec<usize> = (0..self.footage.len())
            .filter(|&number| {
                let footage = &self.footage[number];
                (footage.track == track || profile.ignores_track)
                    && profile.shows(footage.end) >= start
                    && profile.shows(footage.start) <= end
            })
            .collect();
        let page: Vec<usize> = matching
            .iter()
            .copied()
            .skip(position)
            .take(most.min(profile.page))
            .collect();
        let more = position + page.len() < matching.len();
        let count = if profile.counts_page {
            page.len()
        } else {
            matching.len()
        };
        let status = match (page.is_empty(), more) {
            (true, _) => "NO MATCHES",
            (false, true) => "MORE",
            (false, false) => "OK",
        };
        let items: String = page.iter().map(|&number| self.item(number)).collect();
        let list = if page.is_empty() {
            String::new()
        } else {
            format!("<matchList>{items}</matchList>")
        };
        let count = if page.is_empty() { 0 } else { count };
        Answer::ok(dressed(
            profile,
            &format!(
                "<CMSearchResult><searchID>{id}</searchID><responseStatus>true</responseStatus>\
                 <responseStatusStrg>{status}</responseStatusStrg>\
                 <numOfMatches>{count}</numOfMatches>{list}</CMSearchResult>"
            ),
        ))
    }

    fn item(&self, number: usize) -> String {
        let (profile, footage) = (&self.profile, &self.footage[number]);
        let time = |at| profile.shows(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        format!(
            "<searchMatchItem><sourceID>{{0000}}</sourceID><trackID>{}</trackID><timeSpan>\
             <startTime>{}</startTime><endTime>{}</endTime></timeSpan><mediaSegmentDescriptor>\
             <contentType>video</contentType><codecType>H.264-BP</codecType>\
             <playbackURI>{}</playbackURI></mediaSegmentDescriptor></searchMatchItem>",
            footage.track,
            time(footage.start),
            time(footage.end),
            self.uri(number).replace('&', "&amp;")
        )
    }

    pub fn uri(&self, number: usize) -> String {
        self.footage[number].uri(&self.profile, &self.address.to_string(), number)
    }

    /// Which recording a download asks for, and whether it may.
    pub fn wanted(&self, body: &str) -> Option<usize> {
        if !body.contains("<downloadRequest") {
            return None;
        }
        let uri = between(body, "playbackURI")?.replace("&amp;", "&");
        (0..self.footage.len()).find(|&number| {
            let own = self.uri(number);
            let name = |uri: &str| uri.split("&name=").nth(1).map(str::to_owned);
            own == uri || (self.profile.windows && name(&own) == name(&uri))
        })
    }
}

fn takes(grammar: Grammar, body: &str) -> bool {
    let Grammar::Strict {
        declaration,
        attributes,
        braces,
        list,
    } = grammar
    else {
        return body.contains("CMSearchDescription");
    };
    let Some((head, _)) = body.split_once("<searchID>") else {
        return false;
    };
    let root = head
        .split_once("<CMSearchDescription")
        .map(|(_, rest)| rest);
    let root = root
        .and_then(|rest| rest.split_once('>'))
        .map(|(attributes, _)| attributes);
    let attributes_fit = match (attributes, root) {
        ("", Some(root)) => root.is_empty(),
        (wanted, Some(root)) => root.contains(wanted),
        (_, None) => false,
    };
    let id = between(body, "searchID").unwrap_or_default();
    attributes_fit
        && head.starts_with("<?xml") == declaration
        && id.starts_with('{') == braces
        && between(body, list).is_some()
}
