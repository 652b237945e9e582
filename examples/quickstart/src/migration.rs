//! The application's own SeaORM migrations; nothing in them is about sync.

use sea_orm_migration::{
    prelude::*,
    schema::{pk_auto, string, uuid_uniq},
};

/// All migrations, oldest first.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateNote)]
    }
}

struct CreateNote;

impl MigrationName for CreateNote {
    fn name(&self) -> &'static str {
        "m1_create_note"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateNote {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let note = Table::create()
            .table("note")
            .col(pk_auto("id"))
            .col(uuid_uniq("uuid"))
            .col(string("title"))
            .to_owned();
        manager.create_table(note).await
    }
}
