//! What is counted of people on their way to the gates, beside the stages' jobs.

use prometheus::{IntCounter, IntCounterVec, Result};

use super::adding::Adding;

/// What a stage has done for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonStep {
    /// Their page is queued.
    Queued,
    /// They are handed on by the publisher.
    Published,
    /// They are new in `HikCentral`.
    Created,
    /// They were there already.
    Existing,
    /// Their KIB number is set.
    Updated,
    /// They are in all of their groups.
    Assigned,
    /// They are in some of their groups, and the attempt is over.
    Partly,
    /// An attempt failed.
    Failed,
}

/// What became of a person's photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photo {
    /// `HikCentral` has it.
    Sent,
    /// There is none.
    Absent,
    /// It could not be fetched.
    Unreachable,
    /// It is no image, or none that can be made fit.
    Unfit,
    /// `HikCentral` does not take it.
    Refused,
}

/// The stages, as labels say them, and the steps that they take.
const STEPS: [(&str, PersonStep); 11] = [
    ("induction", PersonStep::Queued),
    ("publisher", PersonStep::Published),
    ("publisher", PersonStep::Failed),
    ("create_person", PersonStep::Created),
    ("create_person", PersonStep::Existing),
    ("create_person", PersonStep::Failed),
    ("update_kib", PersonStep::Updated),
    ("update_kib", PersonStep::Failed),
    ("assign_privilege", PersonStep::Assigned),
    ("assign_privilege", PersonStep::Partly),
    ("assign_privilege", PersonStep::Failed),
];

const PHOTOS: [Photo; 5] = [
    Photo::Sent,
    Photo::Absent,
    Photo::Unreachable,
    Photo::Unfit,
    Photo::Refused,
];

/// What the stages report to. Clones share it.
#[derive(Clone)]
pub struct AccessMetrics {
    people: IntCounterVec,
    photos: IntCounterVec,
    groups: IntCounterVec,
    unknown_regionals: IntCounter,
}

impl AccessMetrics {
    pub(super) fn new(add: &Adding<'_>) -> Result<Self> {
        let people = add.counters(
            "flatbed_access_people_total",
            "People by stage of the way to the gates and what it came to; failed counts attempts.",
            &["stage", "outcome"],
        )?;
        for (stage, step) in STEPS {
            people.with_label_values(&[stage, step.as_str()]);
        }
        let photos = add.counters(
            "flatbed_access_photos_total",
            "Photos of people: sent, absent, unreachable, unfit or refused.",
            &["outcome"],
        )?;
        for photo in PHOTOS {
            photos.with_label_values(&[photo.as_str()]);
        }
        let groups = add.counters(
            "flatbed_access_groups_total",
            "Privilege groups that people were put into: assigned or failed.",
            &["outcome"],
        )?;
        for outcome in ["assigned", "failed"] {
            groups.with_label_values(&[outcome]);
        }
        Ok(Self {
            people,
            photos,
            groups,
            unknown_regionals: add.counter(
                "flatbed_access_unknown_regionals_total",
                "Regionals of people that stand for no privilege group; the log names them.",
            )?,
        })
    }

    /// A stage is done with `people`, so or so.
    pub fn people(&self, stage: &'static str, step: PersonStep, people: usize) {
        let labels = [stage, step.as_str()];
        self.people.with_label_values(&labels).inc_by(whole(people));
    }

    /// What became of a photo.
    pub fn photo(&self, photo: Photo) {
        self.photos.with_label_values(&[photo.as_str()]).inc();
    }

    /// So many groups of a person are theirs, and so many are not.
    pub fn groups(&self, assigned: usize, failed: usize) {
        let groups = &self.groups;
        groups
            .with_label_values(&["assigned"])
            .inc_by(whole(assigned));
        groups.with_label_values(&["failed"]).inc_by(whole(failed));
    }

    /// Regionals that stand for nothing.
    pub fn unknown_regionals(&self, number: usize) {
        self.unknown_regionals.inc_by(whole(number));
    }
}

fn whole(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

impl PersonStep {
    fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Published => "published",
            Self::Created => "created",
            Self::Existing => "existing",
            Self::Updated => "updated",
            Self::Assigned => "assigned",
            Self::Partly => "partly",
            Self::Failed => "failed",
        }
    }
}

impl Photo {
    /// As labels and the log say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Absent => "absent",
            Self::Unreachable => "unreachable",
            Self::Unfit => "unfit",
            Self::Refused => "refused",
        }
    }
}
