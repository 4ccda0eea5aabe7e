//! Which texts go together, and how long each may be.
//!
//! What a token is only the model's own tokenizer knows. Texts are cut by an estimate
//! that is rather too high: 3 characters of ASCII a token (English has 4 or more), 2
//! tokens for any other character. Where it is too low all the same, the server says so
//! and less is sent.

use std::borrow::Cow;
use std::ops::Range;

/// Tokens in one request, as OpenAI has it: 300,000 at most.
pub(super) const MOST_TOKENS: usize = 280_000;

/// Sixths of a token.
const ASCII: usize = 2;
const OTHER: usize = 12;

/// About how many tokens a text is.
pub(super) fn tokens(text: &str) -> usize {
    text.chars().map(weight).sum::<usize>().div_ceil(6)
}

fn weight(c: char) -> usize {
    if c.is_ascii() { ASCII } else { OTHER }
}

/// The beginning of a text that is too long, cut between words where there is one near.
pub(super) fn shortened(text: &str, most_tokens: usize) -> Cow<'_, str> {
    let mut left = most_tokens.saturating_mul(6);
    for (at, c) in text.char_indices() {
        let weight = weight(c);
        if weight > left {
            let kept = text.get(..at).unwrap_or_default();
            let word = kept.rfind(char::is_whitespace);
            let near = word.filter(|word| kept.len() - word <= 100);
            let kept = near.and_then(|word| kept.get(..word)).unwrap_or(kept);
            return Cow::Owned(kept.trim_end().to_owned());
        }
        left -= weight;
    }
    Cow::Borrowed(text)
}

/// Which go into each request: so many, and not too many tokens together.
pub(super) fn batches(tokens: &[usize], most: usize, most_tokens: usize) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut sum = 0_usize;
    for (at, tokens) in tokens.iter().enumerate() {
        if at > start && (at - start >= most || sum + tokens > most_tokens) {
            batches.push(start..at);
            (start, sum) = (at, 0);
        }
        sum += tokens;
    }
    if start < tokens.len() {
        batches.push(start..tokens.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters_and_words() {
        assert_eq!(shortened("a b c", 2), "a b c");
        assert_eq!(shortened("hello there my friend", 5), "hello there my");
        assert_eq!(shortened(&"x".repeat(500), 100), "x".repeat(300));
        assert_eq!(shortened("東京都庁", 4), "東京");
        assert_eq!(shortened("東京", 0), "");
        for text in ["", "a", "東京 tower", &"ab ".repeat(1000)] {
            for most in 0..50 {
                let short = shortened(text, most);
                assert!(
                    tokens(&short) <= most && text.starts_with(&*short),
                    "{text} {most}"
                );
            }
        }
    }

    #[test]
    fn batches_hold_so_many_texts_and_tokens() {
        assert!(batches(&[], 2, 10).is_empty());
        assert_eq!(batches(&[1, 1, 1], 2, 10), [0..2, 2..3]);
        assert_eq!(batches(&[6, 5, 5, 20, 1], 9, 10), [0..1, 1..3, 3..4, 4..5]);
    }
}
