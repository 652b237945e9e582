//! Lists of local keys as one bound value, so that one statement serves thousands of them.

use std::collections::BTreeSet;

use sea_orm::{DbErr, Value};
use sync_runtime::derived::DerivedContext;

/// Keys that one statement gets; bounds the length of the bound text.
pub(super) const CHUNK: usize = 5_000;

/// The keys as a JSON array, for `json_each(?)`.
pub(super) fn json(keys: &[i64]) -> Value {
    let mut text = String::with_capacity(keys.len() * 8 + 2);
    text.push('[');
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&key.to_string());
    }
    text.push(']');
    Value::from(text)
}

/// Runs `sql`, whose one placeholder takes a list of keys, over all of `keys` in chunks and puts the first
/// column of every row into `found`.
pub(super) async fn collect(
    context: &DerivedContext<'_>,
    sql: &str,
    keys: &[i64],
    found: &mut BTreeSet<i64>,
) -> Result<(), DbErr> {
    for chunk in keys.chunks(CHUNK) {
        for row in context.query(sql, vec![json(chunk)]).await? {
            found.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(())
}

/// Runs `sql`, whose one placeholder takes a list of keys, over all of `keys` in chunks.
pub(super) async fn execute(context: &DerivedContext<'_>, sql: &str, keys: &[i64]) -> Result<(), DbErr> {
    for chunk in keys.chunks(CHUNK) {
        context.execute(sql, vec![json(chunk)]).await?;
    }
    Ok(())
}
