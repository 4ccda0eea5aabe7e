//! Settings as variables give them: looked up, parsed, and all that is wrong with
//! them told at once.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::str::FromStr;

use crate::secret::Secret;

/// Where variables come from: the environment, a `.env` file, a test's map.
pub trait Variables {
    /// The value of `name`; `None` too where it is set but empty.
    fn get(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Variables for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// The process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl<S: BuildHasher> Variables for HashMap<&str, &str, S> {
    fn get(&self, name: &str) -> Option<String> {
        HashMap::get(self, name).map(|value| (*value).to_owned())
    }
}

/// What is wrong with one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub variable: String,
    /// What is wrong and what is expected, in one line, without its value where
    /// that is a secret.
    pub reason: String,
}

/// All that is wrong with a configuration, one line a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}: {}", problem.variable, problem.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Reads variables and gathers what is wrong with them.
pub struct Reader<'a> {
    variables: &'a dyn Variables,
    problems: Problems,
}

impl<'a> Reader<'a> {
    /// Reads from `variables`.
    pub fn new(variables: &'a dyn Variables) -> Self {
        Self {
            variables,
            problems: Problems::default(),
        }
    }

    /// The text of `name`, without blanks around it, where it is set.
    pub fn text(&self, name: &str) -> Option<String> {
        let value = self.variables.get(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    }

    /// The first of `names` that is set, and its text.
    pub fn first(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        names
            .iter()
            .find_map(|&name| Some((name, self.text(name)?)))
    }

    /// The text of `name`, which must be set.
    pub fn needed(&mut self, name: &str, why: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.wrong(name, why);
            String::new()
        })
    }

    /// The secret of `name`, where it is set.
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    /// `name` as a `T`, or else `default`. The error of `T` says what is expected.
    pub fn parsed<T>(&mut self, name: &str, default: T) -> T
    where
        T: FromStr<Err: fmt::Display>,
    {
        let Some(text) = self.text(name) else {
            return default;
        };
        text.parse().unwrap_or_else(|error: T::Err| {
            self.wrong(name, format!("{text:?}: {error}"));
            default
        })
    }

    /// Notes that something is wrong with `name`.
    pub fn wrong(&mut self, name: &str, reason: impl Into<String>) {
        self.problems.0.push(Problem {
            variable: name.to_owned(),
            reason: reason.into(),
        });
    }

    /// `value`, unless something was wrong.
    pub fn finish<T>(self, value: T) -> Result<T, Problems> {
        if self.problems.0.is_empty() {
            Ok(value)
        } else {
            Err(self.problems)
        }
    }
}

/// A number of bytes, written `5GB`, `500MiB`, `1048576`. As in the services that
/// this one replaces, `GB` too stands for a power of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// The text is no number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of bytes, as 5GB, 500MB or 1048576")]
pub struct InvalidBytes;

impl FromStr for Bytes {
    type Err = InvalidBytes;

    fn from_str(text: &str) -> Result<Self, InvalidBytes> {
        let text = text.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let power = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 1,
            "m" | "mb" | "mib" => 2,
            "g" | "gb" | "gib" => 3,
            "t" | "tb" | "tib" => 4,
            _ => return Err(InvalidBytes),
        };
        let count: u64 = digits.parse().map_err(|_| InvalidBytes)?;
        count
            .checked_mul(1 << (10 * power))
            .map(Self)
            .ok_or(InvalidBytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("5GB", 5 << 30),
            ("500 MiB", 500 << 20),
            ("1048576", 1 << 20),
            ("2k", 2048),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for text in ["", "GB", "-1", "1.5GB", "1PB", "99999999999TB"] {
            assert_eq!(text.parse::<Bytes>(), Err(InvalidBytes), "{text}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let variables = HashMap::from([("SIZE", "big"), ("EMPTY", "  ")]);
        let mut reader = Reader::new(&variables);
        assert_eq!(reader.parsed("SIZE", Bytes(7)), Bytes(7));
        assert_eq!(reader.text("EMPTY"), None);
        reader.needed("KEY", "must be set beside BUCKET");
        let problems = reader.finish(()).unwrap_err().to_string();
        assert_eq!(
            problems,
            "SIZE: \"big\": expected a number of bytes, as 5GB, 500MB or 1048576\n\
             KEY: must be set beside BUCKET"
        );
    }
}
