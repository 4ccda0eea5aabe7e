//! The first stage: a page of people becomes a message for each of them.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use super::failure::{Failure, Outages};
use super::message::{self, Create};
use super::name::Names;
use super::stage::Stage;
use crate::client::eposh::Employee;
use crate::job::{Job, Outcome};
use crate::queue::{self, Sink};
use crate::runner::{JobContext, Workload};
use crate::telemetry::{AccessMetrics, PersonStep};

/// Messages that are on their way to the broker at once.
const AT_ONCE: usize = 32;

const STAGE: &str = Stage::Publisher.as_str();

/// The workload.
pub struct Publishing {
    /// The queue of people who are to be created.
    pub next: Arc<dyn Sink>,
    /// How people appear in the log.
    pub names: Names,
    /// Where people are counted.
    pub metrics: AccessMetrics,
    outages: Outages,
}

impl Publishing {
    /// The workload, which sends to `next`.
    pub fn new(next: Arc<dyn Sink>, names: Names, metrics: AccessMetrics) -> Self {
        Self {
            next,
            names,
            metrics,
            outages: Outages::default(),
        }
    }

    /// Sends everybody of the page on; how many they are. A second run sends them again.
    async fn publish(&self, job: &Job) -> Result<usize, Failure> {
        let page = message::batch(&job.payload).map_err(Failure::Message)?;
        let (number, last) = (page.pagination.current_page, page.pagination.last_page);
        let people = page.data.len();
        tracing::info!(stage = STAGE, page = number, last, people, "received batch");
        for unread in &page.unread {
            let (place, reason) = (unread.place, &unread.reason);
            tracing::warn!(
                stage = STAGE,
                page = number,
                place,
                reason,
                "a person is left out"
            );
        }
        let sending = page.data.into_iter().map(|employee| self.send(employee));
        stream::iter(sending)
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        tracing::info!(
            stage = STAGE,
            page = number,
            last,
            "batch published: {people}/{people} employees sent to create person"
        );
        self.metrics.people(STAGE, PersonStep::Published, people);
        Ok(people)
    }

    async fn send(&self, employee: Employee) -> queue::Result<()> {
        let kib = &*employee.kib_number;
        // What was read can be written.
        let message = message::written(&Create {
            employee: &employee,
        })
        .unwrap_or_default();
        self.next.send(&message::person_id(kib), &message).await?;
        let name = self.names.show(&employee.name);
        tracing::info!(stage = STAGE, kib, name, "published");
        Ok(())
    }
}

#[async_trait]
impl Workload for Publishing {
    fn name(&self) -> &'static str {
        Stage::Publisher.workload()
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        match self.publish(&job).await {
            Ok(people) => Outcome::Done(json!({ "employees": people })),
            Err(failure) => {
                self.metrics.people(STAGE, PersonStep::Failed, 1);
                self.outages.end(STAGE, &failure, &context).await
            }
        }
    }
}
