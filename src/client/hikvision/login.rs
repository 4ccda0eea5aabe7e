//! Logging in: which scheme a device wants, and the header that answers it. A nonce
//! is used on, counted, until the device wants another.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_auth::parse_challenges;

use super::digest::{Digest, Request};

/// What a device says that it wants.
#[derive(Debug)]
pub(super) enum Challenge {
    Digest(Box<Digest>),
    Basic,
}

impl Challenge {
    /// The best of what these `WWW-Authenticate` headers offer: digest before basic,
    /// and of several digests the first that is known.
    pub(super) fn best<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut basic = None;
        for header in headers {
            for challenge in parse_challenges(header).unwrap_or_default() {
                if let Some(digest) = Digest::of(&challenge) {
                    return Some(Self::Digest(Box::new(digest)));
                }
                if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                }
            }
        }
        basic
    }

    /// Whether the device only found the nonce too old.
    pub(super) fn is_stale(&self) -> bool {
        matches!(self, Self::Digest(digest) if digest.stale)
    }
}

/// How a device was asked to let somebody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// It wants no password.
    Open,
    /// The password goes over the wire as it is.
    Basic,
    /// The password stays here.
    Digest,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "no login",
            Self::Basic => "Basic",
            Self::Digest => "Digest",
        })
    }
}

/// What is known of how to log in to a device.
#[derive(Debug, Default)]
pub(super) struct Login {
    challenge: Option<Challenge>,
    /// It asks for no password.
    open: bool,
    /// The challenge was answered, and the answer taken.
    pub(super) proved: bool,
    /// The device can do better than Basic.
    seen_digest: bool,
    /// Counts challenges, so that two requests do not both renew one.
    pub(super) generation: u64,
}

/// The answer to a challenge.
#[derive(Debug)]
pub(super) struct Pass {
    /// The `Authorization` header, if any.
    pub(super) header: Option<String>,
    /// Of the challenge that it answers.
    pub(super) generation: u64,
    /// It is the first answer to this challenge.
    pub(super) is_first: bool,
}

impl Login {
    /// Whether the device must be asked first what it wants.
    pub(super) fn is_unknown(&self) -> bool {
        self.challenge.is_none() && !self.open
    }

    /// The device lets everybody in.
    pub(super) fn set_open(&mut self) {
        self.open = true;
    }

    /// The scheme, once it is known.
    pub(super) fn scheme(&self) -> Option<Scheme> {
        match &self.challenge {
            Some(Challenge::Digest(_)) => Some(Scheme::Digest),
            Some(Challenge::Basic) => Some(Scheme::Basic),
            None => self.open.then_some(Scheme::Open),
        }
    }

    /// Answers this challenge from now on. False where it asks for the password
    /// itself though the device can do digest: somebody may be listening for it.
    pub(super) fn adopt(&mut self, challenge: Challenge) -> bool {
        match challenge {
            Challenge::Digest(_) => self.seen_digest = true,
            Challenge::Basic if self.seen_digest => return false,
            Challenge::Basic => {}
        }
        self.challenge = Some(challenge);
        self.open = false;
        self.proved = false;
        self.generation += 1;
        true
    }

    /// Answers the challenge for this request.
    pub(super) fn pass(&mut self, user: &str, password: &str, request: Request<'_>) -> Pass {
        let generation = self.generation;
        let (header, is_first) = match &mut self.challenge {
            None => (None, true),
            Some(Challenge::Basic) => {
                let token = STANDARD.encode(format!("{user}:{password}"));
                (Some(format!("Basic {token}")), !self.proved)
            }
            Some(Challenge::Digest(digest)) => {
                let is_first = digest.count == 0;
                (Some(digest.answer(user, password, request)), is_first)
            }
        };
        Pass {
            header,
            generation,
            is_first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "Digest realm=\"x\", nonce=\"y\", qop=\"auth\"";

    #[test]
    fn the_best_offer_is_taken() {
        let both = "Basic realm=\"x\", Digest realm=\"x\", nonce=\"y\", qop=\"auth\"";
        for offers in [vec!["Basic realm=\"x\"", DIGEST], vec![DIGEST], vec![both]] {
            let best = Challenge::best(offers.clone());
            assert!(matches!(best, Some(Challenge::Digest(_))), "{offers:?}");
        }
        let unknown = "Digest realm=\"x\", nonce=\"y\", algorithm=WHIRLPOOL";
        let best = Challenge::best([unknown, "Basic realm=\"x\""]);
        assert!(matches!(best, Some(Challenge::Basic)));
        for nothing in [
            "",
            "Digest",
            "Digest realm=\"x",
            "Bearer x=y",
            "Digest é=\"ü\"",
            "=",
            ",",
        ] {
            assert!(Challenge::best([nothing]).is_none(), "{nothing}");
        }
    }

    #[test]
    fn a_nonce_is_counted_and_basic_does_not_replace_digest() {
        let request = Request {
            method: "GET",
            path: "/ISAPI/System/status",
            body: b"",
        };
        let mut login = Login::default();
        assert!(login.is_unknown());
        let next = || Challenge::best([DIGEST]).unwrap();
        assert!(login.adopt(next()));
        for count in 1..=3 {
            let pass = login.pass("u", "p", request);
            assert_eq!(pass.is_first, count == 1);
            assert!(pass.header.unwrap().contains(&format!("nc={count:08x}")));
        }
        assert!(!login.adopt(Challenge::Basic));
        assert_eq!(login.scheme(), Some(Scheme::Digest));
        assert!(login.adopt(next()));
        assert!(login.pass("u", "p", request).is_first);
    }

    /// RFC 7617, section 2.
    #[test]
    fn basic_is_what_it_says() {
        let request = Request {
            method: "GET",
            path: "/",
            body: b"",
        };
        let mut login = Login::default();
        login.adopt(Challenge::Basic);
        let pass = login.pass("Aladdin", "open sesame", request);
        assert_eq!(pass.header.unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
