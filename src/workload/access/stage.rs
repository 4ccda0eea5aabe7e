//! The stages by their names.

use std::fmt;
use std::str::FromStr;

/// A stage of the chain, which may run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Pages of people become messages.
    Publisher,
    /// People become `HikCentral`'s.
    CreatePerson,
    /// Their KIB numbers are set.
    UpdateKib,
    /// They get their privilege groups.
    AssignPrivilege,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [
        Self::Publisher,
        Self::CreatePerson,
        Self::UpdateKib,
        Self::AssignPrivilege,
    ];

    /// As settings, labels and the log have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::CreatePerson => "create_person",
            Self::UpdateKib => "update_kib",
            Self::AssignPrivilege => "assign_privilege",
        }
    }

    /// What its workload is called beside others.
    pub const fn workload(self) -> &'static str {
        match self {
            Self::Publisher => "access_publisher",
            Self::CreatePerson => "access_create_person",
            Self::UpdateKib => "access_update_kib",
            Self::AssignPrivilege => "access_assign_privilege",
        }
    }

    /// Whether it asks `HikCentral`.
    pub fn asks_hikcentral(self) -> bool {
        self != Self::Publisher
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.replace('-', "_");
        let known = Self::ALL.into_iter().find(|stage| stage.as_str() == name);
        known.ok_or_else(|| {
            format!(
                "there is no stage '{text}'; there are: publisher, create_person, update_kib, \
                 assign_privilege"
            )
        })
    }
}
