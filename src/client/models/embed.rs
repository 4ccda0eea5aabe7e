//! Texts become vectors, near one another where they mean the same.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::batch::{MOST_TOKENS, batches, shortened, tokens};
use super::exchange::Content;
use super::price::Tokens;
use super::vector::Written;
use super::{Call, Kind, Models, Result};

/// Texts are not cut shorter than so many tokens.
const LEAST_TOKENS: usize = 64;

/// Vectors of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// One for each text, in their order; all of the same length.
    pub vectors: Vec<Vec<f32>>,
    /// The texts of which only the beginning was embedded.
    pub shortened: Vec<Shortened>,
    /// What that took.
    pub tokens: Tokens,
}

/// A text that was too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortened {
    /// Which one, from 0.
    pub index: usize,
    /// How many of its bytes were embedded.
    pub kept: usize,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Embedded>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Embedded {
    index: Option<usize>,
    embedding: Written,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
}

impl Models {
    /// The vectors of these texts, none of which may be blank. What is too long for the
    /// model is shortened, and told.
    pub async fn embed<T: AsRef<str>>(&self, texts: &[T]) -> Result<Embeddings> {
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        if let Some(blank) = texts.iter().position(|text| text.trim().is_empty()) {
            let reason = format!("text {blank} of {} is blank", texts.len());
            return Err(self.error(Call::Embed, Kind::Unfit, reason));
        }
        let longest = self.config.input_tokens;
        let sizes: Vec<usize> = texts.iter().map(|text| tokens(text).min(longest)).collect();
        let mut done = Embeddings {
            vectors: Vec::with_capacity(texts.len()),
            shortened: Vec::new(),
            tokens: Tokens::default(),
        };
        // Those that are still to do, the next one last: a request that is too long is
        // halved.
        let mut waiting = batches(&sizes, self.config.batch, MOST_TOKENS.max(longest));
        waiting.reverse();
        let mut longest_now = longest;
        while let Some(batch) = waiting.pop() {
            let some = texts.get(batch.clone()).unwrap_or_default();
            match self.embed_some(some, longest_now).await {
                Ok(embedded) => {
                    done.add(batch.start, embedded);
                    longest_now = longest;
                }
                Err(error) if error.kind() == Kind::TooLong && batch.len() > 1 => {
                    let middle = batch.start + batch.len() / 2;
                    waiting.extend([middle..batch.end, batch.start..middle]);
                }
                Err(error) if error.kind() == Kind::TooLong && longest_now > LEAST_TOKENS => {
                    let now = some.first().map_or(0, |text| tokens(text));
                    longest_now = (now.min(longest_now) / 2).max(LEAST_TOKENS);
                    waiting.push(batch);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    async fn embed_some(&self, texts: &[&str], longest: usize) -> Result<Embeddings> {
        let mut notes = Vec::new();
        let mut inputs = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let input = shortened(text, longest);
            if input.len() < text.len() {
                let kept = input.len();
                notes.push(Shortened { index, kept });
            }
            inputs.push(input);
        }
        let plain = &self.shared.learned.no_base64;
        let body = match self.ask_for_vectors(&inputs).await {
            Err(error)
                if error.kind() == Kind::Refused
                    && !plain.load(Ordering::Relaxed)
                    && (error.word().is_about("encoding_format")
                        || error.word().mentions("base64")) =>
            {
                plain.store(true, Ordering::Relaxed);
                self.ask_for_vectors(&inputs).await?
            }
            body => body?,
        };
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|error| self.foreign(Call::Embed, &error.to_string()))?;
        let tokens = Tokens {
            input: answer.usage.map_or(0, |usage| usage.prompt_tokens),
            output: 0,
        };
        self.count(Call::Embed, tokens);
        self.spend(Call::Embed, self.config.prices.of_embeddings(tokens));
        Ok(Embeddings {
            vectors: self.in_order(answer.data, texts.len())?,
            shortened: notes,
            tokens,
        })
    }

    async fn ask_for_vectors<T: AsRef<str>>(&self, inputs: &[T]) -> Result<Bytes> {
        let inputs: Vec<&str> = inputs.iter().map(AsRef::as_ref).collect();
        let plain = self.shared.learned.no_base64.load(Ordering::Relaxed);
        let mut question = json!({
            "model": self.config.embedding,
            "input": inputs,
            "encoding_format": if plain { "float" } else { "base64" },
        });
        if let (Some(fields), Some(dimensions)) = (question.as_object_mut(), self.config.dimensions)
        {
            fields.insert("dimensions".to_owned(), dimensions.into());
        }
        let content = Content::Json(question.to_string().into());
        self.ask(Call::Embed, &content).await
    }

    /// One vector for each text, in the texts' order, all as long as any before.
    fn in_order(&self, data: Vec<Embedded>, expected: usize) -> Result<Vec<Vec<f32>>> {
        let foreign = |reason: &str| self.foreign(Call::Embed, reason);
        if data.len() != expected {
            let reason = format!("{} vectors for {expected} texts", data.len());
            return Err(foreign(&reason));
        }
        let mut vectors: Vec<Option<Vec<f32>>> = vec![None; expected];
        for (at, embedded) in data.into_iter().enumerate() {
            let vector = embedded.embedding.read().map_err(foreign)?;
            self.measure(vector.len())?;
            let place = vectors.get_mut(embedded.index.unwrap_or(at));
            match place {
                Some(place @ None) => *place = Some(vector),
                _ => return Err(foreign("two vectors for one text")),
            }
        }
        Ok(vectors.into_iter().flatten().collect())
    }

    /// Vectors of different lengths cannot be compared.
    fn measure(&self, length: usize) -> Result<()> {
        let learned = &self.shared.learned.dimensions;
        let expected = self.config.dimensions;
        let expected = expected.unwrap_or_else(|| *learned.get_or_init(|| length));
        if length == expected {
            return Ok(());
        }
        let reason = format!(
            "a vector has {length} numbers, and the others {expected}; see to \
             OPENAI_EMBEDDING_MODEL and OPENAI_EMBEDDING_DIMENSIONS"
        );
        Err(self.foreign(Call::Embed, &reason))
    }
}

impl Embeddings {
    /// Those of the texts from `start` on.
    fn add(&mut self, start: usize, more: Self) {
        self.vectors.extend(more.vectors);
        let notes = more.shortened.into_iter();
        self.shortened.extend(notes.map(|note| Shortened {
            index: start + note.index,
            ..note
        }));
        self.tokens.input += more.tokens.input;
    }
}
