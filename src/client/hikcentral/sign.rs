//! How requests are signed: AK/SK, as the Artemis gateway wants it.
//!
//! The text that is signed is the method, then `Accept`, `Content-MD5`, `Content-Type`
//! and `Date` as far as the request has them, then the headers that
//! `X-Ca-Signature-Headers` lists, and last the path with its sorted parameters. A JSON
//! body is not in it. What is signed has to be sent to the letter.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, InvalidHeaderValue};
use ring::hmac;
use uuid::Uuid;

use crate::config::Secret;

/// What is sent, in the letters that go over the wire.
pub(super) const JSON: &str = "application/json;charset=UTF-8";
/// What is wanted.
pub(super) const ACCEPTED: &str = "application/json";

const KEY: &str = "x-ca-key";
const NONCE: &str = "x-ca-nonce";
const TIMESTAMP: &str = "x-ca-timestamp";

/// Signs for one partner.
pub(super) struct Signer {
    key: String,
    header: HeaderValue,
    secret: hmac::Key,
}

/// What of a request is signed.
struct Signed<'a> {
    method: &'a str,
    /// `Accept`, `Content-MD5`, `Content-Type` and `Date`, in this order, those that it
    /// has.
    standard: &'a [&'a str],
    /// The names in small letters, in order.
    listed: &'a [(&'a str, &'a str)],
    /// The path, and its parameters in order.
    target: &'a str,
}

impl Signed<'_> {
    fn text(&self) -> String {
        let mut text = String::with_capacity(256);
        text.push_str(self.method);
        text.push('\n');
        for value in self.standard {
            text.push_str(value);
            text.push('\n');
        }
        for (name, value) in self.listed {
            text.push_str(name);
            text.push(':');
            text.push_str(value.trim());
            text.push('\n');
        }
        text.push_str(self.target);
        text
    }
}

impl Signer {
    pub(super) fn new(key: &Secret, secret: &Secret) -> Result<Self, InvalidHeaderValue> {
        let mut header = HeaderValue::from_str(key.expose())?;
        header.set_sensitive(true);
        Ok(Self {
            key: key.expose().to_owned(),
            header,
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()),
        })
    }

    /// The headers of a request that posts JSON to `path`: now, and once.
    pub(super) fn headers(&self, path: &str) -> HeaderMap {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut stamp = String::with_capacity(16);
        // A text takes whatever is written.
        let _ = write!(stamp, "{}", now.unwrap_or_default().as_millis());
        let mut buffer = Uuid::encode_buffer();
        let nonce = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        let signature = self.signature(&Signed {
            method: "POST",
            standard: &[ACCEPTED, JSON],
            listed: &[(KEY, &self.key), (NONCE, nonce), (TIMESTAMP, &stamp)],
            target: path,
        });
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        headers.insert(KEY, self.header.clone());
        let listed = HeaderValue::from_static("x-ca-key,x-ca-nonce,x-ca-timestamp");
        headers.insert("x-ca-signature-headers", listed);
        let made = [
            (NONCE, &*nonce),
            (TIMESTAMP, stamp.as_str()),
            ("x-ca-signature", signature.as_str()),
        ];
        for (name, value) in made {
            // Digits, letters and signs of base64: a header holds them.
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
        headers
    }

    fn signature(&self, signed: &Signed<'_>) -> String {
        STANDARD.encode(hmac::sign(&self.secret, signed.text().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key: &str, secret: &str) -> Signer {
        Signer::new(&Secret::new(key), &Secret::new(secret)).unwrap()
    }

    /// The gateway's own example.
    #[test]
    fn the_known_signature_comes_out() {
        let signed = Signed {
            method: "POST",
            standard: &["*/*", "text/plain;charset=UTF-8"],
            listed: &[
                ("header-a", "A"),
                ("header-b", " b "),
                ("x-ca-key", "29666671"),
                ("x-ca-timestamp", "1479968678000"),
            ],
            target: "/artemis/api/example?a-body=a&qa=a&qb=B&x-body=x",
        };
        let signature = signer("29666671", "empsl21ds3").signature(&signed);
        assert_eq!(signature, "JRpUpk1ETjzr5gsbo4qoEA9EiQPejvNz12B837xV5HI=");
    }

    /// As the worker before this one signed: four lines, and nothing listed.
    #[test]
    fn what_is_absent_leaves_no_line() {
        let signed = Signed {
            method: "POST",
            standard: &[ACCEPTED, JSON],
            listed: &[],
            target: "/artemis/api/resource/v1/person/personId/customFieldsUpdate",
        };
        assert_eq!(
            signed.text(),
            "POST\napplication/json\napplication/json;charset=UTF-8\n\
             /artemis/api/resource/v1/person/personId/customFieldsUpdate"
        );
    }

    #[test]
    fn what_is_signed_is_what_is_sent_and_never_twice_the_same() {
        let signer = signer("29666671", "empsl21ds3");
        let path = "/artemis/api/common/v1/version";
        let headers = signer.headers(path);
        let text = |name: &str| headers[name].to_str().unwrap();
        let signed = Signed {
            method: "POST",
            standard: &[text("accept"), text("content-type")],
            listed: &[
                ("x-ca-key", text("x-ca-key")),
                ("x-ca-nonce", text("x-ca-nonce")),
                ("x-ca-timestamp", text("x-ca-timestamp")),
            ],
            target: path,
        };
        assert_eq!(signer.signature(&signed), text("x-ca-signature"));
        assert_ne!(signer.headers(path)["x-ca-nonce"], headers["x-ca-nonce"]);
        let shown = format!("{headers:?}");
        assert!(
            !shown.contains("29666671") && !shown.contains("empsl21ds3"),
            "{shown}"
        );
    }
}
