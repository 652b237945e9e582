//! Many rows as one: SQLite joins the values of each column itself, so that a bulk read costs no object per value.
//!
//! What is joined can only be taken apart if every value of a column is of the class that is expected of it. A read
//! tells how many rows are not; those chunks are read row by row instead.

use sea_orm::{QueryResult, Value as Sql};
use sync_core::{
    changeset::{Cells, Section},
    ids::RecordId,
    value::{MergeKind, ValueRef},
};

use super::{
    db::{blob, integer, query_one, sqlite_row},
    model_sql::ModelSql,
    rows,
};
use crate::{
    catalog::{Field, Model},
    error::Result,
};

/// Most bytes of values in a chunk, as far as the rows before it tell.
const BYTES: usize = 2 << 20;
/// Most rows in a chunk.
const ROWS: usize = 2_000;

/// What all values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// NULL.
    Nulls,
    /// Integers or NULL.
    Integers,
    /// Texts or NULL.
    Texts,
    /// Bytes or NULL.
    Blobs,
    /// Sixteen bytes, never NULL.
    Ids,
}

impl Class {
    /// The class of some values, if they have one in common that can be joined.
    fn of<'a>(values: impl Iterator<Item = ValueRef<'a>>) -> Option<Self> {
        let mut class = None;
        let mut nulls = false;
        for value in values {
            let this = match value {
                ValueRef::Null => {
                    nulls = true;
                    continue;
                }
                ValueRef::Integer(_) => Self::Integers,
                ValueRef::Text(_) => Self::Texts,
                ValueRef::Blob(bytes) if bytes.len() == 16 => Self::Ids,
                ValueRef::Blob(_) => Self::Blobs,
                ValueRef::Reference(_) => Self::Ids,
                // Joined as text a real would lose bits.
                ValueRef::Real(_) => return None,
            };
            class = match (class, this) {
                (None, this) => Some(this),
                (Some(Self::Ids), Self::Blobs) | (Some(Self::Blobs), Self::Ids) => Some(Self::Blobs),
                (Some(class), this) if class == this => Some(class),
                _ => return None,
            };
        }
        match class {
            Some(Self::Ids) if nulls => Some(Self::Blobs),
            Some(class) => Some(class),
            None => Some(Self::Nulls),
        }
    }

    /// What is selected for a column.
    fn selected(self, column: &str) -> String {
        let joined = format!("CAST(group_concat({column}, '') AS BLOB)");
        match self {
            Self::Nulls => String::new(),
            Self::Integers => format!(", CAST(group_concat(coalesce({column}, '')) AS BLOB)"),
            Self::Texts | Self::Blobs => {
                format!(", {joined}, CAST(group_concat(coalesce(octet_length({column}), '')) AS BLOB)")
            }
            Self::Ids => format!(", {joined}"),
        }
    }

    /// True for a value that is not of the class.
    fn deviates(self, column: &str) -> String {
        match self {
            Self::Nulls => format!("{column} IS NOT NULL"),
            Self::Integers => format!("typeof({column}) NOT IN ('integer', 'null')"),
            Self::Texts => format!("typeof({column}) NOT IN ('text', 'null')"),
            Self::Blobs => format!("typeof({column}) NOT IN ('blob', 'null')"),
            Self::Ids => format!("(typeof({column}) <> 'blob' OR octet_length({column}) <> 16)"),
        }
    }
}

/// How rows of a model are joined: the class of the record id and of each field.
#[derive(Clone, Debug)]
pub(crate) struct Packing {
    classes: Vec<Class>,
    selected: String,
    /// Rows to read at a time.
    pub(crate) rows: i64,
}

impl Packing {
    /// From rows that were read one by one. `None` when there is none, or when rows of this kind cannot be joined.
    pub(crate) fn from_sample(model: &Model, sql: &ModelSql, sample: &Section) -> Option<Self> {
        if sample.is_empty() || model.fields.iter().any(|field| field.merge == MergeKind::Set) {
            return None;
        }
        let mut classes = vec![Class::Ids];
        for column in &sample.columns {
            classes.push(Class::of(column.cells.iter())?);
        }
        let columns = || classes.iter().zip(&sql.wire_columns);
        let deviates: Vec<_> = columns().map(|(class, column)| class.deviates(column)).collect();
        let selected: String = columns().map(|(class, column)| class.selected(column)).collect();
        let selected = format!(
            "count(*), octet_length('a'), count(*) FILTER (WHERE {}){selected}",
            deviates.join(" OR ")
        );
        let bytes: usize = sample.columns.iter().map(|c| c.cells.iter().map(size).sum::<usize>()).sum();
        let rows = (BYTES / (bytes / sample.len()).max(1)).clamp(16, ROWS);
        Some(Self { classes, selected, rows: i64::try_from(rows).unwrap_or(16) })
    }

    /// `SELECT … ` up to the FROM of a query whose rows are to be joined.
    pub(crate) fn select(&self) -> String {
        format!("SELECT {}", self.selected)
    }

    /// Reads one chunk. `None`: its rows must be read one by one.
    pub(crate) async fn read(
        &self,
        db: &(impl sea_orm::ConnectionTrait + ?Sized),
        text: &str,
        values: Vec<Sql>,
    ) -> Result<Option<QueryResult>> {
        match query_one(db, text, values).await {
            Ok(Some(row)) => {
                let cells = sqlite_row(&row)?;
                // In a database of another encoding than UTF-8 what is joined is not what the values are.
                Ok((integer(cells, 1)? == 1 && integer(cells, 2)? == 0).then_some(row))
            }
            // Values whose sum SQLite refuses to hold.
            Ok(None) | Err(_) => Ok(None),
        }
    }

    /// Takes a chunk apart. `None`: its rows must be read one by one.
    pub(crate) fn unpack(&self, model: &Model, row: &QueryResult) -> Result<Option<Section>> {
        let row = sqlite_row(row)?;
        let Ok(count) = usize::try_from(integer(row, 0)?) else { return Ok(None) };
        let mut section = rows::row_section(model);
        let mut at = 3;
        let mut next = || {
            at += 1;
            blob(row, at - 1).map(Option::unwrap_or_default)
        };
        let (ids, rest) = next()?.as_chunks::<16>();
        if !rest.is_empty() || ids.len() != count {
            return Ok(None);
        }
        section.records.extend(ids.iter().map(|id| RecordId::from_bytes(*id)));
        for ((column, class), field) in
            section.columns.iter_mut().zip(self.classes.iter().skip(1)).zip(&model.fields)
        {
            let mut column = Column { cells: &mut column.cells, field, model };
            let whole = match class {
                Class::Nulls => (0..count).try_for_each(|_| column.push(ValueRef::Null)).map(|()| true)?,
                Class::Integers => integers(next()?, count, &mut column)?,
                Class::Ids => {
                    let (ids, rest) = next()?.as_chunks::<16>();
                    ids.iter().try_for_each(|id| column.push(ValueRef::Blob(id)))?;
                    rest.is_empty() && ids.len() == count
                }
                Class::Texts => {
                    let (joined, lengths) = (next()?, next()?);
                    match std::str::from_utf8(joined) {
                        Ok(joined) => texts(joined, lengths, count, &mut column)?,
                        Err(_) => false,
                    }
                }
                Class::Blobs => {
                    let (joined, lengths) = (next()?, next()?);
                    blobs(joined, lengths, count, &mut column)?
                }
            };
            if !whole {
                return Ok(None);
            }
        }
        Ok(Some(section))
    }
}

/// Where the values of a column go.
struct Column<'a> {
    cells: &'a mut Cells,
    field: &'a Field,
    model: &'a Model,
}

impl Column<'_> {
    fn push(&mut self, value: ValueRef<'_>) -> Result<()> {
        self.cells.push(rows::wire_value(self.field, value, self.model)?);
        Ok(())
    }
}

fn size(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(text) => text.len(),
        ValueRef::Blob(bytes) => bytes.len(),
        _ => 16,
    }
}

/// Numbers between commas; nothing between two is `None`.
///
/// The count tells no values from one that is NULL; one more than it is given where there are more.
fn numbers(joined: &[u8], count: usize) -> impl Iterator<Item = Option<Option<i64>>> {
    let most = if count == 0 { 0 } else { count.saturating_add(1) };
    joined.split(|byte| *byte == b',').take(most).map(|digits| {
        if digits.is_empty() {
            return Some(None);
        }
        std::str::from_utf8(digits).ok()?.parse().ok().map(Some)
    })
}

fn integers(joined: &[u8], count: usize, column: &mut Column<'_>) -> Result<bool> {
    let mut found = 0;
    for number in numbers(joined, count) {
        let Some(number) = number else { return Ok(false) };
        column.push(number.map_or(ValueRef::Null, ValueRef::Integer))?;
        found += 1;
    }
    Ok(found == count)
}

fn texts(mut joined: &str, lengths: &[u8], count: usize, column: &mut Column<'_>) -> Result<bool> {
    let whole = pieces(lengths, count, column, |length| {
        let (text, rest) = joined.split_at_checked(length)?;
        joined = rest;
        Some(ValueRef::Text(text))
    })?;
    Ok(whole && joined.is_empty())
}

fn blobs(mut joined: &[u8], lengths: &[u8], count: usize, column: &mut Column<'_>) -> Result<bool> {
    let whole = pieces(lengths, count, column, |length| {
        let (bytes, rest) = joined.split_at_checked(length)?;
        joined = rest;
        Some(ValueRef::Blob(bytes))
    })?;
    Ok(whole && joined.is_empty())
}

/// Takes as many pieces of these lengths as there should be.
fn pieces<'v>(
    lengths: &[u8],
    count: usize,
    column: &mut Column<'_>,
    mut take: impl FnMut(usize) -> Option<ValueRef<'v>>,
) -> Result<bool> {
    let mut found = 0;
    for length in numbers(lengths, count) {
        let Some(length) = length else { return Ok(false) };
        let value = match length {
            None => Some(ValueRef::Null),
            Some(length) => usize::try_from(length).ok().and_then(&mut take),
        };
        let Some(value) = value else { return Ok(false) };
        column.push(value)?;
        found += 1;
    }
    Ok(found == count)
}
