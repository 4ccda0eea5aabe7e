//! XML as devices write it: elements by their local names, whatever namespace they
//! put them in, within bounds.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The deepest nesting that is read. Devices come to ten.
const DEPTH: usize = 32;
/// The most elements that are read. A page of 64 recordings has a thousand.
const ELEMENTS: usize = 50_000;

/// An element: its local name, its text, its children. Attributes are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    /// Its own, trimmed.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Why a text is no document.
pub(super) type Malformed = &'static str;

impl Element {
    /// The root element of a document.
    ///
    /// Of entities only XML's own five and character references mean anything; a
    /// document type is refused, as nothing good needs one.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        // Names of channels come in other encodings, and matter to nobody here.
        let text = String::from_utf8_lossy(bytes);
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
        reader.config_mut().allow_dangling_amp = true;
        let mut open: Vec<Self> = Vec::new();
        let mut elements = 0;
        loop {
            let event = reader.read_event().map_err(|_| "no well-formed XML")?;
            if matches!(event, Event::Start(_) | Event::Empty(_)) {
                elements += 1;
                if elements > ELEMENTS || open.len() >= DEPTH {
                    return Err("XML with too many elements");
                }
            }
            match event {
                Event::Start(start) => open.push(Self::begin(&start)),
                Event::Empty(start) => {
                    if let Some(root) = close(&mut open, Self::begin(&start)) {
                        return Ok(root);
                    }
                }
                Event::End(_) => {
                    let element = open.pop().ok_or("no well-formed XML")?;
                    if let Some(root) = close(&mut open, element) {
                        return Ok(root);
                    }
                }
                Event::Text(text) => add(&mut open, &text.decode().unwrap_or_default()),
                Event::CData(text) => add(&mut open, &text.decode().unwrap_or_default()),
                Event::GeneralRef(reference) => {
                    let text = resolve(&reference).ok_or("XML with entities of its own")?;
                    add(&mut open, &text);
                }
                Event::DocType(_) => return Err("XML with a document type"),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => return Err("no whole XML document"),
            }
        }
    }

    fn begin(start: &BytesStart<'_>) -> Self {
        Self {
            name: String::from_utf8_lossy(start.local_name().as_ref()).into_owned(),
            ..Self::default()
        }
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of what lies at the end of a path of names, if it has one.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        let mut element = self;
        for name in path {
            element = element.child(name)?;
        }
        Some(element.text.as_str()).filter(|text| !text.is_empty())
    }

    /// The text of the first element of this name, however deep.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        if self.name == name && !self.text.is_empty() {
            return Some(&self.text);
        }
        self.children.iter().find_map(|child| child.text_of(name))
    }
}

/// Puts an element that has ended into the one around it, or gives it back if
/// there is none.
fn close(open: &mut [Element], element: Element) -> Option<Element> {
    let element = Element {
        text: element.text.trim().to_owned(),
        ..element
    };
    match open.last_mut() {
        Some(parent) => {
            parent.children.push(element);
            None
        }
        None => Some(element),
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character.to_string()),
        Ok(None) => {
            let name = reference.decode().ok()?;
            resolve_xml_entity(&name).map(str::to_owned)
        }
        Err(_) => None,
    }
}

/// Text as it stands in an element.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "<P:CMSearchResult xmlns:P=\"NS\" version=\"1.0\"><P:numOfMatches>1\
        </P:numOfMatches><P:matchList><P:searchMatchItem><P:playbackURI>rtsp://h/a?b=1&amp;c=&#50;\
        </P:playbackURI></P:searchMatchItem><P:empty/></P:matchList></P:CMSearchResult>";

    #[test]
    fn elements_are_found_by_local_name_in_all_namespaces() {
        for namespace in [
            "http://www.hikvision.com/ver20/XMLSchema",
            "http://www.isapi.org/ver20/XMLSchema",
            "http://www.std-cgi.com/ver20/XMLSchema",
            "urn:psialliance-org",
        ] {
            let prefixed = BODY.replace("NS", namespace);
            let plain = prefixed.replace("xmlns:P", "xmlns").replace("P:", "");
            let none = BODY.replace(" xmlns:P=\"NS\"", "").replace("P:", "");
            for body in [prefixed, plain, none] {
                let body = format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n{body}\n");
                let root = Element::parse(body.as_bytes()).unwrap();
                assert_eq!(root.name, "CMSearchResult");
                assert_eq!(root.text_at(&["numOfMatches"]), Some("1"));
                assert_eq!(root.text_of("playbackURI"), Some("rtsp://h/a?b=1&c=2"));
                assert_eq!(root.text_of("empty"), None);
                let list = root.child("matchList").unwrap();
                assert_eq!(list.all("searchMatchItem").count(), 1);
            }
        }
    }

    #[test]
    fn entities_are_not_expanded() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
        assert_eq!(
            Element::parse(bomb.as_bytes()),
            Err("XML with a document type")
        );
        assert!(Element::parse(b"<a>&c;</a>").is_err());
        assert!(Element::parse(b"<a>&#xFFFFFFFF;</a>").is_err());
        let file = b"<a>a & b &lt;c&gt;<![CDATA[<d>]]></a>";
        assert_eq!(Element::parse(file).unwrap().text, "a & b <c><d>");
    }

    #[test]
    fn bounds_hold() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(Element::parse(deep.as_bytes()).is_err());
        let wide = format!("<a>{}</a>", "<b/>".repeat(100_000));
        assert!(Element::parse(wide.as_bytes()).is_err());
        for text in ["", " ", "<", "<a", "<a>", "<a></b>", "</a>", "text", "\0"] {
            assert!(Element::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(Element::parse(b"<a><b></a>"), Err("no well-formed XML"));
    }

    /// Whatever a document is broken into: an error or another document, and never
    /// a panic.
    #[test]
    fn broken_documents_are_errors() {
        let body = BODY.as_bytes();
        let mut state = 7_u64;
        let mut next = |most: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % most
        };
        for _ in 0..5_000 {
            let mut broken = body.to_vec();
            for _ in 0..=next(4) {
                let at = next(broken.len());
                match next(3) {
                    0 => broken[at] = u8::try_from(next(256)).unwrap(),
                    1 => broken.truncate(at.max(1)),
                    _ => broken.insert(at, b"<>&/!?[]\"\0"[next(10)]),
                }
            }
            if let Ok(root) = Element::parse(&broken) {
                root.text_of("playbackURI");
            }
        }
        for end in 0..body.len() {
            assert!(Element::parse(&body[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = "rtsp://h/?a=1&b=<2>&amp;";
        let body = format!("<a>{}</a>", escaped(text));
        assert_eq!(Element::parse(body.as_bytes()).unwrap().text, text);
    }
}
