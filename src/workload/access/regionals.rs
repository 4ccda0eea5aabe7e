//! Which privilege groups a person's regionals stand for.

use std::fmt;
use std::str::FromStr;

use crate::client::eposh::Regional;

/// The requirement's table: slug, and the group's id in `HikCentral`.
const TABLE: [(&str, &str); 6] = [
    ("zona-i", "1"),
    ("zona-ii", "2"),
    ("zona-iii", "6"),
    ("zona-iv", "7"),
    ("tuks", "8"),
    ("kawasan", "9"),
];

/// Privilege groups by regionals' slugs. A slug may stand for several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivilegeGroups(Vec<(String, String)>);

/// What regionals come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The groups' ids, in the regionals' order, each once.
    pub groups: Vec<String>,
    /// Slugs, or names where there are none, that stand for no group.
    pub unknown: Vec<String>,
}

impl PrivilegeGroups {
    /// The groups of a person with these regionals.
    pub fn of(&self, regionals: &[Regional]) -> Mapped {
        let mut mapped = Mapped::default();
        for regional in regionals {
            let slug = regional.slug.as_deref().unwrap_or_default().trim();
            let mut found = false;
            for (known, group) in &self.0 {
                if known.eq_ignore_ascii_case(slug) {
                    found = true;
                    push(&mut mapped.groups, group);
                }
            }
            if !found {
                let name = regional.name.as_deref().unwrap_or_default();
                let shown = if slug.is_empty() { name } else { slug };
                let shown: String = shown.chars().take(100).collect();
                push(&mut mapped.unknown, &shown);
            }
        }
        mapped
    }
}

fn push(all: &mut Vec<String>, one: &str) {
    if !all.iter().any(|it| it == one) {
        all.push(one.to_owned());
    }
}

impl Default for PrivilegeGroups {
    fn default() -> Self {
        Self(
            TABLE
                .map(|(slug, group)| (slug.to_owned(), group.to_owned()))
                .into(),
        )
    }
}

impl FromStr for PrivilegeGroups {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let (slug, group) = pair.split_once('=').unwrap_or_default();
            let (slug, group) = (slug.trim(), group.trim());
            if slug.is_empty() || group.is_empty() {
                return Err(format!(
                    "'{pair}': expected slug=group, as zona-i=1,zona-ii=2"
                ));
            }
            pairs.push((slug.to_owned(), group.to_owned()));
        }
        if pairs.is_empty() {
            return Err("expected slug=group, as zona-i=1,zona-ii=2".to_owned());
        }
        Ok(Self(pairs))
    }
}

impl fmt::Display for PrivilegeGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (slug, group)) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{slug}={group}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regionals(slugs: &[&str]) -> Vec<Regional> {
        let regional = |slug: &&str| {
            serde_json::from_value(serde_json::json!({"name": "Zona", "slug": slug})).unwrap()
        };
        slugs.iter().map(regional).collect()
    }

    #[test]
    fn the_table_of_the_requirement() {
        let groups = PrivilegeGroups::default();
        let text = "zona-i=1,zona-ii=2,zona-iii=6,zona-iv=7,tuks=8,kawasan=9";
        assert_eq!(groups.to_string(), text);
        assert_eq!(text.parse(), Ok(groups.clone()));
        let mapped = groups.of(&regionals(&["zona-i", " Zona-II", "tuks", "zona-i"]));
        assert_eq!(mapped.groups, ["1", "2", "8"]);
        assert!(mapped.unknown.is_empty());
    }

    #[test]
    fn what_is_unknown_is_told_once_and_takes_nothing_from_the_rest() {
        let groups: PrivilegeGroups = "a=1, b=2 ,a=3,".parse().unwrap();
        let mapped = groups.of(&regionals(&["moon", "a", "moon", ""]));
        assert_eq!(mapped.groups, ["1", "3"]);
        assert_eq!(mapped.unknown, ["moon", "Zona"]);
        for wrong in ["", "a", "a=", "=1", "a=1,b"] {
            assert!(wrong.parse::<PrivilegeGroups>().is_err(), "{wrong}");
        }
    }
}
