//! What the server says, made fit for an error: without secrets, even if it repeats
//! them, and without what it repeats of a person.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use crate::client::said::one_line;
use crate::config::Secret;

/// How much of what the server says goes into an error.
const LONGEST_WORD: usize = 200;

/// The shortest text of a person's that is looked for: a single letter stands
/// everywhere.
const SHORTEST: usize = 2;

/// What must not be repeated.
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    /// The secrets as they are, and as an address or base64 has them.
    pub(super) fn new(secrets: &[&Secret]) -> Self {
        let mut hidden = Vec::new();
        for secret in secrets {
            let secret = secret.expose();
            let escaped: String = byte_serialize(secret.as_bytes()).collect();
            hidden.extend([secret.to_owned(), escaped, STANDARD.encode(secret)]);
        }
        hidden.retain(|text| !text.is_empty());
        Self(hidden)
    }

    /// One line of `text`, in which neither a secret nor one of these stands, in
    /// whatever case.
    pub(super) fn line(&self, text: &str, private: &[&str]) -> String {
        let secrets = self.0.iter().map(String::as_str);
        let private = private.iter().copied().map(str::trim);
        let mut line = text.to_owned();
        for needle in secrets.chain(private.filter(|text| text.len() >= SHORTEST)) {
            line = without(&line, needle);
        }
        one_line(&line, None, LONGEST_WORD)
    }
}

fn without(text: &str, needle: &str) -> String {
    // Letters beyond ASCII stay as they are, so that places are the same in both.
    let folded = text.to_ascii_lowercase();
    let needle = needle.to_ascii_lowercase();
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in folded.match_indices(&needle) {
        left.push_str(text.get(from..at).unwrap_or_default());
        left.push_str("***");
        from = at + needle.len();
    }
    left.push_str(text.get(from..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_secrets_nor_people_are_repeated() {
        let hidden = Hidden::new(&[&Secret::new("a/b+Hunter2"), &Secret::new("29666671")]);
        let said = "sk=a/b+HUNTER2\nsk=a%2Fb%2BHunter2 sk=YS9iK0h1bnRlcjI= ak=29666671: \
                    SITI (317) A é\u{7}";
        assert_eq!(
            hidden.line(said, &["Siti ", "317", "A", ""]),
            "sk=*** sk=*** sk=*** ak=***: *** (***) A é"
        );
        assert_eq!(hidden.line(&"x".repeat(999), &[]).len(), LONGEST_WORD);
        assert_eq!(Hidden::new(&[&Secret::new("")]).line("abc", &[]), "abc");
    }
}
