//! The two models that are measured, one of each regime, of the same seven columns, and the rows that fill them.

use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait, entity::prelude::Uuid};
use sync_core::ids::DeviceId;

/// A shared model.
pub(crate) mod item {
    use sea_orm::entity::prelude::*;
    use sync_derive::Syncable;

    /// One row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "bench_item")]
    #[sync(shared, crate = "sync_runtime")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        #[sync(id)]
        #[sea_orm(unique)]
        pub(crate) uuid: Uuid,
        pub(crate) device: Uuid,
        pub(crate) name: String,
        pub(crate) size: i64,
        pub(crate) kind: i32,
        pub(crate) modified: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A device-owned model.
pub(crate) mod entry {
    use sea_orm::entity::prelude::*;
    use sync_derive::Syncable;

    /// One row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "bench_entry")]
    #[sync(device_owned(owner = "device"), crate = "sync_runtime")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        #[sync(id)]
        #[sea_orm(unique)]
        pub(crate) uuid: Uuid,
        pub(crate) device: Uuid,
        pub(crate) name: String,
        pub(crate) size: i64,
        pub(crate) kind: i32,
        pub(crate) modified: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The tables, for the plain database and for spaces.
pub(crate) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS bench_item (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
        device BLOB NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, kind INTEGER NOT NULL,
        modified INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS bench_entry (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
        device BLOB NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, kind INTEGER NOT NULL,
        modified INTEGER NOT NULL);";

/// What both models can.
pub(crate) trait Sample:
    EntityTrait<ActiveModel: ActiveModelTrait<Entity = Self> + ActiveModelBehavior + Send>
{
    /// A row to insert.
    fn draft(row: &Row) -> Self::ActiveModel;
    /// An update of one field of one row.
    fn resize(id: i64, size: i64) -> Self::ActiveModel;
}

macro_rules! sample {
    ($module:ident) => {
        impl Sample for $module::Entity {
            fn draft(row: &Row) -> $module::ActiveModel {
                use sea_orm::ActiveValue::{NotSet, Set};
                $module::ActiveModel {
                    id: NotSet,
                    uuid: Set(row.uuid),
                    device: Set(row.device),
                    name: Set(row.name.clone()),
                    size: Set(row.size),
                    kind: Set(row.kind),
                    modified: Set(row.modified),
                }
            }

            fn resize(id: i64, size: i64) -> $module::ActiveModel {
                use sea_orm::ActiveValue::{Set, Unchanged};
                $module::ActiveModel { id: Unchanged(id), size: Set(size), ..Default::default() }
            }
        }
    };
}

sample!(item);
sample!(entry);

/// The content of a row: a file in a library.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) uuid: Uuid,
    pub(crate) device: Uuid,
    pub(crate) name: String,
    pub(crate) size: i64,
    pub(crate) kind: i32,
    pub(crate) modified: i64,
}

/// Rows as a library of files has them: random ids, names of a few patterns, sizes of every magnitude, times that
/// mostly grow. The same seed gives the same rows.
#[derive(Debug)]
pub(crate) struct Rows {
    state: u64,
    device: Uuid,
    number: u64,
    modified: i64,
}

impl Rows {
    /// Rows of a device.
    pub(crate) fn of(seed: usize, device: DeviceId) -> Self {
        let seed = u64::try_from(seed).unwrap_or(0) + 1;
        let device = Uuid::from_bytes(*device.as_bytes());
        Self {
            state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            device,
            number: 0,
            modified: 1_690_000_000_000,
        }
    }

    /// `xorshift64*` (Vigna 2016).
    fn random(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn name(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "report", "invoice", "draft", "holiday", "summary", "notes", "budget", "meeting", "scan",
            "letter", "photo", "backup",
        ];
        let (kind, n) = (self.random() % 4, self.random());
        let word = WORDS.iter().cycle().nth(usize::try_from(n % 12).unwrap_or(0)).unwrap_or(&"file");
        match kind {
            0 => format!("IMG_{:04}.jpg", self.number % 10_000),
            1 => format!("{word}-{:02}.pdf", n / 12 % 100),
            2 => format!("{word} {:03} ({}).txt", n / 12 % 1000, n / 12_000 % 9),
            _ => format!("DSC{:05}.ARW", n % 100_000),
        }
    }

    /// `count` rows to insert.
    pub(crate) fn drafts<E: Sample>(&mut self, count: usize) -> Vec<E::ActiveModel> {
        self.by_ref().take(count).map(|row| E::draft(&row)).collect()
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let high = u128::from(self.random());
        let uuid = Uuid::from_u128(high << 64 | u128::from(self.random()));
        let name = self.name();
        let magnitude = self.random() % 30;
        let size = i64::try_from(self.random() >> 34 >> (30 - magnitude)).unwrap_or(0);
        self.modified += i64::try_from(self.random() % 100_000).unwrap_or(0);
        self.number += 1;
        let kind = i32::try_from(self.random() % 6).unwrap_or(0);
        Some(Row { uuid, device: self.device, name, size, kind, modified: self.modified })
    }
}
