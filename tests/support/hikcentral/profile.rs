//! What kind of server it is, and what goes wrong.

use std::time::Duration;

/// A server.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The partner's.
    pub key: String,
    pub secret: String,
    /// With a certificate that it signs itself.
    pub tls: bool,
    /// The status of what the gateway refuses.
    pub refusal_status: u16,
    /// Whether codes are numbers.
    pub numbers: bool,
    /// What the number of a new person comes in.
    pub data: Data,
    /// How it says that nobody has a code.
    pub missing: Missing,
    /// Whether a wrong signature's message repeats key and secret.
    pub leaks: bool,
    /// Whether who is in a group already is refused (131).
    pub strict_groups: bool,
    /// Departments: number, name, parent.
    pub organisations: Vec<(String, String, String)>,
    /// Fields of people, by their numbers.
    pub fields: Vec<String>,
    /// Privilege groups.
    pub groups: Vec<String>,
    /// The most people.
    pub most_people: usize,
    /// How far clocks may be apart.
    pub window: Duration,
    pub quota: Option<Quota>,
    /// Every so many-th request is told that it is busy.
    pub busy_every: Option<usize>,
    /// How long each answer takes.
    pub latency: Option<Duration>,
    /// How often somebody has to look until devices have what was applied.
    pub looks: u64,
    /// Whether requests are kept for `seen`; long runs have no use for them.
    pub keeps: bool,
}

/// So many requests in so long; more are refused.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    pub requests: usize,
    pub each: Duration,
}

/// What `data` is when a person was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    Text,
    Number,
    Object,
}

/// The answer about nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Code 128.
    Code,
    /// Code 0 and null.
    Null,
    /// Code 0 and an empty text.
    Empty,
    /// Code 0 and an empty object.
    Object,
}

impl Default for Profile {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let department = |code: &str, name: &str, parent: &str| {
            (code.to_owned(), name.to_owned(), parent.to_owned())
        };
        Self {
            key: "29666671".to_owned(),
            secret: "empsl21ds3-not-a-real-one".to_owned(),
            tls: false,
            refusal_status: 401,
            numbers: false,
            data: Data::Text,
            missing: Missing::Code,
            leaks: false,
            strict_groups: false,
            organisations: vec![
                department("1", "All Departments", "0"),
                department("2", "Contractors", "1"),
            ],
            fields: texts(&["1"]),
            groups: texts(&["1", "2", "6", "7", "8", "9"]),
            most_people: usize::MAX,
            window: Duration::from_secs(15 * 60),
            quota: None,
            busy_every: None,
            latency: None,
            looks: 2,
            keeps: true,
        }
    }
}

/// What one request meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and it answers with this code under this status.
    Code(u16, &'static str),
    /// The same, and asks for so many seconds.
    After(u16, &'static str, u64),
    /// Nothing is done, and this is answered.
    Answer(u16, String),
    /// It says that the signature is wrong, and repeats what was signed, key and secret.
    Echo(u16),
    /// It leads elsewhere.
    Redirect(String),
    /// Nothing is done, and nothing answered.
    Silence,
    /// Nothing is done, and the connection is closed.
    HangUp,
    /// It is done, and nothing answered.
    DoneThenSilence,
    /// It is done, and the connection is closed.
    DoneThenHangUp,
    /// It is done, and this is answered.
    DoneThen(u16, String),
    /// It never stops to answer.
    Endless,
}

impl Fault {
    pub fn busy() -> Self {
        Self::Code(200, "6")
    }

    pub fn quota() -> Self {
        Self::Code(401, "0x02401009")
    }

    /// What a proxy says of a server that is away.
    pub fn bad_gateway() -> Self {
        let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
        Self::Answer(502, page.to_owned())
    }
}
