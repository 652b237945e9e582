//! The tag closure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sea_orm::{DatabaseConnection, DbErr, Value};
use sync_runtime::derived::RowChangeKind::{self, Deleted, Inserted, Updated};

use super::support::{Random, library, rows, run, tell};

/// Relations by key: both ends.
type Relations = BTreeMap<i64, (i64, i64)>;

/// What the table has to hold, from the definition; 0 stands for no relation.
fn computed(relations: &Relations) -> Vec<Vec<i64>> {
    let mut all = Vec::new();
    for start in relations.values().map(|ends| ends.0).collect::<BTreeSet<_>>() {
        let mut steps = BTreeMap::from([(start, 0)]);
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((at, far)) = queue.pop_front() {
            for (key, &(parent, child)) in relations {
                if parent == at && !steps.contains_key(&child) {
                    steps.insert(child, far + 1);
                    queue.push_back((child, far + 1));
                    let direct = if far == 0 { *key } else { 0 };
                    all.push(vec![start, child, far + 1, direct]);
                }
            }
        }
    }
    all.sort();
    all
}

async fn kept(database: &DatabaseConnection) -> Result<Vec<Vec<i64>>, DbErr> {
    rows(
        database,
        "SELECT ancestor_id, descendant_id, depth, coalesce(relation_id, 0) FROM tag_closure ORDER BY 1, 2, 3",
    )
    .await
}

struct World {
    database: DatabaseConnection,
    relations: Relations,
    told: BTreeSet<i64>,
    pending: BTreeSet<i64>,
}

impl World {
    async fn new() -> Result<Self, DbErr> {
        let database = library().await?;
        Ok(Self { database, relations: BTreeMap::new(), told: BTreeSet::new(), pending: BTreeSet::new() })
    }

    /// Writes a relation unless the pair is there already, as the table's UNIQUE and CHECK demand.
    async fn put(&mut self, key: i64, ends: (i64, i64)) -> Result<(), DbErr> {
        if ends.0 == ends.1 || self.relations.values().any(|known| *known == ends) {
            return Ok(());
        }
        self.relations.insert(key, ends);
        self.pending.insert(key);
        run(
            &self.database,
            "INSERT INTO tag_relation (id, uuid, parent_id, child_id) VALUES (?1, 'relation' || ?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id, child_id = excluded.child_id",
            [key, ends.0, ends.1].map(Value::from),
        )
        .await?;
        Ok(())
    }

    async fn take(&mut self, key: i64) -> Result<(), DbErr> {
        self.relations.remove(&key);
        self.pending.insert(key);
        run(&self.database, "DELETE FROM tag_relation WHERE id = ?", [Value::from(key)]).await?;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DbErr> {
        let changes: Vec<(i64, RowChangeKind)> = std::mem::take(&mut self.pending)
            .into_iter()
            .filter_map(|key| match (self.told.contains(&key), self.relations.contains_key(&key)) {
                (false, true) => Some((key, Inserted)),
                (true, true) => Some((key, Updated)),
                (true, false) => Some((key, Deleted)),
                (false, false) => None,
            })
            .collect();
        self.told = self.relations.keys().copied().collect();
        tell(&self.database, "tag_closure", &changes).await
    }

    async fn check(&self, at: &str) -> Result<(), DbErr> {
        assert_eq!(kept(&self.database).await?, computed(&self.relations), "{at}: {:?}", self.relations);
        Ok(())
    }
}

#[tokio::test]
async fn a_diamond_keeps_the_other_way_when_one_goes() -> Result<(), DbErr> {
    let mut world = World::new().await?;
    for (key, ends) in [(1, (1, 2)), (2, (1, 3)), (3, (2, 4)), (4, (3, 5)), (5, (5, 4))] {
        world.put(key, ends).await?;
        world.commit().await?;
        world.check("built").await?;
    }
    world.take(3).await?;
    world.commit().await?;
    world.check("the short way is gone").await?;
    let longer =
        rows(&world.database, "SELECT depth FROM tag_closure WHERE ancestor_id = 1 AND descendant_id = 4")
            .await?;
    assert_eq!(longer, [[3]]);
    Ok(())
}

#[tokio::test]
async fn a_cycle_of_tags_ends() -> Result<(), DbErr> {
    let mut world = World::new().await?;
    for (key, ends) in [(1, (1, 2)), (2, (2, 3)), (3, (3, 1)), (4, (3, 4))] {
        world.put(key, ends).await?;
    }
    world.commit().await?;
    world.check("closed").await?;
    world.take(3).await?;
    world.commit().await?;
    world.check("opened").await
}

#[tokio::test]
async fn random_histories_leave_what_a_full_computation_gives() -> Result<(), DbErr> {
    for seed in 0..40_u64 {
        let mut random = Random(seed);
        let mut world = World::new().await?;
        for step in 0..60 {
            for _ in 0..=random.below(4) {
                let number =
                    |random: &mut Random, bound| i64::try_from(random.below(bound)).unwrap_or_default() + 1;
                let key = number(&mut random, 30);
                let ends = (number(&mut random, 9), number(&mut random, 9));
                if random.below(3) == 0 { world.take(key).await? } else { world.put(key, ends).await? }
            }
            world.commit().await?;
            world.check(&format!("seed {seed}, step {step}")).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn many_relations_come_and_go_in_one_call() -> Result<(), DbErr> {
    let mut world = World::new().await?;
    for child in 2..=600_i64 {
        world.put(child, (child / 3 + i64::from(child == 2), child)).await?;
    }
    world.commit().await?;
    world.check("inserted").await?;
    for child in 200..=600_i64 {
        world.take(child).await?;
    }
    world.commit().await?;
    world.check("deleted").await
}
