//! Digest and Basic from the other side, by RFC 2617 itself: nothing of this is
//! shared with the client.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use md5::{Digest, Md5};

use super::profile::{Login, Profile};

/// Who came, by what he showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    Basic,
    Digest,
}

/// What is thought of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    Welcome,
    /// A 401 with these challenges and this body.
    Refused {
        challenges: Vec<String>,
        body: String,
    },
}

/// The nonces given out, and the wrong passwords seen.
#[derive(Debug, Default)]
pub struct Gate {
    /// How often each was used.
    nonces: HashMap<String, u32>,
    given: u64,
    pub wrong: u32,
    locked: Option<Instant>,
}

/// A request, as far as it is judged here.
pub struct Visit<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub authorization: Option<&'a str>,
    /// Take the nonce for stale.
    pub stale: bool,
}

impl Gate {
    pub fn judge(&mut self, profile: &Profile, visit: &Visit<'_>) -> Judgement {
        if profile.login == Login::Open {
            return Judgement::Welcome;
        }
        if self.locked.is_some_and(|until| Instant::now() < until) {
            return self.refuse(profile, false);
        }
        let Some(authorization) = visit.authorization else {
            return self.refuse(profile, false);
        };
        let basic = matches!(profile.login, Login::Basic | Login::Both);
        let told = if let Some(token) = authorization.strip_prefix("Basic ") {
            if !basic {
                // hikvisionapi begins so; devices do not count it.
                return self.refuse(profile, false);
            }
            Told::right(token == base64(&format!("{}:{}", profile.user, profile.password)))
        } else {
            self.digest(profile, visit, authorization)
        };
        match told {
            Told::Right => {
                self.wrong = 0;
                Judgement::Welcome
            }
            Told::Stale => self.refuse(profile, true),
            Told::Wrong => {
                self.wrong += 1;
                if self.wrong >= profile.lock_after {
                    let lasts = Duration::from_secs(profile.lock_seconds.into());
                    self.locked = Some(Instant::now() + lasts);
                }
                self.refuse(profile, false)
            }
        }
    }

    fn digest(&mut self, profile: &Profile, visit: &Visit<'_>, header: &str) -> Told {
        let Some(fields) = header.strip_prefix("Digest ").map(fields) else {
            return Told::Wrong;
        };
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        if field("username") != profile.user
            || field("realm") != REALM
            || field("uri") != visit.path
            || profile.login == Login::Basic
        {
            return Told::Wrong;
        }
        let nonce = field("nonce");
        let secret = md5(&format!("{}:{REALM}:{}", profile.user, profile.password));
        let asked = md5(&format!("{}:{}", visit.method, visit.path));
        let old = profile.login == Login::DigestOld;
        let expected = if old {
            md5(&format!("{secret}:{nonce}:{asked}"))
        } else {
            let (count, client) = (field("nc"), field("cnonce"));
            md5(&format!("{secret}:{nonce}:{count}:{client}:auth:{asked}"))
        };
        if field("response") != expected || (!old && field("qop") != "auth") {
            return Told::Wrong;
        }
        let count = u32::from_str_radix(field("nc"), 16).unwrap_or_default();
        match self.nonces.get_mut(nonce) {
            Some(used) if *used < profile.nonce_uses && (old || count == *used + 1) => {
                if visit.stale {
                    return Told::Stale;
                }
                *used += 1;
                Told::Right
            }
            _ => Told::Stale,
        }
    }

    fn refuse(&mut self, profile: &Profile, stale: bool) -> Judgement {
        self.given += 1;
        let nonce = md5(&format!("nonce {}", self.given));
        self.nonces.insert(nonce.clone(), 0);
        let stale = if stale { "TRUE" } else { "FALSE" };
        let digest = match profile.login {
            Login::DigestOdd => format!(
                "Digest realm=\"{REALM}\", domain=\"::\", qop=\"auth\", nonce=\"{nonce}\", \
                 opaque=\"\", algorithm=\"MD5\", stale=\"{stale}\""
            ),
            Login::DigestOld => {
                format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", stale={stale}")
            }
            _ => format!(
                "Digest qop=\"auth\", realm=\"{REALM}\", nonce=\"{nonce}\", stale=\"{stale}\""
            ),
        };
        let basic = format!("Basic realm=\"{REALM}\"");
        let challenges = match profile.login {
            Login::Basic => vec![basic],
            Login::Both => vec![basic, digest],
            _ => vec![digest],
        };
        Judgement::Refused {
            challenges,
            body: self.body(profile),
        }
    }

    fn body(&self, profile: &Profile) -> String {
        if !profile.tells_lock {
            return "<!DOCTYPE html><html><head><title>Document Error: Unauthorized</title></head></html>"
                .to_owned();
        }
        let left = self
            .locked
            .map(|until| until.saturating_duration_since(Instant::now()));
        let seconds = left
            .filter(|left| !left.is_zero())
            .map(|left| left.as_secs().max(1));
        let (status, unlock) = match seconds {
            Some(seconds) => ("lock", seconds),
            None => ("unlock", 0),
        };
        let tries = profile.lock_after.saturating_sub(self.wrong);
        format!(
            "<userCheck version=\"1.0\" xmlns=\"{}\"><statusValue>401</statusValue>\
             <statusString>Unauthorized</statusString><lockStatus>{status}</lockStatus>\
             <unlockTime>{unlock}</unlockTime><retryLoginTime>{tries}</retryLoginTime></userCheck>",
            profile.namespace
        )
    }
}

enum Told {
    Right,
    Wrong,
    Stale,
}

impl Told {
    fn right(right: bool) -> Self {
        if right { Self::Right } else { Self::Wrong }
    }
}

const REALM: &str = "DS-7616NXI(E1518)";

/// The fields of a header, `name=value` or `name="value"` with commas between.
fn fields(header: &str) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    let mut rest = header;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = if let Some(quoted) = after.strip_prefix('"') {
            quoted.split_once('"').unwrap_or((quoted, ""))
        } else {
            after.split_at(after.find(',').unwrap_or(after.len()))
        };
        let name = name.trim_matches([',', ' ']).to_owned();
        fields.insert(name, value.trim().to_owned());
        rest = after;
    }
    fields
}

fn md5(text: &str) -> String {
    let mut hex = String::new();
    for byte in Md5::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Base64 of RFC 4648, for a header of a few bytes.
fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let mut bits = 0_u32;
        for index in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(index).copied().unwrap_or(0));
        }
        for index in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * index) & 63) as usize];
            let padding = index > chunk.len();
            encoded.push(if padding { '=' } else { char::from(letter) });
        }
    }
    encoded
}
