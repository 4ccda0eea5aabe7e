//! What kind of recorder is simulated, and what goes wrong with it.

use jiff::tz::TimeZone;

/// A recorder's ways. The default is an easy one: Digest, UTC, any dialect.
#[derive(Debug, Clone)]
pub struct Profile {
    pub user: &'static str,
    pub password: &'static str,
    pub login: Login,
    /// A nonce is stale after so many requests.
    pub nonce_uses: u32,
    /// Locks an address out after so many wrong passwords.
    pub lock_after: u32,
    pub lock_seconds: u32,
    /// Whether its 401 says how near the lock is.
    pub tells_lock: bool,
    /// Where its wall clock hangs, and how it says so.
    pub zone: TimeZone,
    pub posix: &'static str,
    /// The offset that `localTime` has all the year, in hours.
    pub winter: i8,
    /// By how many seconds its clock is fast.
    pub ahead: i64,
    /// Whether its times are its wall clock's, for all their `Z`.
    pub local: bool,
    pub grammar: Grammar,
    pub namespace: &'static str,
    /// In front of its elements' names.
    pub prefix: &'static str,
    /// The methods by which it takes downloads.
    pub methods: &'static [&'static str],
    /// Recordings on a page at most.
    pub page: usize,
    pub ignores_position: bool,
    /// It lists all tracks, whichever is asked for.
    pub ignores_track: bool,
    /// `numOfMatches` is the page's and not of all.
    pub counts_page: bool,
    /// It has a list of cameras, as recorders have and cameras have not.
    pub is_recorder: bool,
    pub length: Length,
    /// Whether it takes other times in an address than it gave. It sends all the same.
    pub windows: bool,
    /// The host that it writes into addresses; its own where there is none.
    pub host: Option<String>,
    /// It takes what comes behind a refused body for its continuation.
    pub joins_bodies: bool,
    pub downloads: usize,
    /// Bytes of downloads in a second; as fast as can be where there is none.
    pub speed: Option<u64>,
    pub tls: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            user: "admin",
            password: "Kamera-2026",
            login: Login::Digest,
            nonce_uses: u32::MAX,
            lock_after: 5,
            lock_seconds: 1800,
            tells_lock: true,
            zone: TimeZone::UTC,
            posix: "CST0:00:00",
            winter: 0,
            ahead: 0,
            local: false,
            grammar: Grammar::Any,
            namespace: "http://www.hikvision.com/ver20/XMLSchema",
            prefix: "",
            methods: &["GET", "POST"],
            page: 64,
            ignores_position: false,
            ignores_track: false,
            counts_page: false,
            is_recorder: true,
            length: Length::Told,
            windows: false,
            host: None,
            joins_bodies: false,
            downloads: 1,
            speed: None,
            tls: false,
        }
    }
}

impl Profile {
    /// A recorder that counts by a wall clock east of Greenwich.
    pub fn jakarta() -> Self {
        Self {
            zone: TimeZone::fixed(jiff::tz::offset(7)),
            posix: "CST-7:00:00",
            winter: 7,
            local: true,
            ..Self::default()
        }
    }

    /// One with summer time, which says winter's offset in summer.
    pub fn berlin() -> Self {
        Self {
            zone: TimeZone::get("Europe/Berlin").expect("tzdata is installed"),
            posix: "CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00",
            winter: 1,
            local: true,
            ..Self::default()
        }
    }
}

/// How it lets somebody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// MD5, `qop="auth"`, no algorithm and no opaque, as most.
    Digest,
    /// With `algorithm`, an empty `opaque` and `domain="::"`.
    DigestOdd,
    /// RFC 2069: no `qop`.
    DigestOld,
    /// Digest or Basic, Basic first.
    Both,
    Basic,
    Open,
}

/// What it takes for a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    Any,
    Strict {
        declaration: bool,
        /// What must stand in the root element; nothing may where it is empty.
        attributes: &'static str,
        braces: bool,
        list: &'static str,
    },
}

/// How long it says that a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Told,
    Chunked,
    /// It closes the connection at the end.
    Closes,
}

/// Something that goes wrong, so many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Busy under this HTTP status, with a body or none.
    Busy { status: u16, told: bool },
    /// The nonce is called stale.
    Stale,
    /// A download ends after so many bytes.
    Truncate(u64),
    /// A download stands still after so many bytes.
    Stall(u64),
    /// A download without a byte.
    Empty,
    /// An answer of any kind; a 401 asks for Basic.
    Answer { status: u16, body: String },
    /// Leads elsewhere.
    Redirect(String),
    /// Says nothing at all.
    Silence,
    /// Closes the connection.
    HangUp,
}
