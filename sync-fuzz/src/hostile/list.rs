//! The table of hostile inputs.

use super::{bodies, frames, messages, plugins, runs, sessions, states, vectors};
use crate::outcome::Outcome;

/// A hostile input.
#[derive(Clone, Debug)]
pub struct Hostile {
    /// What is wrong with it; no two have the same name.
    pub name: String,
    /// Who must refuse it.
    pub run: fn(&[u8]) -> Outcome,
    /// The bytes.
    pub input: Vec<u8>,
    /// Kind and detail of the error.
    pub expected: (&'static str, &'static str),
}

/// Collects hostile inputs of one area.
#[derive(Debug)]
pub struct List {
    area: &'static str,
    run: fn(&[u8]) -> Outcome,
    all: Vec<Hostile>,
}

impl List {
    /// Inputs for `run`; `area` begins their names.
    pub fn new(area: &'static str, run: fn(&[u8]) -> Outcome) -> Self {
        Self { area, run, all: Vec::new() }
    }

    /// One more, that gets an error without further detail.
    pub fn add(&mut self, name: impl AsRef<str>, input: impl Into<Vec<u8>>, kind: &'static str) {
        self.detailed(name, input, kind, "");
    }

    /// One more.
    pub fn detailed(
        &mut self,
        name: impl AsRef<str>,
        input: impl Into<Vec<u8>>,
        kind: &'static str,
        detail: &'static str,
    ) {
        let name = format!("{}: {}", self.area, name.as_ref());
        self.all.push(Hostile { name, run: self.run, input: input.into(), expected: (kind, detail) });
    }

    /// `valid` cut at each of these places.
    pub fn cuts(&mut self, valid: &[u8], at: &[usize], kind: &'static str) {
        for at in at {
            let cut = valid.get(..*at).unwrap_or_default();
            self.add(format!("cut at byte {at}"), cut, kind);
        }
    }

    /// What was collected.
    pub fn done(self) -> Vec<Hostile> {
        self.all
    }
}

/// All of them.
pub fn all() -> Vec<Hostile> {
    [
        frames::all(),
        messages::all(),
        bodies::all(),
        runs::all(),
        vectors::all(),
        states::all(),
        plugins::all(),
        sessions::all(),
    ]
    .concat()
}
