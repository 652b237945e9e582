//! What the program `journal` says that it has committed, line by line, and what must be there afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use sea_orm::ConnectionTrait;

use crate::digest::texts;

/// A write that was acknowledged. Rows have names of their own and values that only grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A label with this count or a larger one, unless it is gone since.
    Label(String, i64),
    /// A reading of the device with this value or a larger one.
    Reading(String, i64),
    /// The label is about to be deleted: it may be gone from here on.
    Doomed(String),
    /// No such label any more.
    Gone(String),
}

/// Ends every whole line.
const END: &str = ".";

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(name, least) => write!(f, "label {name} {least} {END}"),
            Self::Reading(name, least) => write!(f, "reading {name} {least} {END}"),
            Self::Doomed(name) => write!(f, "doomed {name} 0 {END}"),
            Self::Gone(name) => write!(f, "gone {name} 0 {END}"),
        }
    }
}

impl Entry {
    /// Reads a line; one that is cut off says nothing.
    pub fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, name, least, END] = words.as_slice() else { return None };
        let (name, least) = ((*name).to_owned(), least.parse().ok()?);
        match *kind {
            "label" => Some(Self::Label(name, least)),
            "reading" => Some(Self::Reading(name, least)),
            "doomed" => Some(Self::Doomed(name)),
            "gone" => Some(Self::Gone(name)),
            _ => None,
        }
    }
}

/// Everything that was ever acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    labels: BTreeMap<String, i64>,
    readings: BTreeMap<String, i64>,
    doomed: BTreeSet<String>,
    gone: BTreeSet<String>,
    /// How many lines.
    pub lines: usize,
}

impl Journal {
    /// Takes a line note of.
    pub fn note(&mut self, entry: Entry) {
        self.lines += 1;
        match entry {
            Entry::Label(name, least) => self.labels.extend([(name, least)]),
            Entry::Reading(name, least) => self.readings.extend([(name, least)]),
            Entry::Doomed(name) => self.doomed.extend([name]),
            Entry::Gone(name) => self.gone.extend([name]),
        }
    }

    /// What of it a database lacks.
    pub async fn missing(&self, db: &impl ConnectionTrait) -> Vec<String> {
        let labels = values(db, "SELECT name || ' ' || uses FROM label").await;
        let readings = values(db, "SELECT place || ' ' || value FROM reading").await;
        let lost = |what: &str, (name, least): (&String, &i64), found: Option<&i64>| match found {
            Some(value) if value >= least => None,
            found => Some(format!("{what} {name}: acknowledged {least}, found {found:?}")),
        };
        let wanted =
            self.labels.iter().filter(|(name, _)| !self.doomed.contains(*name) || labels.contains_key(*name));
        let mut found: Vec<String> =
            wanted.filter_map(|entry| lost("label", entry, labels.get(entry.0))).collect();
        found.extend(self.readings.iter().filter_map(|entry| lost("reading", entry, readings.get(entry.0))));
        let back = self.gone.iter().filter(|name| labels.contains_key(*name));
        found.extend(back.map(|name| format!("label {name} is back")));
        found
    }
}

async fn values(db: &impl ConnectionTrait, query: &str) -> BTreeMap<String, i64> {
    let lines = texts(db, query).await;
    let read = |line: &String| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    lines.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_cut_off_says_nothing() {
        for entry in [
            Entry::Label("1-2".to_owned(), 7),
            Entry::Reading("a".to_owned(), 12),
            Entry::Doomed("x".to_owned()),
            Entry::Gone("x".to_owned()),
        ] {
            let line = entry.to_string();
            assert_eq!(Entry::read(&line), Some(entry));
            for length in 0..line.len() {
                assert_eq!(Entry::read(line.get(..length).unwrap()), None);
            }
        }
    }
}
