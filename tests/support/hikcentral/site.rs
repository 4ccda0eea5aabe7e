//! Who and what is there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::profile::Profile;

/// The first person's number.
const FIRST: usize = 18_945;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    pub id: String,
    pub code: String,
    pub given_name: String,
    pub family_name: String,
    pub organisation: String,
    /// The JPEG's bytes.
    pub face: Option<usize>,
    /// How often a face was set.
    pub faces: usize,
    pub fields: BTreeMap<String, String>,
    pub groups: BTreeSet<String>,
    pub begin: Option<String>,
    pub end: Option<String>,
}

/// Everything that it keeps.
#[derive(Default)]
pub struct Site {
    people: HashMap<String, Person>,
    by_code: HashMap<String, String>,
    next: usize,
    pub organisations: HashSet<String>,
    pub fields: HashSet<String>,
    pub groups: HashSet<String>,
    /// Whom devices refuse.
    pub refused: HashSet<String>,
    /// What was applied: people for whom devices wait, and how many looks are left.
    pub applying: Vec<String>,
    pub looks: u64,
}

impl Site {
    pub fn new(profile: &Profile) -> Self {
        let organisations = profile.organisations.iter();
        Self {
            organisations: organisations.map(|(code, ..)| code.clone()).collect(),
            fields: profile.fields.iter().cloned().collect(),
            groups: profile.groups.iter().cloned().collect(),
            next: FIRST,
            ..Self::default()
        }
    }

    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    pub fn count(&self) -> usize {
        self.people.len()
    }

    pub fn by_code(&self, code: &str) -> Option<&Person> {
        self.people.get(self.by_code.get(code)?)
    }

    pub fn by_id(&mut self, id: &str) -> Option<&mut Person> {
        self.people.get_mut(id)
    }

    /// Keeps a person under the next number, which it gives back. Without a code he gets
    /// one.
    pub fn add(&mut self, mut person: Person) -> String {
        let id = self.next.to_string();
        self.next += 1;
        person.id.clone_from(&id);
        if person.code.is_empty() {
            person.code = format!("auto{id}");
        }
        self.by_code.insert(person.code.clone(), id.clone());
        self.people.insert(id.clone(), person);
        id
    }
}
