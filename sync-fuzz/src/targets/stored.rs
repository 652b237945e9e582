//! What the database keeps of a record, values, and the texts of sets.

use sync_core::{
    changeset::Version,
    ids::{Hash, RecordId},
    merge::{Record, RecordError, SetOperation},
    value::{Value, ValueRef},
};

use super::record_error;
use crate::{allocation::bounded, outcome::Outcome, samples};

/// The whole state of a record, as the shadow has it.
pub fn record(input: &[u8]) -> Outcome {
    match bounded("record", input.len(), || Record::decode(input)) {
        Err(error) => record_error(error),
        Ok(record) => {
            let again = record.encode();
            assert_eq!(Record::decode(&again).as_ref(), Ok(&record), "survives");
            assert_eq!(
                Record::decode(&again).map(|record| record.encode()),
                Ok(again),
                "one form after writing"
            );
            let mut joined = record.clone();
            assert!(!joined.join(&record).changed, "a state joined with itself is itself");
            Outcome::ok(record.fields().count())
        }
    }
}

/// The version of the insert beside which a residue stands.
fn insert() -> Version {
    samples::header(7, Hash([1; 32])).version()
}

/// The compact state beside a row.
pub fn residue(input: &[u8]) -> Outcome {
    let row = samples::row();
    let read: Result<Record, RecordError> =
        bounded("residue", input.len(), || Record::from_residue(input, insert(), row));
    match read {
        Err(error) => record_error(error),
        Ok(record) => {
            let columns: Vec<_> = samples::row().into_iter().map(|(name, kind, _)| (name, kind)).collect();
            let shown = columns.iter().filter_map(|(name, kind)| {
                let value = record.value_as(name.as_str(), *kind)?;
                Some((name.clone(), *kind, value))
            });
            let again = Record::from_residue(&record.residue_beside(&columns), insert(), shown);
            assert_eq!(again.as_ref(), Ok(&record), "survives");
            Outcome::ok(record.fields().count())
        }
    }
}

/// An operation on a set, as it travels.
pub fn set_operation(input: &[u8]) -> Outcome {
    let value = Value::Blob(input.to_vec());
    match bounded("set operation", input.len(), || SetOperation::from_value(&value)) {
        None => Outcome::error("no set operation", ""),
        Some(operation) => {
            assert_eq!(operation.to_value(), value, "an operation has one form");
            Outcome::ok(operation.add.len() + operation.remove.len())
        }
    }
}

/// The JSON array of a set's column.
pub fn json(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::error("not UTF-8", "") };
    match bounded("json", input.len(), || SetOperation::of_array(text)) {
        Err(error) => {
            assert!(error.at <= text.len(), "an error lies in the text");
            Outcome::error("json", error.expected)
        }
        Ok(operation) => {
            let array = row_array(&operation);
            assert_eq!(SetOperation::of_array(&array).as_ref(), Ok(&operation), "canonical texts stay");
            assert_eq!(SetOperation::from_value(&operation.to_value()), Some(operation.clone()), "travels");
            Outcome::ok(operation.add.len())
        }
    }
}

/// The array with an operation's added elements.
pub fn row_array(operation: &SetOperation) -> String {
    format!("[{}]", operation.add.join(","))
}

/// Two values: they are equal exactly when their canonical bytes are.
pub fn value(input: &[u8]) -> Outcome {
    let read = bounded("value", input.len(), || postcard::take_from_bytes::<Value>(input));
    let Ok((first, rest)) = read else { return Outcome::error("no value", "") };
    let canonical = |value: ValueRef<'_>| {
        let mut out = Vec::new();
        value.canonical(&mut out);
        out
    };
    let bytes = canonical(first.as_ref());
    assert_eq!(first.as_ref().to_value(), first, "borrowing changes nothing");
    let derived = RecordId::derived("model", [&first]);
    if let Ok((second, _)) = postcard::take_from_bytes::<Value>(rest) {
        let equal = first == second;
        assert_eq!(bytes == canonical(second.as_ref()), equal, "canonical bytes are the value");
        assert_eq!(derived == RecordId::derived("model", [&second]), equal, "derived ids are of the value");
        assert_eq!(first.cmp(&second).is_eq(), equal, "the order agrees");
    }
    let written = postcard::to_stdvec(&first).unwrap_or_default();
    assert_eq!(postcard::from_bytes::<Value>(&written).as_ref(), Ok(&first), "survives");
    Outcome::ok(bytes.len()).at(class(&first))
}

const fn class(value: &Value) -> u32 {
    match value {
        Value::Null => 1,
        Value::Integer(_) => 2,
        Value::Real(_) => 3,
        Value::Text(_) => 4,
        Value::Blob(_) => 5,
        Value::Reference(_) => 6,
    }
}
