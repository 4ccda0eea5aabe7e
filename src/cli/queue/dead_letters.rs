//! Orders to a queue that keeps no records of its jobs: counts, and what was set aside.

use serde::Serialize;
use serde_json::Value;

use super::{Order, each, print_counts};
use crate::cli::failure::{Failure, one_line};
use crate::cli::stdio;
use crate::http::rfc3339;
use crate::job::JobId;
use crate::queue::{DeadLetter, DeadLetters, State};

/// A job that was set aside.
#[derive(Serialize)]
struct Shown {
    id: JobId,
    state: State,
    attempts: Option<u32>,
    reason: Option<String>,
    finished_at: Option<String>,
    /// What the producer sent: JSON, or else text.
    payload: Value,
}

impl Order {
    /// Gives it to a queue that keeps no records.
    pub(super) async fn give_to_list(&self, queue: &dyn DeadLetters) -> Result<(), Failure> {
        match self {
            Self::Stats { json } => print_counts(&queue.counts().await?, *json),
            Self::List { state, limit, json } => {
                if state.is_some_and(|state| state != State::Failed) {
                    return Err(Failure::usage(
                        "this queue lists what was set aside alone: --state failed",
                    ));
                }
                list(queue, *limit, *json).await
            }
            Self::Retry { id, all_failed } => {
                if *all_failed {
                    retry_all(queue).await
                } else {
                    each(id, async |id| retry(queue, id).await).await
                }
            }
            Self::Show { .. } | Self::Cancel { .. } => Err(Failure::usage(
                "this queue keeps no records of its jobs: there are stats, list and retry",
            )),
        }
    }
}

async fn list(queue: &dyn DeadLetters, limit: u32, json: bool) -> Result<(), Failure> {
    let letters = queue.dead_letters(limit).await?;
    let letters: Vec<Shown> = letters.into_iter().map(Shown::from).collect();
    if json {
        return stdio::print_json(&letters);
    }
    let text: String = letters.iter().map(Shown::line).collect();
    stdio::print(&text)
}

async fn retry(queue: &dyn DeadLetters, id: &JobId) -> Result<&'static str, Failure> {
    if queue.retry(id).await? {
        return Ok("waiting");
    }
    Err(Failure::unfit(format!(
        "there is no job {id} that was set aside in this queue"
    )))
}

async fn retry_all(queue: &dyn DeadLetters) -> Result<(), Failure> {
    let mut retried = 0;
    for letter in queue.dead_letters(u32::MAX).await? {
        // Somebody else may have been at it.
        if queue.retry(&letter.id).await? {
            retried += 1;
        }
    }
    stdio::print(&format!("{retried} failed jobs are waiting again\n"))
}

impl From<DeadLetter> for Shown {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            state: State::Failed,
            attempts: letter.attempts,
            reason: letter.reason,
            finished_at: letter.at.map(rfc3339),
            payload: serde_json::from_slice(&letter.payload)
                .unwrap_or_else(|_| String::from_utf8_lossy(&letter.payload).into()),
        }
    }
}

impl Shown {
    /// One line of a list: id, state, attempts, when, and why.
    fn line(&self) -> String {
        let attempts = self.attempts.map_or(String::new(), |it| it.to_string());
        let line = format!(
            "{}  {:9}  {attempts:>5}  {:24}  {}",
            self.id,
            self.state.as_str(),
            self.finished_at.as_deref().unwrap_or_default(),
            one_line(self.reason.as_deref().unwrap_or_default())
        );
        format!("{}\n", line.trim_end())
    }
}
