//! `flatbed queue`: an operator's look at the queue of exports, or at another one.
//!
//! | file | what it does |
//! |---|---|
//! | `dead_letters.rs` | the orders to queues that keep no records |
//! | `shown.rs` | jobs as people and programs read them |

mod dead_letters;
mod shown;

use std::fmt::Write as _;

use clap::{Subcommand, ValueEnum};

use self::shown::Shown;
use super::failure::Failure;
use super::{settings, stdio};
use crate::job::JobId;
use crate::queue::redis_list::RedisList;
use crate::queue::{Admin, Cancel, Counts, Error, Page, Record, Source as _, State};
use crate::serve::access;
use crate::serve::analysis::jobs::{Jobs, Kept};
use crate::serve::queues::Queue;
use crate::workload::access::Stage;

const EXAMPLES: &str = "\
Examples:
  flatbed queue stats
  flatbed queue list --state failed
  flatbed queue list --json | jq -r '.[] | select(.attempts > 1) | .id'
  flatbed queue show 0193b2f0-6d1c-7a52-9d5e-0f6c3a9b1c44
  flatbed queue retry --all-failed
  flatbed queue cancel 0193b2f0-6d1c-7a52-9d5e-0f6c3a9b1c44
  flatbed queue --of images list
  flatbed queue --of analysis stats
  flatbed queue --of access-create-person retry --all-failed

It is the queue that `serve` would use with the same settings (`flatbed config`),
in SQLite, Redis or Postgres, whether `serve` runs or not. The list of images that
a backend orders, the queues of access (in RabbitMQ), one of analyses and SQS have no
records of their jobs but of those that were set aside: there are stats, list and
retry.";

/// How many jobs are asked for at once.
const PAGE: u32 = 500;

/// See and mend the queue of exports
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Whose queue
    #[arg(long, value_enum, default_value_t = Of::Exports)]
    of: Of,
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// Exports
    Exports,
    /// Images over HTTP
    ImageApi,
    /// Images that a backend orders
    Images,
    /// Analyses of videos
    Analysis,
    /// Access: pages of people for the publisher
    AccessPublisher,
    /// Access: people to be created
    AccessCreatePerson,
    /// Access: people whose KIB numbers are to be set
    AccessUpdateKib,
    /// Access: people whose privilege groups are to be assigned
    AccessAssignPrivilege,
}

impl Of {
    /// The stage of access whose queue it is.
    fn stage(self) -> Option<Stage> {
        match self {
            Self::AccessPublisher => Some(Stage::Publisher),
            Self::AccessCreatePerson => Some(Stage::CreatePerson),
            Self::AccessUpdateKib => Some(Stage::UpdateKib),
            Self::AccessAssignPrivilege => Some(Stage::AssignPrivilege),
            _ => None,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Order {
    /// List jobs; finished ones the last first, others as they are due
    List {
        /// Only those that are waiting, active, completed, failed, delayed, paused or cancelled
        #[arg(long)]
        state: Option<State>,
        /// At most so many of each state
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show all that is known of a job
    Show {
        /// The job's id
        id: JobId,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Give failed or cancelled jobs all their attempts anew
    Retry {
        /// Their ids
        #[arg(required_unless_present = "all_failed")]
        id: Vec<JobId>,
        /// All that failed
        #[arg(long, conflicts_with = "id")]
        all_failed: bool,
    },
    /// Cancel jobs; one that is being worked on stops within two seconds
    Cancel {
        /// Their ids
        #[arg(required = true)]
        id: Vec<JobId>,
    },
    /// Count the jobs in each state
    Stats {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (config, _) = settings::read()?;
    settings::block_on(async {
        if let Some(stage) = arguments.of.stage() {
            let settings = config.access().map_err(|reason| {
                Failure::usage(format!("there are no queues of access: {reason}"))
            })?;
            let queue = access::queue(settings, stage)?;
            let done = arguments.order.give_to_list(&queue).await;
            queue.close().await;
            return done;
        }
        match arguments.of {
            Of::Images => {
                let settings = config.images().map_err(|reason| {
                    Failure::usage(format!("there is no queue of images: {reason}"))
                })?;
                let options = settings.queue.options.clone();
                let queue = RedisList::new(settings.queue.url.expose(), options)?;
                let done = arguments.order.give_to_list(&queue).await;
                queue.close().await;
                done
            }
            Of::Analysis => {
                let settings = config.analyses().map_err(|reason| {
                    Failure::usage(format!("there is no queue of analyses: {reason}"))
                })?;
                let jobs = Jobs::open(&config, settings).await;
                let jobs = jobs.map_err(|error| Failure::away(format!("{error:#}")))?;
                let done = match &jobs.kept {
                    Kept::Records(queue) => arguments.order.give(queue.as_ref()).await,
                    Kept::Letters(queue) => arguments.order.give_to_list(queue.as_ref()).await,
                };
                jobs.source.close().await;
                done
            }
            _ => {
                let queue = match arguments.of {
                    Of::ImageApi => Queue::image_api(&config).await,
                    _ => Queue::exports(&config).await,
                };
                let queue = queue.map_err(|error| Failure::away(format!("{error:#}")))?;
                let done = arguments.order.give(queue.admin.as_ref()).await;
                queue.source.close().await;
                done
            }
        }
    })?
}

impl Order {
    async fn give(&self, queue: &dyn Admin) -> Result<(), Failure> {
        match self {
            Self::List { state, limit, json } => list(queue, *state, *limit, *json).await,
            Self::Show { id, json } => show(queue, id, *json).await,
            Self::Retry { id, all_failed } => {
                if *all_failed {
                    retry_all_failed(queue).await
                } else {
                    each(id, async |id| retry(queue, id).await).await
                }
            }
            Self::Cancel { id } => each(id, async |id| cancel(queue, id).await).await,
            Self::Stats { json } => print_counts(&queue.counts().await?, *json),
        }
    }
}

async fn list(
    queue: &dyn Admin,
    state: Option<State>,
    limit: u32,
    json: bool,
) -> Result<(), Failure> {
    let states = state.map_or(State::ALL.to_vec(), |state| vec![state]);
    let mut listed = Vec::new();
    for state in states {
        let records = page_by_page(queue, state, limit).await?;
        listed.extend(records.into_iter().map(Shown::from));
    }
    if json {
        return stdio::print_json(&listed);
    }
    let text: String = listed.iter().map(Shown::line).collect();
    stdio::print(&text)
}

/// The first `limit` jobs in a state. Those that move on meanwhile may be missed.
async fn page_by_page(queue: &dyn Admin, state: State, limit: u32) -> Result<Vec<Record>, Failure> {
    let mut listed = Vec::new();
    let mut offset = 0;
    while offset < limit {
        let page = Page {
            offset,
            limit: PAGE.min(limit - offset),
        };
        let records = queue.list(state, page).await?;
        let is_last = records.len() < page.limit as usize;
        listed.extend(records);
        if is_last {
            break;
        }
        offset += page.limit;
    }
    Ok(listed)
}

async fn show(queue: &dyn Admin, id: &JobId, json: bool) -> Result<(), Failure> {
    let shown = Shown::from(find(queue, id).await?);
    if json {
        return stdio::print_json(&shown);
    }
    stdio::print(&shown.text())
}

async fn find(queue: &dyn Admin, id: &JobId) -> Result<Record, Failure> {
    let record = queue.find(id).await?;
    record.ok_or_else(|| unknown(id))
}

fn unknown(id: &JobId) -> Failure {
    Failure::unfit(format!("there is no job {id} in this queue"))
}

/// Does it to each; what fails stops none of the others, and is told.
async fn each(
    ids: &[JobId],
    order: impl AsyncFn(&JobId) -> Result<&'static str, Failure>,
) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for id in ids {
        match order(id).await {
            Ok(done) => stdio::print(&format!("{id}  {done}\n"))?,
            Err(failure) => failed.push(failure),
        }
    }
    let number = u64::try_from(failed.len()).unwrap_or(u64::MAX);
    if ids.len() > 1 {
        for failure in &failed {
            failure.explain();
        }
    }
    match failed.into_iter().next() {
        None => Ok(()),
        Some(failure) if ids.len() == 1 => Err(failure),
        Some(failure) => Err(failure.of_many(number, ids.len())),
    }
}

async fn retry(queue: &dyn Admin, id: &JobId) -> Result<&'static str, Failure> {
    if queue.retry(id).await? {
        return Ok("waiting");
    }
    let state = find(queue, id).await?.state.as_str();
    Err(Failure::unfit(format!(
        "job {id} is {state}; only what failed or was cancelled can be tried again"
    )))
}

async fn retry_all_failed(queue: &dyn Admin) -> Result<(), Failure> {
    // All of them first: what fails anew is not tried for ever.
    let failed = page_by_page(queue, State::Failed, u32::MAX).await?;
    let mut retried = 0;
    for record in failed {
        // Somebody else may have been at it.
        if queue.retry(&record.id).await? {
            retried += 1;
        }
    }
    stdio::print(&format!("{retried} failed jobs are waiting again\n"))
}

async fn cancel(queue: &dyn Admin, id: &JobId) -> Result<&'static str, Failure> {
    match queue.cancel(id).await? {
        Cancel::Cancelled | Cancel::TooLate(State::Cancelled) => Ok("cancelled"),
        Cancel::Asked => Ok("its worker was told to stop"),
        Cancel::TooLate(state) => Err(Failure::unfit(format!(
            "job {id} is {} already",
            state.as_str()
        ))),
        Cancel::Unknown => Err(unknown(id)),
    }
}

fn print_counts(counts: &Counts, json: bool) -> Result<(), Failure> {
    if json {
        return stdio::print_json(counts);
    }
    let mut text = String::new();
    for (state, number) in counts.by_state() {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{:9}  {number}", state.as_str());
    }
    stdio::print(&text)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::away(error.to_string())
    }
}
