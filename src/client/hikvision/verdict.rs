//! What a device means by an answer that is no success: its `ResponseStatus`, under
//! whatever HTTP status it comes.

use super::error::Error;
use super::xml::Element;

/// What a refusal means, for the one who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Ask again in a while.
    Busy,
    /// It does not like how it was asked: another dialect may do.
    Dialect(String),
    /// It knows no such thing.
    Unknown(String),
    /// The user may not.
    Denied(String),
    /// The device is at fault.
    Failed(String),
}

/// What this body says, sent with this HTTP status. `None` where it is no refusal:
/// a success, or under status 200 another document.
pub(super) fn verdict(status: u16, body: &[u8]) -> Option<Verdict> {
    let root = Element::parse(body).ok();
    let told = root.as_ref().filter(|root| {
        root.name == "ResponseStatus" || (status != 200 && root.text_of("statusCode").is_some())
    });
    let Some(told) = told else {
        return (status != 200).then(|| of_http(status));
    };
    let code: u32 = number(told, "statusCode");
    let string = told.text_of("statusString").unwrap_or_default();
    let sub = told.text_of("subStatusCode").unwrap_or_default();
    let words = words(status, code, string, sub);
    let says = |text: &str| sub.eq_ignore_ascii_case(text) || string.eq_ignore_ascii_case(text);
    Some(match code {
        _ if code == 2 || says("deviceBusy") || says("Device Busy") => Verdict::Busy,
        _ if ["lowPrivilege", "noPermission", "badAuthorization"]
            .iter()
            .any(|sub| says(sub)) =>
        {
            Verdict::Denied(words)
        }
        _ if says("notSupport") || says("methodNotAllowed") => Verdict::Unknown(words),
        0 | 1 if status == 200 => return None,
        4..=6 => Verdict::Dialect(words),
        3 | 7 => Verdict::Failed(words),
        _ => match of_http(status) {
            Verdict::Dialect(_) => Verdict::Dialect(words),
            Verdict::Unknown(_) => Verdict::Unknown(words),
            Verdict::Denied(_) => Verdict::Denied(words),
            Verdict::Failed(_) => Verdict::Failed(words),
            Verdict::Busy => Verdict::Busy,
        },
    })
}

fn of_http(status: u16) -> Verdict {
    let words = format!("HTTP {status}");
    match status {
        429 | 503 => Verdict::Busy,
        403 => Verdict::Denied(words),
        404 | 405 | 411 | 501 => Verdict::Unknown(words),
        500.. => Verdict::Failed(words),
        _ => Verdict::Dialect(words),
    }
}

impl Verdict {
    /// The error that it comes to in the end. `Busy` is the caller's to count.
    pub(super) fn error(self, device: &str, user: &str, what: &'static str) -> Error {
        let device = device.to_owned();
        match self {
            Self::Busy => Error::Busy {
                device,
                what,
                tries: 1,
            },
            Self::Dialect(answer) | Self::Unknown(answer) => Error::Refused {
                device,
                what,
                answer,
            },
            Self::Denied(answer) => Error::Denied {
                device,
                user: user.to_owned(),
                what,
                answer,
            },
            Self::Failed(answer) => Error::Failed {
                device,
                what,
                answer,
            },
        }
    }
}

/// What a device says about a login that it refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// It refuses all logins from here.
    pub(super) locked: bool,
    /// For how many seconds still.
    pub(super) unlock_seconds: Option<u32>,
    /// Tries left before it locks.
    pub(super) left: Option<u32>,
}

/// What the body of a 401 says. Older devices send none.
pub(super) fn refusal(body: &[u8]) -> Refusal {
    let Ok(root) = Element::parse(body) else {
        return Refusal::default();
    };
    let count = |name| root.text_of(name).and_then(|text| text.parse().ok());
    let status = root.text_of("lockStatus").unwrap_or_default();
    Refusal {
        locked: status.eq_ignore_ascii_case("lock") || status.eq_ignore_ascii_case("locked"),
        unlock_seconds: count("unlockTime").filter(|&seconds| seconds > 0),
        left: count("retryLoginTime"),
    }
}

fn number(told: &Element, name: &str) -> u32 {
    let text = told.text_of(name).unwrap_or_default();
    text.parse().unwrap_or_default()
}

/// A few of its own words, safe to print.
fn words(status: u16, code: u32, string: &str, sub: &str) -> String {
    let clean = |text: &str| -> String {
        let printable = |c: &char| c.is_ascii_graphic() || *c == ' ';
        text.chars().filter(printable).take(60).collect()
    };
    let parts = [
        format!("HTTP {status}"),
        format!("code {code}"),
        clean(string),
        clean(sub),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(code: u32, string: &str, sub: &str) -> String {
        format!(
            "<ResponseStatus version=\"2.0\" xmlns=\"urn:psialliance-org\"><requestURL/>\
             <statusCode>{code}</statusCode><statusString>{string}</statusString>\
             <subStatusCode>{sub}</subStatusCode></ResponseStatus>"
        )
    }

    #[test]
    fn busy_is_busy_under_each_status() {
        for status in [200, 400, 403, 503] {
            let code = body(2, "Device Busy", "deviceBusy");
            assert_eq!(verdict(status, code.as_bytes()), Some(Verdict::Busy));
            let sub = body(4, "Invalid Operation", "deviceBusy");
            assert_eq!(verdict(status, sub.as_bytes()), Some(Verdict::Busy));
        }
        assert_eq!(verdict(503, b""), Some(Verdict::Busy));
        assert_eq!(verdict(503, b"<html>"), Some(Verdict::Busy));
    }

    #[test]
    fn refusals_are_told_apart() {
        let of = |status, code, string: &str, sub: &str| {
            verdict(status, body(code, string, sub).as_bytes())
        };
        let content = of(400, 6, "Invalid XML Content", "badXmlContent");
        assert!(
            matches!(content, Some(Verdict::Dialect(words)) if words.contains("badXmlContent"))
        );
        let method = of(405, 4, "Invalid Operation", "methodNotAllowed");
        assert!(matches!(method, Some(Verdict::Unknown(_))));
        let right = of(403, 4, "Invalid Operation", "lowPrivilege");
        assert!(matches!(right, Some(Verdict::Denied(_))));
        assert!(matches!(
            of(500, 3, "Device Error", ""),
            Some(Verdict::Failed(_))
        ));
        assert!(matches!(
            of(200, 7, "Reboot Required", ""),
            Some(Verdict::Failed(_))
        ));
        assert_eq!(of(200, 1, "OK", "ok"), None);
        assert!(matches!(
            verdict(404, b"nothing"),
            Some(Verdict::Unknown(_))
        ));
        assert!(matches!(verdict(400, b""), Some(Verdict::Dialect(_))));
        assert_eq!(verdict(200, b"<CMSearchResult/>"), None);
        assert_eq!(verdict(200, b"\0\0\x01\xba"), None);
    }

    #[test]
    fn locks_are_read() {
        let told = refusal(
            b"<userCheck><statusValue>401</statusValue><lockStatus>lock</lockStatus>\
              <unlockTime>1795</unlockTime><retryLoginTime>0</retryLoginTime></userCheck>",
        );
        assert_eq!(
            told,
            Refusal {
                locked: true,
                unlock_seconds: Some(1795),
                left: Some(0)
            }
        );
        assert_eq!(refusal(b"Unauthorized"), Refusal::default());
    }
}
