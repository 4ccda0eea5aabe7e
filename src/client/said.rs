//! What peers and the HTTP client say, made fit for an error: in one line, bounded, and
//! without our secrets.

use std::error::Error as StdError;

use crate::config::Secret;

/// One line of at most `most` characters, in which `secret` does not stand.
pub(super) fn one_line(text: &str, secret: Option<&Secret>, most: usize) -> String {
    let hidden = match secret {
        Some(secret) => secret.hide(text),
        None => text.to_owned(),
    };
    let words: Vec<&str> = hidden.split_whitespace().collect();
    let line = words.join(" ");
    line.chars()
        .filter(|c| !c.is_control())
        .take(most)
        .collect()
}

/// The last error of the chain, which says what happened; the first one names the
/// address.
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    let mut deepest = String::new();
    while let Some(error) = next {
        deepest = error.to_string();
        next = error.source();
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_before_the_line_is_cut() {
        let secret = Secret::new("hunter2");
        let text = "your\n token\thunter2 is wrong\u{7}";
        assert_eq!(
            one_line(text, Some(&secret), 100),
            "your token *** is wrong"
        );
        assert_eq!(one_line(text, Some(&secret), 13), "your token **");
        assert_eq!(one_line(text, None, 13), "your token hu");
        assert_eq!(one_line("a", Some(&Secret::new("")), 9), "a");
    }
}
