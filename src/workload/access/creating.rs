//! The second stage: a person is in `HikCentral`, with a face if there is one.
//!
//! A person's code is the KIB number. `HikCentral` has no two people with the same
//! code, and says so when one is added twice; whoever is there already is brought up to
//! date instead. Before a second attempt the person is looked up, since the first one
//! may have added them without anybody hearing of it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;

use super::failure::{Failure, Outages};
use super::message;
use super::name::{Names, parts};
use super::photo::Photos;
use super::regionals::PrivilegeGroups;
use super::stage::Stage;
use crate::client::eposh::Employee;
use crate::client::hikcentral::{HikCentral, Kind, NewPerson, PersonCode, PersonId};
use crate::job::{Job, Outcome};
use crate::queue::Sink;
use crate::runner::{JobContext, Workload};
use crate::telemetry::{AccessMetrics, PersonStep, Photo};

const STAGE: &str = Stage::CreatePerson.as_str();

/// The workload.
pub struct Creating {
    hikcentral: HikCentral,
    /// The department that people are added to.
    organisation: String,
    photos: Photos,
    groups: PrivilegeGroups,
    next: Arc<dyn Sink>,
    names: Names,
    metrics: AccessMetrics,
    outages: Outages,
}

/// A person who is in `HikCentral`.
struct There {
    id: PersonId,
    step: PersonStep,
}

impl Creating {
    /// The workload: people go into the department `organisation`, and on to `next`.
    pub fn new(
        hikcentral: HikCentral,
        organisation: String,
        photos: Photos,
        groups: PrivilegeGroups,
        next: Arc<dyn Sink>,
        names: Names,
        metrics: AccessMetrics,
    ) -> Self {
        Self {
            hikcentral,
            organisation,
            photos,
            groups,
            next,
            names,
            metrics,
            outages: Outages::default(),
        }
    }

    async fn create(&self, job: &Job, context: &JobContext) -> Result<There, Failure> {
        let employee = message::create(&job.payload).map_err(Failure::Message)?;
        let code = PersonCode::new(&employee.kib_number)?;
        self.tell(&employee);
        let known = if job.attempt > 1 {
            self.hikcentral.person_by_code(&code).await?
        } else {
            None
        };
        let face = self.photos.face(&employee, context).await;
        let there = match known {
            Some(id) => self.bring_up_to_date(id, face.as_ref()).await?,
            None => self.add(&employee, code, face).await?,
        };
        let next = message::update(there.id.as_str(), &employee).map_err(Failure::Message)?;
        let id = message::person_id(&employee.kib_number);
        self.next.send(&id, &next).await?;
        self.metrics.people(STAGE, there.step, 1);
        tracing::info!(stage = STAGE, person = %there.id, "sent to update KIB");
        Ok(there)
    }

    fn tell(&self, employee: &Employee) {
        let (kib, name) = (&*employee.kib_number, self.names.show(&employee.name));
        let mapped = self.groups.of(&employee.regionals);
        let regionals: Vec<_> = employee.regionals.iter().map(shown).collect();
        tracing::info!(
            stage = STAGE,
            kib,
            name,
            ?regionals,
            groups = ?mapped.groups,
            "processing"
        );
    }

    /// Adds somebody who is not known to be there.
    async fn add(
        &self,
        employee: &Employee,
        code: PersonCode,
        face: Option<Bytes>,
    ) -> Result<There, Failure> {
        let (given_name, family_name) = parts(&employee.name);
        let mut person = NewPerson {
            code,
            given_name,
            family_name,
            organisation: self.organisation.clone(),
            face: face.clone(),
            begin: None,
            end: None,
        };
        let mut added = self.hikcentral.add_person(&person).await;
        if let Err(error) = &added
            && error.kind() == Kind::BadParameter
            && person.face.is_some()
        {
            // Of all that is sent it is the face that is most often not liked.
            person.face = None;
            let first = error.clone();
            added = self.hikcentral.add_person(&person).await;
            if added.is_ok() {
                tracing::warn!(stage = STAGE, error = %first, "added without the photo");
                self.metrics.photo(Photo::Refused);
            }
        }
        match added {
            Ok(id) => {
                if person.face.is_some() {
                    self.metrics.photo(Photo::Sent);
                }
                tracing::info!(stage = STAGE, person = %id, "person created");
                let step = PersonStep::Created;
                Ok(There { id, step })
            }
            Err(error) if error.kind() == Kind::Exists => {
                let found = self.hikcentral.person_by_code(&person.code).await?;
                let id = found.ok_or(Failure::Hidden)?;
                self.bring_up_to_date(id, face.as_ref()).await
            }
            Err(error) if error.is_unknown() => {
                // If nobody can be asked, the next attempt asks first.
                match self.hikcentral.person_by_code(&person.code).await {
                    Ok(Some(id)) => self.bring_up_to_date(id, face.as_ref()).await,
                    Ok(None) | Err(_) => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Gives somebody who is there the face of today.
    async fn bring_up_to_date(&self, id: PersonId, face: Option<&Bytes>) -> Result<There, Failure> {
        if let Some(face) = face {
            match self.hikcentral.update_face(&id, face).await {
                Ok(()) => self.metrics.photo(Photo::Sent),
                Err(error) if error.is_final() => {
                    tracing::warn!(stage = STAGE, person = %id, %error, "the photo stays as it was");
                    self.metrics.photo(Photo::Refused);
                }
                Err(error) => return Err(error.into()),
            }
        }
        tracing::info!(stage = STAGE, person = %id, "person was there already");
        let step = PersonStep::Existing;
        Ok(There { id, step })
    }
}

fn shown(regional: &crate::client::eposh::Regional) -> &str {
    let name = regional.name.as_deref().or(regional.slug.as_deref());
    name.unwrap_or_default()
}

#[async_trait]
impl Workload for Creating {
    fn name(&self) -> &'static str {
        Stage::CreatePerson.workload()
    }

    async fn run(&self, job: Job, context: JobContext) -> Outcome {
        match self.create(&job, &context).await {
            Ok(there) => Outcome::Done(json!({ "personId": there.id.as_str() })),
            Err(failure) => {
                self.metrics.people(STAGE, PersonStep::Failed, 1);
                self.outages.end(STAGE, &failure, &context).await
            }
        }
    }
}
