//! The third stage: the person's KIB number is in the field that the operator has made
//! for it. This is also where regionals become privilege groups.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::failure::{Failure, Outages};
use super::message::{self, Assign, Updated};
use super::regionals::PrivilegeGroups;
use super::stage::Stage;
use crate::client::hikcentral::{CustomField, HikCentral, PersonId};
use crate::job::{Job, Outcome};
use crate::queue::Sink;
use crate::runner::{JobContext, Workload};
use crate::telemetry::{AccessMetrics, PersonStep};

const STAGE: &str = Stage::UpdateKib.as_str();

/// The workload.
pub struct Updating {
    hikcentral: HikCentral,
    field: CustomField,
    groups: PrivilegeGroups,
    next: Arc<dyn Sink>,
    metrics: AccessMetrics,
    outages: Outages,
}

impl Updating {
    /// The workload: KIB numbers go into `field`, and people on to `next`.
    pub fn new(
        hikcentral: HikCentral,
        field: CustomField,
        groups: PrivilegeGroups,
        next: Arc<dyn Sink>,
        metrics: AccessMetrics,
    ) -> Self {
        Self {
            hikcentral,
            field,
            groups,
            next,
            metrics,
            outages: Outages::default(),
        }
    }

    async fn update(&self, job: &Job) -> Result<usize, Failure> {
        let message = Updated::read(&job.payload).map_err(Failure::Message)?;
        let (person, kib) = (PersonId::new(&*message.person.0), &*message.kib_number.0);
        tracing::info!(stage = STAGE, %person, kib, "processing");
        self.hikcentral
            .set_custom_field(&person, &self.field, kib)
            .await?;
        tracing::info!(stage = STAGE, %person, kib, "person updated with KIB");
        let mapped = self.groups.of(message.regionals());
        if !mapped.unknown.is_empty() {
            self.metrics.unknown_regionals(mapped.unknown.len());
            let unknown = &mapped.unknown;
            tracing::warn!(
                stage = STAGE, %person, kib, ?unknown,
                "regionals that stand for no privilege group; see to ACCESS_PRIVILEGE_GROUPS"
            );
        }
        let next = Assign {
            person: person.as_str(),
            privilege_groups: &mapped.groups,
        };
        let next = message::written(&next).map_err(Failure::Message)?;
        self.next.send(&message::person_id(kib), &next).await?;
        let groups = mapped.groups.len();
        tracing::info!(stage = STAGE, %person, groups, "sent to assign privilege");
        self.metrics.people(STAGE, PersonStep::Updated, 1);
        Ok(groups)
    }
}

#[async_trait]
impl Workload for Updating {
    fn name(&self) -> &'static str {
        Stage::UpdateKib.workload()
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        match self.update(&job).await {
            Ok(groups) => Outcome::Done(json!({ "groups": groups })),
            Err(failure) => {
                self.metrics.people(STAGE, PersonStep::Failed, 1);
                self.outages.end(STAGE, &failure, &context).await
            }
        }
    }
}
