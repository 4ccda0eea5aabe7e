//! Configuration: environment variables, read once at the start.
//!
//! Each module owns its part: a `Config` with a `Default`, and a function that
//! reads it from [`Variables`], which remembers what was read and from where and
//! gathers all errors. [`Variables::finish`] then says either of them: what is in
//! force, or everything that is wrong, at once.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// Where variables are read from. An empty one counts as not set.
#[derive(Debug, Default)]
pub struct Variables {
    values: HashMap<String, (String, Origin)>,
    read: Vec<Setting>,
    errors: Vec<String>,
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The process's environment.
    Environment,
    /// The `.env` file.
    File,
    /// The program.
    Default,
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::File => ".env",
            Self::Default => "default",
        })
    }
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// Its value as it may be shown: a secret's is not.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Everything that is wrong, a line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Invalid(pub Vec<String>);

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that came from elsewhere than a variable.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for those who send it to where it belongs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` without it, wherever it stands there.
    pub fn hide(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Variables {
    /// The process's environment, and below it the `.env` file at `file`, if
    /// there is one.
    pub fn of_process(file: &Path) -> Result<Self, Invalid> {
        let mut values = HashMap::new();
        match dotenvy::from_path_iter(file) {
            Ok(entries) => {
                for entry in entries {
                    let (name, value) =
                        entry.map_err(|error| Invalid(vec![unreadable(file, &error)]))?;
                    values.insert(name, (value, Origin::File));
                }
            }
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(Invalid(vec![unreadable(file, &error)])),
        }
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                values.insert(name, (value, Origin::Environment));
            }
        }
        Ok(Self {
            values,
            ..Self::default()
        })
    }

    /// These variables and no others, as for tests.
    pub fn of<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let values = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), (value.to_owned(), Origin::Environment)));
        Self {
            values: values.collect(),
            ..Self::default()
        }
    }

    /// Whether a variable is set.
    pub fn is_set(&self, name: &str) -> bool {
        self.look(name).is_some()
    }

    /// A text, if it is set.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let (value, origin) = self.look(name)?;
        self.note(name, value.clone(), origin);
        Some(value)
    }

    /// A text, `default` if it is not set.
    pub fn text_or(&mut self, name: &'static str, default: &str) -> String {
        self.parse(name, default.to_owned())
    }

    /// A secret, if it is set.
    pub fn secret(&mut self, name: &'static str) -> Option<Secret> {
        let (value, origin) = self.look(name)?;
        self.note(name, "(set)".to_owned(), origin);
        Some(Secret(value))
    }

    /// Whatever can be parsed.
    pub fn parse<T>(&mut self, name: &'static str, default: T) -> T
    where
        T: FromStr<Err: Display> + Display,
    {
        let Some((value, origin)) = self.look(name) else {
            self.note(name, default.to_string(), Origin::Default);
            return default;
        };
        match value.parse() {
            Ok(parsed) => {
                self.note(name, value, origin);
                parsed
            }
            Err(error) => {
                self.wrong(name, &format!("'{value}': {error}"));
                default
            }
        }
    }

    /// A whole number in `range`.
    pub fn number<T: FromStr + Display>(
        &mut self,
        name: &'static str,
        default: T,
        range: RangeInclusive<u64>,
    ) -> T {
        let Some((value, origin)) = self.look(name) else {
            self.note(name, default.to_string(), Origin::Default);
            return default;
        };
        let in_range = value.parse().is_ok_and(|number| range.contains(&number));
        match value.parse() {
            Ok(number) if in_range => {
                self.note(name, value, origin);
                number
            }
            _ => {
                let (least, most) = range.into_inner();
                let expected = format!("'{value}': expected a whole number from {least} to {most}");
                self.wrong(name, &expected);
                default
            }
        }
    }

    /// A duration in whole milliseconds.
    pub fn millis(
        &mut self,
        name: &'static str,
        default: Duration,
        range: RangeInclusive<u64>,
    ) -> Duration {
        let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.number(name, default, range))
    }

    /// A duration in whole seconds.
    pub fn seconds(
        &mut self,
        name: &'static str,
        default: Duration,
        range: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_secs(self.number(name, default.as_secs(), range))
    }

    /// On or off, as Python's settings have it too: `true`, `1`, `yes`, `on` and
    /// their opposites, in any case.
    pub fn switch(&mut self, name: &'static str, default: bool) -> bool {
        self.parse(name, Switch(default)).0
    }

    /// A number of bytes, written `5GB`, `500MiB` or `1048576`. As in the services
    /// that this one replaces, `GB` too stands for a power of 1024.
    pub fn bytes(&mut self, name: &'static str, default: u64) -> u64 {
        let Some((value, origin)) = self.look(name) else {
            self.note(name, default.to_string(), Origin::Default);
            return default;
        };
        if let Some(bytes) = bytes(&value) {
            self.note(name, value, origin);
            return bytes;
        }
        let expected = format!("'{value}': expected a number of bytes, as 5GB, 500MB or 1048576");
        self.wrong(name, &expected);
        default
    }

    /// Says that a variable is wrong, where the value alone does not tell.
    pub fn wrong(&mut self, name: &'static str, why: &str) {
        self.errors.push(format!("{name}: {why}"));
    }

    /// What is in force, in the order in which it was read.
    pub fn finish(self) -> Result<Vec<Setting>, Invalid> {
        if self.errors.is_empty() {
            Ok(self.read)
        } else {
            Err(Invalid(self.errors))
        }
    }

    fn look(&self, name: &str) -> Option<(String, Origin)> {
        let (value, origin) = self.values.get(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| (value.to_owned(), *origin))
    }

    /// What two modules have in common is told once.
    fn note(&mut self, name: &'static str, value: String, origin: Origin) {
        let mut known = self.read.iter();
        if known.any(|setting| setting.name == name && setting.value == value) {
            return;
        }
        self.read.push(Setting {
            name,
            value,
            origin,
        });
    }
}

struct Switch(bool);

impl FromStr for Switch {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Self(true)),
            "false" | "0" | "no" | "off" => Ok(Self(false)),
            _ => Err("expected true or false"),
        }
    }
}

impl Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let power = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << (10 * power))
}

fn is_missing(error: &dotenvy::Error) -> bool {
    matches!(error, dotenvy::Error::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

/// Without the line, which may hold a secret.
fn unreadable(file: &Path, error: &dotenvy::Error) -> String {
    let why = match error {
        dotenvy::Error::Io(error) => error.to_string(),
        dotenvy::Error::LineParse(_, at) => format!("a line cannot be read, at its column {at}"),
        _ => "it cannot be read".to_owned(),
    };
    format!("{}: {why}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_told_at_once_and_no_secret() {
        let mut variables = Variables::of([
            ("A", "x"),
            ("B", "300"),
            ("C", ""),
            ("TOKEN", "hunter2"),
            ("D", " 7 "),
        ]);
        assert_eq!(variables.number("A", 1_u32, 0..=9), 1);
        assert_eq!(variables.number("B", 2_u32, 0..=255), 2);
        assert_eq!(variables.number("C", 3_u32, 0..=255), 3);
        assert_eq!(variables.number("D", 3_u8, 0..=255), 7);
        let token = variables.secret("TOKEN").unwrap();
        assert_eq!(token.expose(), "hunter2");
        assert!(!format!("{token:?} {:?}", variables.read).contains("hunter2"));
        let Invalid(errors) = variables.finish().unwrap_err();
        assert_eq!(
            errors,
            [
                "A: 'x': expected a whole number from 0 to 9",
                "B: '300': expected a whole number from 0 to 255"
            ]
        );
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("5GB", 5 << 30),
            ("500 MiB", 500 << 20),
            ("1048576", 1 << 20),
            ("2k", 2048),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in ["GB", "-1", "1.5GB", "1PB", "99999999999TB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        assert!(Variables::of_process(&file).is_ok(), "none is fine");
        std::fs::write(&file, "FLATBED_TEST_ONLY='a b'\nPATH=/nowhere\n").unwrap();
        let mut variables = Variables::of_process(&file).unwrap();
        assert_eq!(variables.text("FLATBED_TEST_ONLY").as_deref(), Some("a b"));
        assert_ne!(variables.text("PATH").as_deref(), Some("/nowhere"));
        assert_eq!(variables.text("FLATBED_TEST_NOWHERE"), None);
        let read = variables.finish().unwrap();
        assert_eq!(read[0].origin, Origin::File);
        assert_eq!(read[1].origin, Origin::Environment);

        std::fs::write(&file, "SECRET=\"hunter2\n").unwrap();
        let error = Variables::of_process(&file).unwrap_err().to_string();
        assert!(
            error.contains(".env") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
