//! Digest authentication: RFC 7616, and RFC 2617 and 2069 as older devices speak it.

use std::fmt::Write;

use http_auth::ChallengeRef;
use md5::{Digest as _, Md5};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// A challenge, and how often it was answered.
#[derive(Debug)]
pub(super) struct Digest {
    realm: String,
    nonce: String,
    /// An empty one is none: some devices send it, and want nothing of it.
    opaque: Option<String>,
    hash: Hash,
    /// As the device wrote it, to be written back.
    algorithm: Option<String>,
    quality: Quality,
    pub(super) stale: bool,
    /// How often its nonce was used.
    pub(super) count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
}

/// What of a request is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quality {
    /// Method and path, as in RFC 2069.
    Old,
    Auth,
    /// The body too.
    AuthInt,
}

/// A request, as far as digests go into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
}

impl Digest {
    /// What a challenge asks for, if that is known here. `domain` and `charset` mean
    /// nothing to a client of one host; names are UTF-8.
    pub(super) fn of(challenge: &ChallengeRef<'_>) -> Option<Self> {
        if !challenge.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let field = |wanted: &str| {
            let mut fields = challenge.params.iter();
            let (_, value) = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
            Some(value.to_unescaped())
        };
        let algorithm = field("algorithm");
        let hash = match algorithm.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("md5") => Hash::Md5,
            Some("sha-256") => Hash::Sha256,
            Some(_) => return None,
        };
        let quality = match field("qop") {
            None => Quality::Old,
            Some(offers) => {
                let offers = offers.to_ascii_lowercase();
                let offered = |wanted| offers.split(',').any(|offer| offer.trim() == wanted);
                match (offered("auth"), offered("auth-int")) {
                    (true, _) => Quality::Auth,
                    (false, true) => Quality::AuthInt,
                    (false, false) => return None,
                }
            }
        };
        Some(Self {
            realm: field("realm")?,
            nonce: field("nonce")?,
            opaque: field("opaque").filter(|opaque| !opaque.is_empty()),
            hash,
            algorithm,
            quality,
            stale: field("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            count: 0,
        })
    }

    /// The `Authorization` header for a request.
    pub(super) fn answer(&mut self, user: &str, password: &str, request: Request<'_>) -> String {
        let mut random = [0; 16];
        // Without chance the answer is as right, and less hidden.
        let _ = SystemRandom::new().fill(&mut random);
        self.answer_with(&hex(&random), user, password, request)
    }

    fn answer_with(
        &mut self,
        client_nonce: &str,
        user: &str,
        password: &str,
        request: Request<'_>,
    ) -> String {
        self.count = self.count.saturating_add(1);
        let Request { method, path, body } = request;
        let Self { realm, nonce, .. } = &*self;
        let count = format!("{:08x}", self.count);
        let secret = self
            .hash
            .of(format!("{user}:{realm}:{password}").as_bytes());
        let asked = match self.quality {
            Quality::AuthInt => format!("{method}:{path}:{}", self.hash.of(body)),
            Quality::Old | Quality::Auth => format!("{method}:{path}"),
        };
        let asked = self.hash.of(asked.as_bytes());
        let quality = match self.quality {
            Quality::Old => None,
            Quality::Auth => Some("auth"),
            Quality::AuthInt => Some("auth-int"),
        };
        let proof = match quality {
            None => format!("{secret}:{nonce}:{asked}"),
            Some(quality) => format!("{secret}:{nonce}:{count}:{client_nonce}:{quality}:{asked}"),
        };
        let response = self.hash.of(proof.as_bytes());
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(user),
            quoted(realm),
            quoted(nonce),
            quoted(path)
        );
        let mut add = |field: &str| header.push_str(field);
        if let Some(algorithm) = &self.algorithm {
            add(&format!(", algorithm={algorithm}"));
        }
        if let Some(quality) = quality {
            add(&format!(
                ", qop={quality}, nc={count}, cnonce=\"{client_nonce}\""
            ));
        }
        if let Some(opaque) = &self.opaque {
            add(&format!(", opaque={}", quoted(opaque)));
        }
        header
    }
}

impl Hash {
    fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(bytes)),
            Self::Sha256 => hex(digest(&SHA256, bytes).as_ref()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a string does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_auth::parse_challenges;

    fn digest(header: &str) -> Option<Digest> {
        Digest::of(parse_challenges(header).ok()?.first()?)
    }

    fn get(path: &str) -> Request<'_> {
        Request {
            method: "GET",
            path,
            body: b"",
        }
    }

    /// RFC 2617, section 3.5.
    #[test]
    fn the_example_of_rfc_2617() {
        let header = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
            opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let request = get("/dir/index.html");
        let mut digest = digest(header).unwrap();
        let answer = digest.answer_with("0a4f113b", "Mufasa", "Circle Of Life", request);
        for part in [
            "response=\"6629fae49393a05397450978507c4ef1\"",
            "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
            "uri=\"/dir/index.html\"",
            "nc=00000001",
            "qop=auth,",
        ] {
            assert!(answer.contains(part), "{part} in {answer}");
        }
        assert!(!answer.contains("algorithm"), "{answer}");
        let again = digest.answer("Mufasa", "Circle Of Life", request);
        assert!(again.contains("nc=00000002"), "{again}");
    }

    /// RFC 7616, section 3.9.1.
    #[test]
    fn the_examples_of_rfc_7616() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("md5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let header = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                 algorithm={algorithm}, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let mut digest = digest(&header).unwrap();
            let request = get("/dir/index.html");
            let answer = digest.answer_with(cnonce, "Mufasa", "Circle of Life", request);
            assert!(answer.contains(response), "{answer}");
            assert!(
                answer.contains(&format!("algorithm={algorithm}")),
                "{answer}"
            );
        }
    }

    /// RFC 2069, with the erratum on its example.
    #[test]
    fn the_example_of_rfc_2069() {
        let header = "Digest realm=\"testrealm@host.com\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
            opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let mut digest = digest(header).unwrap();
        let request = get("/dir/index.html");
        let answer = digest.answer("Mufasa", "CircleOfLife", request);
        assert!(
            answer.contains("1949323746fe6a43ef61f9606e7febea"),
            "{answer}"
        );
        assert!(
            !answer.contains("nc=") && !answer.contains("qop="),
            "{answer}"
        );
    }

    #[test]
    fn what_devices_send_is_understood() {
        let camera =
            "Digest qop=\"auth\", realm=\"IP Camera(E1518)\", nonce=\"4e6a\", stale=\"FALSE\"";
        let camera = digest(camera).unwrap();
        assert!(!camera.stale && camera.realm == "IP Camera(E1518)");
        let odd = "Digest realm=\"DS-7616\", domain=\"::\", qop=\"auth\", nonce=\"a:b\", \
            opaque=\"\", algorithm=\"MD5\", stale=\"TRUE\"";
        let mut odd = digest(odd).unwrap();
        assert!(odd.stale);
        assert!(!odd.answer("u", "p", get("/")).contains("opaque"));
        // Only there where nothing less is offered, the body goes in.
        let whole = "Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"";
        let mut answers = [b"a", b"b"].map(|body| {
            let request = Request {
                body: body.as_slice(),
                ..get("/")
            };
            digest(whole).unwrap().answer_with("c", "u", "p", request)
        });
        answers.sort();
        assert!(answers[0] != answers[1] && answers[0].contains("qop=auth-int"));
        for unknown in [
            "Digest realm=\"x\", nonce=\"y\", algorithm=WHIRLPOOL",
            "Digest realm=\"x\", nonce=\"y\", qop=\"other\"",
            "Digest realm=\"x\"",
            "Basic realm=\"x\"",
        ] {
            assert!(digest(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn quotes_in_names_are_escaped() {
        let mut digest = digest("Digest realm=\"a\\\"b\", nonce=\"y\"").unwrap();
        let answer = digest.answer("c\"d\\e", "p", get("/"));
        assert!(answer.contains("realm=\"a\\\"b\""), "{answer}");
        assert!(answer.contains("username=\"c\\\"d\\\\e\""), "{answer}");
    }
}
