//! Large transactions, which are read ahead and as joined columns: what they say must not depend on it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, Statement, TransactionSession, TransactionTrait, Value,
};
use sync_derive::Syncable;
use sync_runtime::{Space, registration_of};
use sync_transport_memory as _;
use uuid::Uuid;

mod file {
    use super::*;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "file")]
    #[sync(device_owned(owner = "device"))]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        #[sync(id)]
        #[sea_orm(unique)]
        pub(crate) uuid: Uuid,
        pub(crate) device: Uuid,
        #[sea_orm(unique)]
        pub(crate) path: Option<String>,
        pub(crate) size: Option<i64>,
        pub(crate) share: Option<f64>,
        pub(crate) content: Option<Vec<u8>>,
        pub(crate) other: Option<Uuid>,
        pub(crate) shown: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod page {
    use super::*;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "page")]
    #[sync(shared)]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) book: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) number: i64,
        #[sync(id)]
        #[sea_orm(unique)]
        pub(crate) uuid: Uuid,
        pub(crate) words: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod word {
    use super::*;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "word")]
    #[sync(shared)]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) text: String,
        #[sync(id)]
        #[sea_orm(unique)]
        pub(crate) uuid: Uuid,
        pub(crate) next_id: Option<Uuid>,
        pub(crate) count: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS file (id INTEGER PRIMARY KEY NOT NULL, uuid BLOB NOT NULL UNIQUE,
        device BLOB NOT NULL, path TEXT UNIQUE, size INTEGER, share REAL, content BLOB, other BLOB,
        shown BOOLEAN NOT NULL);
    CREATE TABLE IF NOT EXISTS page (book TEXT NOT NULL, number INTEGER NOT NULL, uuid BLOB NOT NULL UNIQUE,
        words TEXT, PRIMARY KEY (book, number)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS word (text TEXT PRIMARY KEY NOT NULL, uuid BLOB NOT NULL UNIQUE, next_id BLOB,
        count INTEGER NOT NULL);";

struct Pair {
    here: Space,
    there: Space,
    _folder: tempfile::TempDir,
}

impl Pair {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("memory://{}", sync_runtime::new_id());
        let open = |builder: sync_runtime::SpaceBuilder| {
            let models = registration_of::<file::Entity>()
                .into_iter()
                .chain(registration_of::<page::Entity>())
                .chain(registration_of::<word::Entity>());
            builder
                .migrate_with(|db| Box::pin(async move { db.execute_unprepared(TABLES).await.map(|_| ()) }))
                .models(models)
        };
        let here = open(Space::create(folder.path().join("a.db"))).transport(name).open().await.unwrap();
        let invite = here.invite().unwrap();
        let there = open(Space::join(folder.path().join("b.db"), invite)).open().await.unwrap();
        Self { here, there, _folder: folder }
    }

    /// Both hold the same rows, and every row has its version.
    async fn check(&self) {
        let vector = self.here.vector().await.unwrap();
        let limit = Duration::from_mins(1);
        let in_time = tokio::time::timeout(limit, self.there.caught_up_with(&vector)).await;
        assert!(in_time.is_ok_and(|caught_up| caught_up.is_ok()), "not converged: {:?}", self.there.status());
        for table in ["file", "page", "word"] {
            let (here, there) = (contents(&self.here, table).await, contents(&self.there, table).await);
            let differ: Vec<_> = here.iter().zip(&there).filter(|(a, b)| a != b).take(5).collect();
            assert!(here == there, "{table}, {} and {} rows: {differ:#?}", here.len(), there.len());
            for space in [&self.here, &self.there] {
                let versions = count(space, &format!("_sync_v_{table}")).await;
                assert_eq!(versions, count(space, table).await, "versions of {table}");
            }
        }
        assert_eq!(self.here.digest().await.unwrap(), self.there.digest().await.unwrap());
        assert_eq!(count(&self.here, "_sync_pending").await, 0);
        assert_eq!(count(&self.here, "_sync_guard").await, 1);
    }

    fn files(&self, range: std::ops::Range<i64>) -> Vec<Vec<Value>> {
        range.map(|n| self.file(n)).collect()
    }

    /// A file with NULLs here and there.
    fn file(&self, n: i64) -> Vec<Value> {
        let some = |every: i64| n % every != 0;
        vec![
            id(n).into(),
            Uuid::from_bytes(*self.here.device_id().as_bytes()).into(),
            some(7).then(|| format!("päth/{n}")).into(),
            some(5).then_some(n - 500).into(),
            Option::<f64>::None.into(),
            some(3).then(|| vec![u8::try_from(n % 251).unwrap(); usize::try_from(n % 40).unwrap()]).into(),
            some(2).then(|| id(n + 1)).into(),
            (n % 2 == 0).into(),
        ]
    }
}

const FILE: &str = "file (uuid, device, path, size, share, content, other, shown)";

fn id(n: i64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &n.to_be_bytes())
}

fn page(n: i64) -> Vec<Value> {
    let book = format!("book {}", n % 3);
    vec![book.into(), n.into(), id(n).into(), (n % 4 != 0).then(|| format!("{n}, words; 'quoted'\0")).into()]
}

fn word(n: i64) -> Vec<Value> {
    vec![format!("w{n}").into(), id(n).into(), (n % 3 != 0).then(|| id(n - 1)).into(), n.into()]
}

async fn insert(db: &impl ConnectionTrait, into: &str, rows: Vec<Vec<Value>>) {
    let row = format!("({})", vec!["?"; rows[0].len()].join(", "));
    let text = format!("INSERT INTO {into} VALUES {}", vec![row.as_str(); rows.len()].join(", "));
    let values = rows.into_iter().flatten();
    db.execute_raw(Statement::from_sql_and_values(DbBackend::Sqlite, text, values)).await.unwrap();
}

async fn run(db: &impl ConnectionTrait, text: &str) {
    db.execute_unprepared(text).await.unwrap();
}

async fn count(space: &Space, table: &str) -> i64 {
    let text = format!("SELECT count(*) FROM \"{table}\"");
    let statement = Statement::from_string(DbBackend::Sqlite, text);
    space.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Every synced value with its storage class.
async fn contents(space: &Space, table: &str) -> Vec<String> {
    let columns: &[&str] = match table {
        "file" => &["uuid", "device", "path", "size", "share", "content", "other", "shown"],
        "page" => &["book", "number", "uuid", "words"],
        _ => &["text", "uuid", "next_id", "count"],
    };
    let all: Vec<_> = columns.iter().map(|c| format!("typeof(\"{c}\") || ' ' || quote(\"{c}\")")).collect();
    let text = format!("SELECT concat_ws('|', {}) FROM \"{table}\" ORDER BY 1", all.join(", "));
    let statement = Statement::from_string(DbBackend::Sqlite, text);
    let rows = space.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_every_kind_of_key_and_column_are_read_as_they_are() {
    let pair = Pair::new().await;
    let tx = pair.here.begin().await.unwrap();
    for step in 0..6 {
        let range = step * 500..(step + 1) * 500;
        insert(&tx, FILE, pair.files(range.clone())).await;
        insert(&tx, "page (book, number, uuid, words)", range.clone().map(page).collect()).await;
        insert(&tx, "word (text, uuid, next_id, count)", range.map(word).collect()).await;
    }
    tx.commit().await.unwrap();
    pair.check().await;
    assert_eq!(count(&pair.there, "file").await, 3_000);
    assert_eq!(file::Entity::find().all(&pair.there).await.unwrap().len(), 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_another_class_than_the_first_rows_had_are_kept() {
    let pair = Pair::new().await;
    let odd: [(usize, Value); 8] = [
        (3, "no number".into()),
        (3, vec![b'1'].into()),
        (3, 1.5.into()),
        (4, 0.1.into()),
        (5, "text".into()),
        (5, 7_i64.into()),
        (2, vec![0_u8, 255].into()),
        (6, vec![9_u8; 15].into()),
    ];
    for (step, (column, value)) in (0..).zip(odd) {
        let first = step * 2_000;
        let tx = pair.here.begin().await.unwrap();
        insert(&tx, FILE, pair.files(first..first + 1_000)).await;
        let mut rows = pair.files(first + 1_000..first + 2_000);
        rows[500][column] = value;
        insert(&tx, FILE, rows).await;
        tx.commit().await.unwrap();
    }
    pair.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_reals_are_kept_to_the_bit() {
    let pair = Pair::new().await;
    let mut rows = pair.files(0..2_000);
    for (n, row) in (1_u64..).zip(&mut rows) {
        let real = f64::from_bits(0x3FD5_5555_5555_5555 ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 12);
        row[4] = real.into();
    }
    let tx = pair.here.begin().await.unwrap();
    let second = rows.split_off(1_000);
    insert(&tx, FILE, rows).await;
    insert(&tx, FILE, second).await;
    tx.commit().await.unwrap();
    pair.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_change_after_they_were_read_ahead_are_read_again() {
    let pair = Pair::new().await;
    let tx = pair.here.begin().await.unwrap();
    insert(&tx, FILE, pair.files(0..1_000)).await;
    insert(&tx, "word (text, uuid, next_id, count)", (0..1_000).map(word).collect()).await;
    run(&tx, "UPDATE file SET size = -size, path = 'new ' || path WHERE id % 3 = 0").await;
    insert(&tx, FILE, pair.files(1_000..2_000)).await;
    run(&tx, "DELETE FROM file WHERE id BETWEEN 900 AND 1100").await;
    run(&tx, "UPDATE word SET text = text || '!' WHERE count < 10").await;
    tx.commit().await.unwrap();
    pair.check().await;
    assert_eq!(count(&pair.there, "file").await, 1_799);
    let tx = pair.here.begin().await.unwrap();
    insert(&tx, FILE, pair.files(2_000..3_000)).await;
    run(&tx, "UPDATE file SET size = 1").await;
    tx.commit().await.unwrap();
    pair.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_large_transaction_replaces_are_seen() {
    let pair = Pair::new().await;
    insert(&pair.here, FILE, pair.files(0..100)).await;
    insert(&pair.here, "word (text, uuid, next_id, count)", (0..100).map(word).collect()).await;
    let tx = pair.here.begin().await.unwrap();
    insert(&tx, FILE, pair.files(1_000..2_000)).await;
    let again = "INSERT OR REPLACE INTO word (text, uuid, next_id, count) SELECT text, randomblob(16), NULL, -1 FROM word \
        WHERE count < 50";
    run(&tx, again).await;
    let nested = tx.begin().await.unwrap();
    run(
        &nested,
        "replace INTO file SELECT id + 100000, randomblob(16), device, path, 1, NULL, NULL, NULL, 1 \
        FROM file WHERE id < 50 AND path IS NOT NULL",
    )
    .await;
    nested.rollback().await.unwrap();
    run(&tx, "UPDATE OR REPLACE file SET path = 'päth/1' WHERE path = 'päth/2'").await;
    run(&tx, "INSERT OR REPLACE INTO file SELECT id + 100000, randomblob(16), device, path, 1, NULL, NULL, NULL, 1 \
        FROM file WHERE id > 50 AND path IS NOT NULL AND id < 500").await;
    tx.commit().await.unwrap();
    pair.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_an_applications_trigger_replaces_in_a_large_transaction_are_seen() {
    let pair = Pair::new().await;
    let trigger = "CREATE TRIGGER newest AFTER INSERT ON file WHEN NEW.size % 10 = 3 BEGIN
        INSERT OR REPLACE INTO word (text, uuid, count) VALUES ('newest', NEW.other, NEW.size);
        UPDATE file SET shown = 1 - shown WHERE id = NEW.id - 1; END";
    run(&pair.here, trigger).await;
    for step in 0..2 {
        let tx = pair.here.begin().await.unwrap();
        let mut rows = pair.files(step * 2_000 + 1..step * 2_000 + 2_000);
        for (n, row) in (1..).zip(&mut rows) {
            row[6] = id(step * 2_000 - n).into();
        }
        let second = rows.split_off(1_000);
        insert(&tx, FILE, rows).await;
        insert(&tx, FILE, second).await;
        tx.commit().await.unwrap();
        pair.check().await;
    }
    assert_eq!(count(&pair.there, "word").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn savepoints_in_a_large_transaction_go_their_own_way() {
    let pair = Pair::new().await;
    let tx = pair.here.begin().await.unwrap();
    insert(&tx, FILE, pair.files(0..500)).await;
    let nested = tx.begin().await.unwrap();
    insert(&nested, FILE, pair.files(500..1_500)).await;
    nested.rollback().await.unwrap();
    insert(&tx, FILE, pair.files(1_500..2_500)).await;
    let nested = tx.begin().await.unwrap();
    insert(&nested, FILE, pair.files(2_500..3_500)).await;
    nested.commit().await.unwrap();
    let dropped = tx.begin().await.unwrap();
    insert(&dropped, FILE, pair.files(3_500..4_500)).await;
    drop(dropped);
    insert(&tx, FILE, pair.files(4_500..5_000)).await;
    tx.commit().await.unwrap();
    pair.check().await;
    assert_eq!(count(&pair.there, "file").await, 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_transaction_that_ends_otherwise_leaves_nothing() {
    let pair = Pair::new().await;
    insert(&pair.here, FILE, pair.files(0..10)).await;
    let vector = pair.here.vector().await.unwrap();
    for dropped in [true, false] {
        let tx = pair.here.begin().await.unwrap();
        insert(&tx, FILE, pair.files(1_000..2_000)).await;
        insert(&tx, FILE, pair.files(2_000..3_000)).await;
        if dropped {
            drop(tx);
        } else {
            tx.rollback().await.unwrap();
        }
    }
    assert_eq!(pair.here.vector().await.unwrap(), vector);
    insert(&pair.here, FILE, pair.files(3_000..3_010)).await;
    pair.check().await;
    assert_eq!(count(&pair.there, "file").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_row_in_a_large_transaction_refuses_it_whole() {
    let pair = Pair::new().await;
    let tx = pair.here.begin().await.unwrap();
    let mut rows = pair.files(0..2_000);
    rows[1_900][1] = id(5).into();
    let second = rows.split_off(1_000);
    insert(&tx, FILE, rows).await;
    insert(&tx, FILE, second).await;
    assert!(tx.commit().await.is_err());
    assert_eq!(count(&pair.here, "file").await, 0);
    insert(&pair.here, FILE, pair.files(0..1_000)).await;
    pair.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_that_arrive_together_are_each_applied() {
    let pair = Pair::new().await;
    insert(&pair.here, FILE, pair.files(0..600)).await;
    insert(&pair.here, "page (book, number, uuid, words)", (0..600).map(page).collect()).await;
    insert(&pair.here, "word (text, uuid, next_id, count)", (0..600).map(word).collect()).await;
    pair.check().await;
    pair.there.disconnect_all();
    for n in 0..20 {
        run(&pair.here, &format!("UPDATE word SET count = -count WHERE text = 'w{n}'")).await;
    }
    let tx = pair.here.begin().await.unwrap();
    run(&tx, "UPDATE word SET next_id = NULL, count = count + 1 WHERE count > 100").await;
    run(&tx, "UPDATE word SET next_id = uuid WHERE count > 500").await;
    run(&tx, "UPDATE word SET text = text || '!' WHERE count BETWEEN 300 AND 320").await;
    run(&tx, "UPDATE page SET words = CASE number % 3 WHEN 0 THEN NULL ELSE 'x' || number END").await;
    run(&tx, "UPDATE page SET number = number + 10000 WHERE number BETWEEN 300 AND 310").await;
    run(&tx, "UPDATE file SET size = id, content = NULL WHERE id % 2 = 0").await;
    run(&tx, "UPDATE file SET path = 'new ' || path WHERE id BETWEEN 100 AND 300").await;
    run(&tx, "UPDATE file SET path = 'other' WHERE id = 2").await;
    run(&tx, "UPDATE file SET path = 'päth/1' WHERE id = 3").await;
    run(&tx, "UPDATE file SET path = 'päth/2' WHERE id = 2").await;
    run(&tx, "UPDATE page SET words = number WHERE number < 50").await;
    tx.commit().await.unwrap();
    pair.there.connect(pair.here.addresses()[0].expose()).unwrap();
    pair.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applications_trigger_sees_each_of_many_changes() {
    let pair = Pair::new().await;
    insert(&pair.here, "word (text, uuid, next_id, count)", (0..600).map(word).collect()).await;
    pair.check().await;
    let trigger = "CREATE TABLE seen (text TEXT, was INTEGER, now INTEGER);
        CREATE TRIGGER seen AFTER UPDATE OF count ON word BEGIN
        INSERT INTO seen VALUES (NEW.text, OLD.count, NEW.count); END";
    run(&pair.there, trigger).await;
    run(&pair.here, "UPDATE word SET count = count * 2 + 1").await;
    pair.check().await;
    let text = "SELECT count(*) FROM seen s JOIN word w USING (text) WHERE s.now = w.count AND s.was * 2 + 1 = s.now";
    let statement = Statement::from_string(DbBackend::Sqlite, text);
    let row = pair.there.query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 600);
    assert_eq!(count(&pair.there, "seen").await, 600);
}

/// Rows that the writing connection changed so far, by its own statements, triggers and all.
async fn changed(space: &Space) -> i64 {
    let tx = space.begin().await.unwrap();
    let statement = Statement::from_string(DbBackend::Sqlite, "SELECT total_changes()");
    let changes = tx.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    tx.rollback().await.unwrap();
    changes
}

/// The figures belong to n, 2n and 4n.
fn assert_linear(what: &str, figures: &[i64]) {
    let [n, n2, n4] = figures else { panic!("three figures") };
    let (first, second) = (n2 - n, n4 - n2);
    assert!(second <= first * 2 + first / 5 + 32, "{what} grow faster than what causes them: {figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_written_grow_with_rows_changed() {
    let pair = Pair::new().await;
    let steps = [
        "UPDATE file SET size = coalesce(size, 0) + 1 WHERE id <= ",
        "UPDATE file SET path = 'p' || id WHERE id <= ",
        "DELETE FROM file WHERE id <= ",
    ];
    let (mut here, mut there) = (vec![Vec::new(); 5], vec![Vec::new(); 4]);
    for n in [400, 800, 1_600] {
        let before = (changed(&pair.here).await, changed(&pair.there).await);
        insert(&pair.here, FILE, pair.files(n * 10..n * 11)).await;
        pair.check().await;
        here[0].push(changed(&pair.here).await - before.0);
        there[0].push(changed(&pair.there).await - before.1);
        for (step, text) in (1..).zip(steps) {
            let before = (changed(&pair.here).await, changed(&pair.there).await);
            run(&pair.here, &format!("{text} {n}")).await;
            pair.check().await;
            here[step].push(changed(&pair.here).await - before.0);
            there[step].push(changed(&pair.there).await - before.1);
        }
        // How many of them arrive together is a matter of time; only the author is looked at.
        let before = changed(&pair.here).await;
        for row in (n..n + n / 8).map(word) {
            insert(&pair.here, "word (text, uuid, next_id, count)", vec![row]).await;
        }
        here[4].push(changed(&pair.here).await - before);
        run(&pair.here, "DELETE FROM word").await;
        pair.check().await;
    }
    for (what, figures) in (0..).zip(here).chain((10..).zip(there)) {
        assert_linear(&format!("rows written in case {what}"), &figures);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_changes_cost_the_same_among_many_rows() {
    let mut costs = Vec::new();
    for n in [200, 3_200] {
        let pair = Pair::new().await;
        for first in (0..n).step_by(200) {
            insert(&pair.here, FILE, pair.files(first..first + 200)).await;
            insert(&pair.here, "word (text, uuid, next_id, count)", (first..first + 200).map(word).collect())
                .await;
        }
        pair.check().await;
        let before = (changed(&pair.here).await, changed(&pair.there).await);
        let tx = pair.here.begin().await.unwrap();
        run(&tx, "UPDATE file SET shown = 1 - shown WHERE id < 20").await;
        run(&tx, "UPDATE word SET count = count + 1 WHERE count BETWEEN 10 AND 20").await;
        run(&tx, "DELETE FROM word WHERE count < 5").await;
        tx.commit().await.unwrap();
        pair.check().await;
        costs.push((changed(&pair.here).await - before.0, changed(&pair.there).await - before.1));
    }
    let [few, many] = costs[..] else { panic!("two figures") };
    assert!((few.0 - many.0).abs() <= 8 && (few.1 - many.1).abs() <= 8, "{few:?} {many:?}");
}
