//! The entry closure.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseConnection, DbErr, Value};
use sync_runtime::derived::RowChangeKind::{self, Deleted, Inserted, Updated};

use super::support::{Random, library, rows, run, tell};

/// What the table has to hold, from the definition.
fn computed(parents: &BTreeMap<i64, Option<i64>>) -> Vec<Vec<i64>> {
    let mut all = Vec::new();
    for &entry in parents.keys() {
        let (mut met, mut at, mut depth) = (BTreeSet::new(), Some(entry), 0);
        while let Some(here) = at.filter(|here| parents.contains_key(here)) {
            if !met.insert(here) {
                break;
            }
            all.push(vec![entry, here, depth]);
            (at, depth) = (parents.get(&here).copied().flatten(), depth + 1);
        }
    }
    all.sort();
    all
}

async fn kept(database: &DatabaseConnection) -> Result<Vec<Vec<i64>>, DbErr> {
    rows(
        database,
        "SELECT descendant_id, ancestor_id, depth FROM entry_closure ORDER BY descendant_id, ancestor_id, depth",
    )
    .await
}

async fn write(database: &DatabaseConnection, key: i64, parent: Option<i64>) -> Result<(), DbErr> {
    run(
        database,
        "INSERT INTO entry (id, uuid, location_id, parent_id, name, kind, size)
         VALUES (?1, 'entry' || ?1, 1, ?2, 'entry' || ?1, 0, 0)
         ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id",
        [Value::from(key), Value::from(parent)],
    )
    .await?;
    Ok(())
}

async fn remove(database: &DatabaseConnection, key: i64) -> Result<(), DbErr> {
    run(database, "DELETE FROM entry WHERE id = ?", [Value::from(key)]).await?;
    Ok(())
}

/// A world of entries beside the database, and what was not told to the hook yet.
struct World {
    database: DatabaseConnection,
    parents: BTreeMap<i64, Option<i64>>,
    told: BTreeSet<i64>,
    pending: BTreeSet<i64>,
}

impl World {
    async fn new() -> Result<Self, DbErr> {
        let database = library().await?;
        Ok(Self { database, parents: BTreeMap::new(), told: BTreeSet::new(), pending: BTreeSet::new() })
    }

    async fn put(&mut self, key: i64, parent: Option<i64>) -> Result<(), DbErr> {
        self.parents.insert(key, parent);
        self.pending.insert(key);
        write(&self.database, key, parent).await
    }

    async fn take(&mut self, key: i64) -> Result<(), DbErr> {
        self.parents.remove(&key);
        self.pending.insert(key);
        remove(&self.database, key).await
    }

    /// Ends a transaction: one netted change for each row.
    async fn commit(&mut self) -> Result<(), DbErr> {
        let changes: Vec<(i64, RowChangeKind)> = std::mem::take(&mut self.pending)
            .into_iter()
            .filter_map(|key| match (self.told.contains(&key), self.parents.contains_key(&key)) {
                (false, true) => Some((key, Inserted)),
                (true, true) => Some((key, Updated)),
                (true, false) => Some((key, Deleted)),
                (false, false) => None,
            })
            .collect();
        self.told = self.parents.keys().copied().collect();
        tell(&self.database, "entry_closure", &changes).await
    }

    async fn check(&self, at: &str) -> Result<(), DbErr> {
        assert_eq!(kept(&self.database).await?, computed(&self.parents), "{at}: {:?}", self.parents);
        Ok(())
    }
}

#[tokio::test]
async fn a_subtree_that_moves_gets_its_new_ancestors() -> Result<(), DbErr> {
    let mut world = World::new().await?;
    for (key, parent) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (10, None), (11, Some(10))] {
        world.put(key, parent).await?;
    }
    world.commit().await?;
    world.check("built").await?;
    world.put(2, Some(11)).await?;
    world.commit().await?;
    world.check("moved").await?;
    let above_leaf = rows(
        &world.database,
        "SELECT ancestor_id, depth FROM entry_closure WHERE descendant_id = 4 ORDER BY depth",
    )
    .await?;
    assert_eq!(above_leaf, [[4, 0], [3, 1], [2, 2], [11, 3], [10, 4]]);
    Ok(())
}

#[tokio::test]
async fn a_parent_that_comes_late_adopts_what_waited_for_it() -> Result<(), DbErr> {
    let mut world = World::new().await?;
    world.put(3, Some(2)).await?;
    world.put(4, Some(3)).await?;
    world.commit().await?;
    world.check("waiting").await?;
    world.put(1, None).await?;
    world.put(2, Some(1)).await?;
    world.commit().await?;
    world.check("adopted").await?;
    world.take(2).await?;
    world.commit().await?;
    world.check("orphaned").await
}

#[tokio::test]
async fn a_cycle_ends_and_can_be_opened_again() -> Result<(), DbErr> {
    let mut world = World::new().await?;
    for (key, parent) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(3)), (5, Some(5))] {
        world.put(key, parent).await?;
    }
    world.commit().await?;
    world.check("with one entry under itself").await?;
    world.put(1, Some(3)).await?;
    world.commit().await?;
    world.check("closed").await?;
    world.put(1, None).await?;
    world.commit().await?;
    world.check("opened").await
}

#[tokio::test]
async fn random_histories_leave_what_a_full_computation_gives() -> Result<(), DbErr> {
    for seed in 0..40_u64 {
        let mut random = Random(seed);
        let mut world = World::new().await?;
        for step in 0..60 {
            for _ in 0..=random.below(6) {
                let known: Vec<i64> = world.parents.keys().copied().collect();
                let key = i64::try_from(random.below(24)).unwrap_or_default() + 1;
                // Any parent at all: itself, its own child, or one that does not exist.
                let parent = match random.below(5) {
                    0 => None,
                    1 => Some(i64::try_from(random.below(24)).unwrap_or_default() + 1),
                    _ => random.pick(&known),
                };
                if random.below(4) == 0 { world.take(key).await? } else { world.put(key, parent).await? }
            }
            world.commit().await?;
            world.check(&format!("seed {seed}, step {step}")).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn many_entries_come_and_move_in_one_call() -> Result<(), DbErr> {
    let mut world = World::new().await?;
    // Folders of 50: entry n lies in n / 50, so that several chunks have parents in each other.
    let entries = 12_000_i64;
    run(
        &world.database,
        "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < ?)
         INSERT INTO entry (id, uuid, location_id, parent_id, name, kind, size)
         SELECT k, 'entry' || k, 1, CASE WHEN k < 50 THEN NULL ELSE k / 50 END, 'entry' || k, 0, 0 FROM n",
        [Value::from(entries)],
    )
    .await?;
    world.parents = (1..=entries).map(|key| (key, Some(key / 50).filter(|parent| *parent > 0))).collect();
    let inserted: Vec<_> = (1..=entries).map(|key| (key, Inserted)).collect();
    tell(&world.database, "entry_closure", &inserted).await?;
    world.check("inserted").await?;
    world.told = world.parents.keys().copied().collect();
    world.put(1, Some(2)).await?;
    world.commit().await?;
    world.check("moved").await?;
    run(&world.database, "DELETE FROM entry WHERE id > 30", []).await?;
    world.parents.retain(|key, _| *key <= 30);
    let deleted: Vec<_> = (31..=entries).map(|key| (key, Deleted)).collect();
    tell(&world.database, "entry_closure", &deleted).await?;
    world.check("deleted").await
}
