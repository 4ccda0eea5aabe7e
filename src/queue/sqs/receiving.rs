//! Long polls, for those who wait and no others.
//!
//! A poll that nobody waits for any more is not broken off, or SQS could hand a
//! message to a connection that is gone: whoever waits next gets what it brings, and
//! without one it is put back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::json;
use tokio::sync::oneshot;

use super::Shared;
use super::delivery::Ticket;
use super::message::Message;
use crate::job::Outcome;
use crate::queue::Result;

/// SQS's own limits of a call.
const MOST_MESSAGES: usize = 10;
const LONGEST_WAIT: u64 = 20;

/// To whom a message goes.
type To = oneshot::Sender<Result<Ticket>>;

/// Who waits, in the order of coming.
#[derive(Default)]
pub(super) struct Waiters(Mutex<Line>);

#[derive(Default)]
struct Line {
    waiting: VecDeque<To>,
    is_polled: bool,
}

impl Waiters {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait; without any, the polling ends.
    fn count(&self) -> usize {
        let mut line = self.line();
        line.waiting.retain(|to| !to.is_closed());
        if line.waiting.is_empty() {
            line.is_polled = false;
        }
        line.waiting.len()
    }

    fn next(&self) -> Option<To> {
        self.line().waiting.pop_front()
    }
}

/// Has `to` get the next message.
pub(super) fn wait(shared: &Arc<Shared>, to: To) {
    let mut line = shared.waiters.line();
    line.waiting.push_back(to);
    if !line.is_polled {
        line.is_polled = true;
        tokio::spawn(poll(Arc::clone(shared)));
    }
}

async fn poll(shared: Arc<Shared>) {
    loop {
        let waiting = shared.waiters.count();
        if waiting == 0 {
            return;
        }
        match receive(&shared, waiting).await {
            Ok(tickets) => {
                for ticket in tickets {
                    hand_out(&shared, ticket).await;
                }
            }
            Err(error) => {
                if let Some(to) = shared.waiters.next() {
                    let _ = to.send(Err(error));
                }
            }
        }
    }
}

/// To the first who still waits.
async fn hand_out(shared: &Shared, mut ticket: Ticket) {
    while let Some(to) = shared.waiters.next() {
        match to.send(Ok(ticket)) {
            Err(Ok(back)) => ticket = back,
            _ => return,
        }
    }
    if let Err(error) = shared.settle(&mut ticket, &Outcome::PutBack).await {
        // Not lost: its lease ends.
        let job = &ticket.job.id;
        tracing::warn!(%job, %error, "a job nobody took was not put back");
    }
}

/// One poll, for at most so many messages.
async fn receive(shared: &Shared, most: usize) -> Result<Vec<Ticket>> {
    let options = &shared.options;
    let max_attempts = shared.shelf().await?.max_attempts;
    let wait = options.wait.as_secs().min(LONGEST_WAIT);
    let call = json!({
        "MaxNumberOfMessages": most.min(MOST_MESSAGES),
        "WaitTimeSeconds": wait,
        "VisibilityTimeout": shared.lease(),
        "MessageSystemAttributeNames": ["ApproximateReceiveCount", "SentTimestamp", "MessageGroupId"],
        "MessageAttributeNames": ["All"],
    });
    let begun = Instant::now();
    let waits = std::time::Duration::from_secs(wait);
    let answer = shared.call_waiting(&options.url, "ReceiveMessage", call, waits);
    let mut answer = answer
        .await
        .map_err(|failure| shared.client.error(failure))?;
    let mut tickets = Vec::new();
    for message in Message::all(&mut answer) {
        let mut ticket = Ticket::new(message, shared, max_attempts, begun);
        if ticket.is_worn_out() {
            shared.set_aside_lost(&mut ticket).await?;
        } else if ticket.is_kept(shared).await? {
            tickets.push(ticket);
        }
    }
    Ok(tickets)
}
