//! Claims that are never forgotten: one whose answer was lost is asked for again
//! under its token, and one that nobody waits for any more is put back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;
use uuid::Uuid;

use super::bell::Bell;
use crate::job::Job;
use crate::queue::{Error, Lease, Result};

/// How often an idle consumer looks although nothing rang.
const IDLE_LOOK: Duration = Duration::from_secs(5);

/// The same while there are jobs for others, whose coming and going rings all the time.
const LOOK_AMONG_OTHERS: Duration = Duration::from_millis(500);

/// What a claim found.
pub(in crate::queue) enum Claim<T> {
    /// A job.
    Taken(Box<T>),
    /// Nothing to claim; the next is due after so many milliseconds, if there is
    /// one.
    Nothing(Option<u64>),
    /// The same, and there are jobs that are for others to take.
    OnlyOthers(Option<u64>),
}

/// The tokens of claims whose answers were lost.
#[derive(Default)]
pub(in crate::queue) struct Doubtful(Mutex<VecDeque<String>>);

impl Doubtful {
    fn tokens(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A queue in Redis, as far as claiming goes.
pub(in crate::queue) trait Claims: Clone + Send + Sync + 'static {
    /// A claimed job, and what its claim is known by.
    type Ticket: Send + Sync + 'static;

    /// The queue, for messages.
    fn name(&self) -> &str;

    fn doubtful(&self) -> &Doubtful;

    fn bell(&self) -> &Bell;

    /// The longest wait between two looks for what lost its worker.
    fn check(&self) -> Duration;

    /// Claims under `token`; `again` where an earlier call with this token got no
    /// answer.
    fn claim(
        &self,
        token: String,
        again: bool,
    ) -> impl Future<Output = Result<Claim<Self::Ticket>>> + Send;

    fn put_back(&self, ticket: &Self::Ticket) -> impl Future<Output = Result<Lease>> + Send;

    fn job(ticket: &Self::Ticket) -> &Job;
}

/// Waits until there is a job, and claims it.
pub(in crate::queue) async fn receive<Q: Claims>(queue: &Q) -> Result<Box<Q::Ticket>> {
    let bell = queue.bell();
    loop {
        match claim(queue).await? {
            Claim::Taken(ticket) => return Ok(ticket),
            Claim::OnlyOthers(due) => {
                let due = due.map_or(LOOK_AMONG_OTHERS, Duration::from_millis);
                sleep(due.min(LOOK_AMONG_OTHERS)).await;
            }
            Claim::Nothing(due) => {
                let due = due.map_or(IDLE_LOOK, Duration::from_millis);
                tokio::select! {
                    () = bell.rung() => {}
                    () = sleep(due.min(IDLE_LOOK).min(queue.check())) => {}
                }
            }
        }
    }
}

/// In a task of its own: a claim that Redis has made is never forgotten.
async fn claim<Q: Claims>(queue: &Q) -> Result<Claim<Q::Ticket>> {
    let for_task = queue.clone();
    tokio::spawn(async move {
        let queue = for_task;
        let doubtful = queue.doubtful().tokens().pop_front();
        let again = doubtful.is_some();
        let token = doubtful.unwrap_or_else(|| Uuid::now_v7().to_string());
        match queue.claim(token.clone(), again).await {
            Ok(claim) => Ok(OnItsWay {
                claim: Some(claim),
                queue,
            }),
            Err(error) => {
                queue.doubtful().tokens().push_back(token);
                Err(error)
            }
        }
    })
    .await
    // The process ends.
    .map_err(|_| Error::Away {
        queue: queue.name().to_owned(),
        reason: "the claim was broken off".to_owned(),
        source: None,
    })?
    .map(OnItsWay::arrived)
}

/// A claim on its way to whoever asked for it. If nobody takes it, because the
/// future was dropped meanwhile, the job is put back.
struct OnItsWay<Q: Claims> {
    claim: Option<Claim<Q::Ticket>>,
    queue: Q,
}

impl<Q: Claims> OnItsWay<Q> {
    fn arrived(mut self) -> Claim<Q::Ticket> {
        self.claim.take().unwrap_or(Claim::Nothing(None))
    }
}

impl<Q: Claims> Drop for OnItsWay<Q> {
    fn drop(&mut self) {
        let Some(Claim::Taken(ticket)) = self.claim.take() else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            return; // Its lease ends.
        };
        let queue = self.queue.clone();
        runtime.spawn(async move {
            if let Err(error) = queue.put_back(&ticket).await {
                // Not lost: its lease ends.
                let job = &Q::job(&ticket).id;
                tracing::warn!(%job, %error, "a job nobody took was not put back");
            }
        });
    }
}
