//! What calls cost, for the counter in the metrics.

use std::fmt::{self, Display};
use std::str::FromStr;
use std::time::Duration;

use crate::config::Variables;

/// An amount of money, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Dollars(pub f64);

impl Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected dollars, as 0.15")]
pub struct InvalidPrice;

impl FromStr for Dollars {
    type Err = InvalidPrice;

    fn from_str(text: &str) -> Result<Self, InvalidPrice> {
        let number: Result<f64, _> = text.trim_start_matches('$').parse();
        match number {
            Ok(number) if (0.0..=1e6).contains(&number) => Ok(Self(number)),
            _ => Err(InvalidPrice),
        }
    }
}

/// What models ask for their work.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// A minute of sound.
    pub audio_minute: Dollars,
    /// A million tokens that the vision model reads.
    pub vision_input: Dollars,
    /// A million tokens that it writes.
    pub vision_output: Dollars,
    /// A million tokens that the embedding model reads.
    pub embedding: Dollars,
}

/// Tokens as the API counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// What the model read, pictures included.
    pub input: u64,
    /// What it wrote.
    pub output: u64,
}

impl Prices {
    /// As the variables say; by default as OpenAI's list has it for the default models
    /// (2026), and nothing for any other model or server.
    pub(super) fn read(variables: &mut Variables, known: [bool; 3]) -> Self {
        let [audio, vision, embedding] = known;
        let listed = |known: bool, price: f64| Dollars(if known { price } else { 0.0 });
        Self {
            audio_minute: variables.parse("OPENAI_PRICE_AUDIO_MINUTE", listed(audio, 0.006)),
            vision_input: variables.parse("OPENAI_PRICE_VISION_INPUT", listed(vision, 0.15)),
            vision_output: variables.parse("OPENAI_PRICE_VISION_OUTPUT", listed(vision, 0.6)),
            embedding: variables.parse("OPENAI_PRICE_EMBEDDING", listed(embedding, 0.02)),
        }
    }

    /// Of so much sound.
    pub(super) fn of_audio(&self, length: Duration) -> Dollars {
        Dollars(self.audio_minute.0 * length.as_secs_f64() / 60.0)
    }

    /// Of a caption.
    pub(super) fn of_caption(&self, tokens: Tokens) -> Dollars {
        let input = millions(tokens.input) * self.vision_input.0;
        Dollars(input + millions(tokens.output) * self.vision_output.0)
    }

    /// Of embeddings.
    pub(super) fn of_embeddings(&self, tokens: Tokens) -> Dollars {
        Dollars(millions(tokens.input) * self.embedding.0)
    }
}

#[allow(clippy::cast_precision_loss, reason = "no bill is that long")]
fn millions(tokens: u64) -> f64 {
    tokens as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_per_minute_and_per_million() {
        let prices = Prices::read(&mut Variables::of([]), [true; 3]);
        let close = |dollars: Dollars, expected: f64| (dollars.0 - expected).abs() < 1e-12;
        assert!(close(prices.of_audio(Duration::from_secs(90)), 0.009));
        let tokens = Tokens {
            input: 2_000_000,
            output: 500_000,
        };
        assert!(close(prices.of_caption(tokens), 0.6));
        assert!(close(prices.of_embeddings(tokens), 0.04));
        let own = Prices::read(&mut Variables::of([]), [false; 3]);
        assert_eq!(own, Prices::default());
    }

    #[test]
    fn prices_are_numbers() {
        assert_eq!("$0.15".parse(), Ok(Dollars(0.15)));
        for text in ["", "free", "-1", "NaN", "inf", "1e9"] {
            assert_eq!(text.parse::<Dollars>(), Err(InvalidPrice), "{text}");
        }
    }
}
