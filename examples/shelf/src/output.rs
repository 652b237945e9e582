//! What goes to the terminal: results on standard output, as text or as one JSON document; progress and errors
//! on standard error.

use std::{
    fmt::Display,
    io::{self, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::error::Failure;

/// How results are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result.
    pub(crate) fn show<T: Serialize + Display>(self, result: &T) -> Result<(), Failure> {
        if self.json { line(&json(result)?) } else { line(&result.to_string()) }
    }

    /// Prints a note that is not the result; silent when a script reads.
    pub(crate) fn note(self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { line(text) }
    }

    /// Prints what went wrong. Nothing is left to do if that fails too.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            let document = serde_json::json!({ "error": failure.to_string(), "code": failure.exit_code() });
            eprintln!("{document}");
        } else {
            eprintln!("shelf: {failure}");
        }
    }

    /// A bar that counts to `length`; hidden when standard error is no terminal.
    pub(crate) fn bar(self, doing: &'static str, length: u64) -> ProgressBar {
        let bar = if self.json { ProgressBar::hidden() } else { ProgressBar::new(length) };
        if let Ok(style) =
            ProgressStyle::with_template("{msg:>12} {bar:32} {human_pos}/{human_len} {per_sec} {eta}")
        {
            bar.set_style(style);
        }
        bar.with_message(doing)
    }

    /// A line that shows that something is going on whose end is not known.
    pub(crate) fn spinner(self, doing: impl Into<String>) -> ProgressBar {
        let spinner = if self.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner.with_message(doing.into())
    }
}

/// The JSON text of a value.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::Io { doing: "writing JSON", source: io::Error::other(error) })
}

/// One line on standard output, at once.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::io("writing to standard output"))
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}

/// A rate, rounded; a dash when no time passed.
pub(crate) fn per_second(count: u64, seconds: f64) -> String {
    let Ok(micros) = u64::try_from(std::time::Duration::from_secs_f64(seconds.max(0.0)).as_micros()) else {
        return "-".to_owned();
    };
    count
        .saturating_mul(1_000_000)
        .checked_div(micros)
        .map_or_else(|| "-".to_owned(), |rate| indicatif::HumanCount(rate).to_string())
}
