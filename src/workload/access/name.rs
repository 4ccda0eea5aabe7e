//! A person's name: as `HikCentral` wants it, and as the log may show it.

/// Given name and family name of one that is written in one piece: the last word is
/// the family's, as `HikCentral` shows them one behind the other and so shows the
/// name as it was. A name of one word is both: both are needed.
pub fn parts(name: &str) -> (String, String) {
    let words: Vec<&str> = name.split_whitespace().collect();
    match words.split_last() {
        None => (String::new(), String::new()),
        Some((only, [])) => ((*only).to_owned(), (*only).to_owned()),
        Some((family, given)) => (given.join(" "), (*family).to_owned()),
    }
}

/// How people appear in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names {
    /// By their names; else by the first letters of them.
    pub shown: bool,
}

impl Names {
    /// The name for the log.
    pub fn show(self, name: &str) -> String {
        let words = name.split_whitespace().take(12);
        if self.shown {
            let words: Vec<&str> = words.collect();
            return words.join(" ").chars().take(200).collect();
        }
        let masked = words.filter_map(|word| Some(format!("{}***", word.chars().next()?)));
        masked.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_are_there_and_read_as_the_name() {
        for (name, given, family) in [
            ("Sample Person One", "Sample Person", "One"),
            (" Budi   Santoso ", "Budi", "Santoso"),
            ("Suharto", "Suharto", "Suharto"),
            ("Ömer Ğ", "Ömer", "Ğ"),
            ("", "", ""),
        ] {
            assert_eq!(parts(name), (given.to_owned(), family.to_owned()), "{name}");
        }
    }

    #[test]
    fn names_are_masked() {
        let names = Names { shown: false };
        assert_eq!(names.show("Sample Person  Öne"), "S*** P*** Ö***");
        assert_eq!(names.show(""), "");
        let names = Names { shown: true };
        assert_eq!(names.show("Sample\nPerson"), "Sample Person");
    }
}
