//! The closure of the tag relations: one row per tag and tag above it, with the length of the shortest way
//! between them, at least 1; a tag is not listed above itself. Tags may have several parents, and relations
//! that were made at the same time may form a cycle.

use std::collections::BTreeSet;

use sea_orm::{ActiveModelBehavior, DbErr, entity::prelude::*};
use sync_runtime::derived::{DerivedContext, DerivedTable, DerivedUpdate, RowChange};

use super::keys::{self, CHUNK};

/// `ancestor` stands above `descendant`, `depth` steps on the shortest way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tag_closure")]
pub struct Model {
    /// Local key of the wider tag.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ancestor_id: i64,
    /// Local key of the narrower tag.
    #[sea_orm(primary_key, auto_increment = false)]
    pub descendant_id: i64,
    /// Steps between them, at least 1.
    pub depth: i64,
    /// The relation that joins them directly, where `depth` is 1.
    pub relation_id: Option<i64>,
}

/// Relations: none, the table is kept by the framework's hooks.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

sync_runtime::__private::v1::inventory::submit! {
    DerivedTable { table: "tag_closure", source: "tag_relation", update }
}

fn update<'a>(context: &'a DerivedContext<'a>, changes: &'a [RowChange]) -> DerivedUpdate<'a> {
    Box::pin(follow(context, changes))
}

/// Above this many new relations, computing anew what they touch is cheaper than adding them one by one.
const ONE_BY_ONE: usize = 64;

/// Relations of a list whose row is not what the closure says: the key, both ends now, the upper end before.
const STATE: &str = "SELECT k.value, r.parent_id, r.child_id, c.ancestor_id
    FROM json_each(?) k
    LEFT JOIN tag_relation r ON r.id = k.value
    LEFT JOIN tag_closure c ON c.relation_id = k.value
    WHERE r.parent_id IS NOT c.ancestor_id OR r.child_id IS NOT c.descendant_id";

/// Who stood above the listed tags before.
const ABOVE_BEFORE: &str =
    "SELECT ancestor_id FROM tag_closure WHERE descendant_id IN (SELECT value FROM json_each(?))";

/// Who stands above the listed tags now, themselves included; UNION ends it on a cycle.
const ABOVE_NOW: &str = "WITH RECURSIVE above(tag) AS (
        SELECT value FROM json_each(?)
        UNION SELECT r.parent_id FROM above JOIN tag_relation r ON r.child_id = above.tag)
    SELECT tag FROM above";

const FORGET: &str = "DELETE FROM tag_closure WHERE ancestor_id IN (SELECT value FROM json_each(?))";

const DIRECT: &str = "INSERT INTO tag_closure (ancestor_id, descendant_id, depth, relation_id)
    SELECT parent_id, child_id, 1, id FROM tag_relation WHERE parent_id IN (SELECT value FROM json_each(?))";

/// One step further down; a pair that has a shorter way keeps it.
const STEP: &str = "INSERT OR IGNORE INTO tag_closure (ancestor_id, descendant_id, depth)
    SELECT c.ancestor_id, r.child_id, c.depth + 1
    FROM json_each(?) k
    JOIN tag_closure c ON c.ancestor_id = k.value AND c.depth = ?
    JOIN tag_relation r ON r.parent_id = c.descendant_id
    WHERE r.child_id <> c.ancestor_id";

/// A new relation joins everything above its upper end with everything below its lower end.
const JOIN: &str = "INSERT INTO tag_closure (ancestor_id, descendant_id, depth)
    SELECT above.tag, below.tag, above.steps + 1 + below.steps
    FROM (SELECT ?1 AS tag, 0 AS steps
          UNION ALL SELECT ancestor_id, depth FROM tag_closure WHERE descendant_id = ?1) above
    CROSS JOIN (SELECT ?2 AS tag, 0 AS steps
          UNION ALL SELECT descendant_id, depth FROM tag_closure WHERE ancestor_id = ?2) below
    WHERE above.tag <> below.tag
    ON CONFLICT (ancestor_id, descendant_id) DO UPDATE SET depth = min(depth, excluded.depth)";

const NAME: &str = "UPDATE tag_closure SET relation_id = ?3 WHERE ancestor_id = ?1 AND descendant_id = ?2";

/// A relation as it stands now.
#[derive(Clone, Copy)]
struct Edge {
    key: i64,
    parent: i64,
    child: i64,
}

async fn follow(context: &DerivedContext<'_>, changes: &[RowChange]) -> Result<(), DbErr> {
    let listed: Vec<i64> =
        changes.iter().map(|change| change.key).collect::<BTreeSet<_>>().into_iter().collect();
    let (mut added, mut cut_below) = (Vec::new(), BTreeSet::new());
    for chunk in listed.chunks(CHUNK) {
        for row in context.query(STATE, vec![keys::json(chunk)]).await? {
            let key: i64 = row.try_get_by_index(0)?;
            let parent: Option<i64> = row.try_get_by_index(1)?;
            let child: Option<i64> = row.try_get_by_index(2)?;
            let parent_before: Option<i64> = row.try_get_by_index(3)?;
            if let (Some(parent), Some(child)) = (parent, child) {
                added.push(Edge { key, parent, child });
            }
            cut_below.extend(parent_before);
        }
    }
    if cut_below.is_empty() && added.len() <= ONE_BY_ONE {
        for edge in added {
            join(context, edge).await?;
        }
        return Ok(());
    }

    // A way got lost only for who stood above a relation that is gone, and was found only for who stands above
    // one that is new: their rows are computed anew, nobody else's change.
    let cut: Vec<i64> = cut_below.iter().copied().collect();
    let new: Vec<i64> = added.iter().map(|edge| edge.parent).collect();
    let mut touched = cut_below;
    keys::collect(context, ABOVE_BEFORE, &cut, &mut touched).await?;
    keys::collect(context, ABOVE_NOW, &new, &mut touched).await?;
    let touched: Vec<i64> = touched.into_iter().collect();
    keys::execute(context, FORGET, &touched).await?;
    for chunk in touched.chunks(CHUNK) {
        descend(context, chunk).await?;
    }
    Ok(())
}

async fn join(context: &DerivedContext<'_>, edge: Edge) -> Result<(), DbErr> {
    let ends = vec![Value::from(edge.parent), Value::from(edge.child)];
    context.execute(JOIN, ends).await?;
    let named = vec![Value::from(edge.parent), Value::from(edge.child), Value::from(edge.key)];
    context.execute(NAME, named).await?;
    Ok(())
}

/// Writes the rows of these upper tags, which have none, level by level.
async fn descend(context: &DerivedContext<'_>, tags: &[i64]) -> Result<(), DbErr> {
    let list = keys::json(tags);
    let mut added = context.execute(DIRECT, vec![list.clone()]).await?;
    let mut depth = 1_i64;
    while added > 0 {
        added = context.execute(STEP, vec![list.clone(), Value::from(depth)]).await?;
        depth += 1;
    }
    Ok(())
}
