//! What the triggers write into `_sync_pending`.

/// Kind of a note.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoteKind {
    /// A row was inserted.
    Insert,
    /// Columns of a row changed.
    Update,
    /// A row was deleted.
    Delete,
    /// The next statement may replace this row.
    Candidate,
    /// The row under this key moved to another key.
    Moved,
}

impl NoteKind {
    /// The kind with a number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            1 => Self::Insert,
            2 => Self::Update,
            3 => Self::Delete,
            4 => Self::Candidate,
            5 => Self::Moved,
            _ => return None,
        })
    }
}

/// Fields a bit each, 62 to a word, as the triggers write them.
pub(crate) const BITS: usize = 62;

/// Set of changed fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct FieldMask([u64; 4]);

impl FieldMask {
    /// From the words of a note.
    pub(crate) fn from_words(words: [i64; 4]) -> Self {
        Self(words.map(i64::cast_unsigned))
    }

    /// Adds the fields of another.
    pub(crate) fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
    }

    /// Adds a field.
    pub(crate) fn set(&mut self, field: usize) {
        if let Some(word) = self.0.get_mut(field / BITS) {
            *word |= 1 << (field % BITS);
        }
    }

    /// Whether a field is in it.
    pub(crate) fn has(self, field: usize) -> bool {
        self.0.get(field / BITS).is_some_and(|word| word >> (field % BITS) & 1 == 1)
    }
}
