//! A model and a folder for spaces.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::PathBuf;

use sea_orm::{ActiveValue::Set, ConnectionTrait};
use tempfile::TempDir;

use crate::{SpaceBuilder, host::new_id};

pub(super) mod note {
    //! A shared model.
    use sea_orm::entity::prelude::*;
    use sync_derive::Syncable;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "space_test_note")]
    #[sync(shared, crate = "crate")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sync(id)]
        #[sea_orm(unique)]
        pub(crate) uuid: Uuid,
        pub(crate) title: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) fn draft(title: &str) -> note::ActiveModel {
    note::ActiveModel { uuid: Set(new_id()), title: Set(title.to_owned()), ..Default::default() }
}

pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS space_test_note (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE, title TEXT NOT NULL)";

/// The builder with the model's table and nothing else.
pub(super) fn with_notes(builder: SpaceBuilder) -> SpaceBuilder {
    builder
        .migrate_with(|tx| Box::pin(async move { tx.execute_unprepared(TABLE).await.map(drop) }))
        .models(crate::registration_of::<note::Entity>())
}

/// A folder with room for one database.
pub(super) struct Place {
    folder: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    pub(super) fn device(&self, file: &str) -> PathBuf {
        self.folder.path().join("test.db.device").join(file)
    }
}
