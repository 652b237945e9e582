//! The closure of the entry tree: one row per entry and ancestor, the entry itself included at depth 0.
//!
//! The ancestors of an entry are what walking up `parent_id` meets, until there is no parent, the parent's row
//! is missing, or the walk meets an entry again. Edits on two devices can pass through such states; the table
//! has a definite content in each of them.

use std::collections::BTreeSet;

use sea_orm::{ActiveModelBehavior, DbErr, entity::prelude::*};
use sync_runtime::derived::{DerivedContext, DerivedTable, DerivedUpdate, RowChange};

use super::keys::{self, CHUNK};

/// `ancestor` is `depth` steps above `descendant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entry_closure")]
pub struct Model {
    /// Local key of the lower entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub descendant_id: i64,
    /// Local key of the upper entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ancestor_id: i64,
    /// Steps between them; 0 from an entry to itself.
    pub depth: i64,
}

/// Relations: none, the table is kept by the framework's hooks.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

sync_runtime::__private::v1::inventory::submit! {
    DerivedTable { table: "entry_closure", source: "entry", update }
}

fn update<'a>(context: &'a DerivedContext<'a>, changes: &'a [RowChange]) -> DerivedUpdate<'a> {
    Box::pin(follow(context, changes))
}

/// The entries of a list, whether they exist, whether the closure knows them, and both parents.
const STATE: &str = "SELECT k.value, e.id IS NOT NULL, s.descendant_id IS NOT NULL, p.id,
        (SELECT c.ancestor_id FROM entry_closure c WHERE c.descendant_id = k.value AND c.depth = 1)
    FROM json_each(?) k
    LEFT JOIN entry e ON e.id = k.value
    LEFT JOIN entry p ON p.id = e.parent_id AND p.id <> e.id
    LEFT JOIN entry_closure s ON s.descendant_id = k.value AND s.ancestor_id = k.value";

const CHILDREN: &str = "SELECT id FROM entry WHERE parent_id IN (SELECT value FROM json_each(?))";

const BELOW: &str =
    "SELECT descendant_id FROM entry_closure WHERE ancestor_id IN (SELECT value FROM json_each(?))";

const FORGET: &str = "DELETE FROM entry_closure WHERE descendant_id IN (SELECT value FROM json_each(?))";

const THEMSELVES: &str = "INSERT INTO entry_closure (descendant_id, ancestor_id, depth)
    SELECT id, id, 0 FROM entry WHERE id IN (SELECT value FROM json_each(?))";

/// One step further up; what a walk has met already stops it.
const STEP: &str = "INSERT OR IGNORE INTO entry_closure (descendant_id, ancestor_id, depth)
    SELECT c.descendant_id, p.id, c.depth + 1
    FROM json_each(?) k
    JOIN entry_closure c ON c.descendant_id = k.value AND c.depth = ?
    JOIN entry e ON e.id = c.ancestor_id
    JOIN entry p ON p.id = e.parent_id";

/// What became of the listed entries, against what the closure says.
#[derive(Default)]
struct Turned {
    /// Came into being or went: entries that name them as parent are placed anew.
    came_or_went: Vec<i64>,
    /// Known to the closure, and gone or under another parent.
    uprooted: Vec<i64>,
    /// Everything that stands somewhere else than the closure says.
    displaced: BTreeSet<i64>,
}

async fn follow(context: &DerivedContext<'_>, changes: &[RowChange]) -> Result<(), DbErr> {
    let listed: Vec<i64> =
        changes.iter().map(|change| change.key).collect::<BTreeSet<_>>().into_iter().collect();
    let mut turned = compare(context, &listed).await?;

    // Rows that were not written themselves: their parent came or went without them.
    let mut orphans_and_adopted = BTreeSet::new();
    keys::collect(context, CHILDREN, &turned.came_or_went, &mut orphans_and_adopted).await?;
    turned.uprooted.extend(orphans_and_adopted.difference(&turned.displaced).copied());
    turned.displaced.extend(orphans_and_adopted);

    // Whoever was below something that moved has other ancestors now. An entry that is new has no one below it
    // that is not listed here already.
    let mut below = BTreeSet::new();
    keys::collect(context, BELOW, &turned.uprooted, &mut below).await?;
    turned.displaced.extend(below);

    let displaced: Vec<i64> = turned.displaced.into_iter().collect();
    keys::execute(context, FORGET, &displaced).await?;
    for chunk in displaced.chunks(CHUNK) {
        climb(context, chunk).await?;
    }
    Ok(())
}

async fn compare(context: &DerivedContext<'_>, listed: &[i64]) -> Result<Turned, DbErr> {
    let mut turned = Turned::default();
    for chunk in listed.chunks(CHUNK) {
        for row in context.query(STATE, vec![keys::json(chunk)]).await? {
            let key: i64 = row.try_get_by_index(0)?;
            let exists: bool = row.try_get_by_index(1)?;
            let known: bool = row.try_get_by_index(2)?;
            let parent: Option<i64> = row.try_get_by_index(3)?;
            let known_parent: Option<i64> = row.try_get_by_index(4)?;
            if exists && known && parent == known_parent {
                continue;
            }
            turned.displaced.insert(key);
            if exists != known {
                turned.came_or_went.push(key);
            }
            if known {
                turned.uprooted.push(key);
            }
        }
    }
    Ok(turned)
}

/// Writes the rows of these entries, which have none, level by level. It ends: each step that does not add a
/// row is the last, and there are finitely many pairs.
async fn climb(context: &DerivedContext<'_>, entries: &[i64]) -> Result<(), DbErr> {
    let list = keys::json(entries);
    let mut added = context.execute(THEMSELVES, vec![list.clone()]).await?;
    let mut depth = 0_i64;
    while added > 0 {
        added = context.execute(STEP, vec![list.clone(), Value::from(depth)]).await?;
        depth += 1;
    }
    Ok(())
}
