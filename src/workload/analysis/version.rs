//! Of which content something is known.

use std::fmt;

use crate::archive::Analysis;
use crate::job::JobId;

/// Of which content something is known: that which the source has now, or the same
/// looked at anew for a job that asks for it.
pub(super) struct Version<'a> {
    source: &'a str,
    anew_for: Option<&'a JobId>,
}

const ANEW: &str = " anew for ";

impl<'a> Version<'a> {
    /// That of `source`, looked at anew for a job where one asks for it.
    pub(super) fn of(source: &'a str, anew_for: Option<&'a JobId>) -> Self {
        Self { source, anew_for }
    }

    /// What an earlier attempt of a job found that asked for it anew counts; for one
    /// that did not ask, whatever was found of the content.
    pub(super) fn is_that_of(&self, known: &Analysis) -> bool {
        let Some(version) = &known.source_version else {
            return false;
        };
        if self.anew_for.is_some() {
            return *version == self.to_string();
        }
        let rest = version.strip_prefix(self.source);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(ANEW))
    }
}

impl fmt::Display for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source)?;
        match self.anew_for {
            Some(job) => write!(f, "{ANEW}{job}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_found_counts_for_the_same_content_and_for_who_asked_for_it_anew() {
        let (first, second): (JobId, JobId) = ("first".parse().unwrap(), "second".parse().unwrap());
        let known = |version: String| Analysis {
            source_version: Some(version),
            ..Analysis::of(Uuid::nil())
        };
        let plain = Version::of("file 7", None);
        let anew = Version::of("file 7", Some(&first));
        for (version, of_plain, of_anew) in [
            ("file 7".to_owned(), true, false),
            (anew.to_string(), true, true),
            (
                Version::of("file 7", Some(&second)).to_string(),
                true,
                false,
            ),
            ("file 77".to_owned(), false, false),
            ("file 8".to_owned(), false, false),
        ] {
            let known = known(version);
            assert_eq!(plain.is_that_of(&known), of_plain, "{known:?}");
            assert_eq!(anew.is_that_of(&known), of_anew, "{known:?}");
        }
        assert!(!plain.is_that_of(&Analysis::of(Uuid::nil())));
    }
}
