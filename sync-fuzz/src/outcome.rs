//! What a target made of an input, in a form that can be counted: which error, or how much was in it.

use std::fmt;

/// The class of an outcome. Inputs of one class are of one sort to the fuzzer; the first of a class is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Outcome {
    /// Name of the error, or `ok`.
    pub kind: &'static str,
    /// What the error names more closely.
    pub detail: &'static str,
    /// How far the parser came: a logarithm of what was in the input.
    pub depth: u32,
}

impl Outcome {
    /// A value was decoded; `size` is how much was in it.
    pub fn ok(size: usize) -> Self {
        Self { kind: "ok", detail: "", depth: magnitude(size) }
    }

    /// A typed error.
    pub const fn error(kind: &'static str, detail: &'static str) -> Self {
        Self { kind, detail, depth: 0 }
    }

    /// The same at another depth.
    #[must_use]
    pub const fn at(self, depth: u32) -> Self {
        Self { depth, ..self }
    }
}

/// Number of binary digits.
pub const fn magnitude(size: usize) -> u32 {
    usize::BITS - size.leading_zeros()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        if self.depth > 0 {
            write!(f, " at {}", self.depth)?;
        }
        Ok(())
    }
}
