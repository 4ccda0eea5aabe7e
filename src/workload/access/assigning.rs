//! The last stage: the person is in all of their privilege groups, and the devices at
//! the doors know it where that is asked for.
//!
//! Groups are asked for in parallel. What has been given is remembered for as long as
//! the job is not at its end, so that another attempt asks for the missing ones alone.
//! The message says nothing of it, as other workers read it too: a process that has
//! not seen the first attempt asks for all of them, which does no harm.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::join_all;
use serde_json::json;

use super::failure::{Failure, Outages};
use super::message::Assigned;
use super::stage::Stage;
use crate::client::hikcentral::{self, HikCentral, Kind, PersonId};
use crate::job::{Job, JobId, Outcome};
use crate::runner::{JobContext, Workload};
use crate::telemetry::{AccessMetrics, PersonStep};

const STAGE: &str = Stage::AssignPrivilege.as_str();

/// People of whom is remembered which groups they have. Beyond that nobody's are: they
/// are asked for again.
const REMEMBERED: usize = 10_000;

/// The workload.
pub struct Assigning {
    hikcentral: HikCentral,
    /// Doors whose devices are told at once; they hear of it in `HikCentral`'s own time
    /// where there are none.
    doors: Vec<String>,
    metrics: AccessMetrics,
    outages: Outages,
    given: Given,
}

impl Assigning {
    /// The workload, which tells the devices of these doors.
    pub fn new(hikcentral: HikCentral, doors: Vec<String>, metrics: AccessMetrics) -> Self {
        Self {
            hikcentral,
            doors,
            metrics,
            outages: Outages::default(),
            given: Given::default(),
        }
    }

    async fn assign(&self, job: &Job) -> Result<usize, Failure> {
        let message = Assigned::read(&job.payload).map_err(Failure::Message)?;
        let person = PersonId::new(&*message.person.0);
        let groups = message.privilege_groups.into_iter().map(|group| group.0);
        let all: BTreeSet<String> = groups.collect();
        tracing::info!(stage = STAGE, %person, groups = ?all, "processing");
        self.give(job, &person, &all).await?;
        self.tell_devices(&person).await?;
        tracing::info!(stage = STAGE, %person, "completed");
        Ok(all.len())
    }

    async fn give(
        &self,
        job: &Job,
        person: &PersonId,
        all: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let given = self.given.of(&job.id, person);
        let missing: Vec<&String> = all.difference(&given).collect();
        let asked = missing
            .iter()
            .map(|group| self.hikcentral.add_to_group(group, person));
        let mut refused = Vec::new();
        for (group, answer) in missing.iter().zip(join_all(asked).await) {
            match answer {
                Ok(()) => {
                    self.given.add(&job.id, person, group);
                    tracing::info!(stage = STAGE, %person, group, "added to privilege group");
                }
                Err(error) => refused.push((*group, error)),
            }
        }
        let (assigned, all) = (all.len() - refused.len(), all.len());
        self.metrics
            .groups(missing.len() - refused.len(), refused.len());
        tracing::info!(
            stage = STAGE, %person,
            "Assigned {assigned}/{all} privilege groups"
        );
        if refused.is_empty() {
            return Ok(());
        }
        Err(partly(assigned, all, person, refused))
    }

    async fn tell_devices(&self, person: &PersonId) -> Result<(), Failure> {
        if self.doors.is_empty() {
            return Ok(());
        }
        let applied = self
            .hikcentral
            .apply_to_devices(std::slice::from_ref(person), &self.doors)
            .await?;
        if applied.failed.contains(person) {
            let doors = self.doors.join(", ");
            return Err(Failure::Devices(format!(
                "person {person} was not taken by all devices of the doors {doors}"
            )));
        }
        let waiting = applied.waiting.unwrap_or_default();
        if waiting > 0 {
            // HikCentral goes on by itself.
            tracing::warn!(stage = STAGE, %person, waiting, "devices are not through yet");
        } else {
            tracing::info!(stage = STAGE, %person, "devices have it");
        }
        Ok(())
    }
}

/// Some groups are not the person's. Where that is so for a reason that anybody would
/// meet, it is an outage; one group that is full or not there is this one's.
fn partly(
    assigned: usize,
    all: usize,
    person: &PersonId,
    refused: Vec<(&String, hikcentral::Error)>,
) -> Failure {
    let is_outage =
        |error: &hikcentral::Error| error.is_about_all_jobs() && error.kind() != Kind::Full;
    let passes = refused.iter().any(|(_, error)| error.passes());
    let missing: Vec<String> = refused
        .iter()
        .map(|(group, error)| format!("{group} ({error})"))
        .collect();
    let mut outages = refused.into_iter().filter(|(_, error)| is_outage(error));
    if let Some((_, error)) = outages.next() {
        return error.into();
    }
    Failure::Partly {
        assigned,
        all,
        person: person.to_string(),
        missing: missing.join(", "),
        passes,
    }
}

/// Groups that were given to people whose jobs are not at their end.
#[derive(Default)]
struct Given(Mutex<HashMap<JobId, (PersonId, BTreeSet<String>)>>);

impl Given {
    fn of(&self, job: &JobId, person: &PersonId) -> BTreeSet<String> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match given.get(job) {
            Some((known, groups)) if known == person => groups.clone(),
            _ => BTreeSet::new(),
        }
    }

    fn add(&self, job: &JobId, person: &PersonId, group: &str) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= REMEMBERED && !given.contains_key(job) {
            return;
        }
        let entry = given
            .entry(job.clone())
            .or_insert_with(|| (person.clone(), BTreeSet::new()));
        if entry.0 != *person {
            *entry = (person.clone(), BTreeSet::new());
        }
        entry.1.insert(group.to_owned());
    }

    fn forget(&self, job: &JobId) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.remove(job);
    }
}

#[async_trait]
impl Workload for Assigning {
    fn name(&self) -> &'static str {
        Stage::AssignPrivilege.workload()
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        match self.assign(&job).await {
            Ok(groups) => {
                self.given.forget(&job.id);
                self.metrics.people(STAGE, PersonStep::Assigned, 1);
                Outcome::Done(json!({ "groups": groups }))
            }
            Err(failure) => {
                let step = match failure {
                    Failure::Partly { assigned, .. } if assigned > 0 => PersonStep::Partly,
                    _ => PersonStep::Failed,
                };
                self.metrics.people(STAGE, step, 1);
                self.outages.end(STAGE, &failure, &context).await
            }
        }
    }

    async fn clean_up(&self, job: &JobId) {
        self.given.forget(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_remembered_of_the_same_person_alone() {
        let given = Given::default();
        let (job, person) = (JobId::of_foreign("kib-1"), PersonId::new("7"));
        given.add(&job, &person, "1");
        given.add(&job, &person, "2");
        assert_eq!(given.of(&job, &person).len(), 2);
        assert!(given.of(&job, &PersonId::new("8")).is_empty());
        given.add(&job, &PersonId::new("8"), "3");
        assert!(given.of(&job, &person).is_empty());
        given.forget(&job);
        assert!(given.of(&job, &PersonId::new("8")).is_empty());
    }
}
