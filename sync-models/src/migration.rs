//! The tables of the models with their UNIQUE, FOREIGN KEY and CHECK constraints, an index under every foreign
//! key, and the closure tables. Names stand here as text and not as entity columns: a migration stays what it
//! was when the models move on.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, big_pk_auto, binary_len, boolean, integer, integer_null, string,
        string_null, text_null, uuid_uniq,
    },
};

/// Makes the library's tables in a database of their own. An application with tables of its own puts
/// [`LibraryTables`] first into its own migrator instead.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(LibraryTables)]
    }
}

/// The one migration of the library models, for use in any migrator.
///
/// ```
/// use sea_orm_migration::{MigrationTrait, MigratorTrait};
///
/// struct AppMigrator;
///
/// impl MigratorTrait for AppMigrator {
///     fn migrations() -> Vec<Box<dyn MigrationTrait>> {
///         vec![Box::new(sync_models::LibraryTables)] // and the application's own after it
///     }
/// }
/// assert_eq!(AppMigrator::migrations().len(), 1);
/// ```
#[derive(Debug)]
pub struct LibraryTables;

impl MigrationName for LibraryTables {
    fn name(&self) -> &'static str {
        "m0001_sync_models_library"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for LibraryTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // A partial index and tables without rowid are beyond the statement builder.
        for sql in
            [ROOT_ENTRY_NAMES, ENTRY_CLOSURE, ENTRY_CLOSURE_DOWN, TAG_CLOSURE, TAG_CLOSURE_DOWN, TAG_EDGES]
        {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // ORDER: a table goes before those that it refers to.
        for table in [
            "tag_closure",
            "entry_closure",
            "user_metadata_tag",
            "user_metadata",
            "collection_entry",
            "collection",
            "tag_relation",
            "tag",
            "entry",
            "content_identity",
            "location",
            "volume",
            "device",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

/// UNIQUE(parent_id, name) says nothing where the parent is NULL.
const ROOT_ENTRY_NAMES: &str =
    "CREATE UNIQUE INDEX idx_entry_root_name ON entry (location_id, name) WHERE parent_id IS NULL";

/// Clustered by descendant: a new entry's rows lie together.
const ENTRY_CLOSURE: &str = "CREATE TABLE entry_closure (
    descendant_id INTEGER NOT NULL, ancestor_id INTEGER NOT NULL, depth INTEGER NOT NULL,
    PRIMARY KEY (descendant_id, ancestor_id)) WITHOUT ROWID";
const ENTRY_CLOSURE_DOWN: &str =
    "CREATE INDEX idx_entry_closure_ancestor ON entry_closure (ancestor_id, depth)";

/// `relation_id` is set where a relation joins the two directly, which is where `depth` is 1.
const TAG_CLOSURE: &str = "CREATE TABLE tag_closure (
    ancestor_id INTEGER NOT NULL, descendant_id INTEGER NOT NULL, depth INTEGER NOT NULL, relation_id INTEGER,
    PRIMARY KEY (ancestor_id, descendant_id)) WITHOUT ROWID";
const TAG_CLOSURE_DOWN: &str =
    "CREATE INDEX idx_tag_closure_descendant ON tag_closure (descendant_id, ancestor_id)";
const TAG_EDGES: &str =
    "CREATE INDEX idx_tag_closure_relation ON tag_closure (relation_id) WHERE relation_id IS NOT NULL";

fn tables() -> Vec<TableCreateStatement> {
    vec![
        device(),
        volume(),
        location(),
        content_identity(),
        entry(),
        tag(),
        tag_relation(),
        collection(),
        collection_entry(),
        user_metadata(),
        user_metadata_tag(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        unique("idx_volume_device_mount", "volume", ["device_id", "mount_point"]),
        unique("idx_location_device_path", "location", ["device_id", "path"]),
        unique("idx_entry_parent_name", "entry", ["parent_id", "name"]),
        unique("idx_tag_namespace_name", "tag", ["namespace", "name"]),
        unique("idx_tag_relation_parent_child", "tag_relation", ["parent_id", "child_id"]),
        unique("idx_collection_entry_pair", "collection_entry", ["collection_id", "entry_id"]),
        unique("idx_user_metadata_tag_pair", "user_metadata_tag", ["user_metadata_id", "tag_id"]),
        // Every foreign key that does not lead one of the unique indexes.
        plain("idx_location_volume", "location", "volume_id"),
        plain("idx_entry_location", "entry", "location_id"),
        plain("idx_entry_content", "entry", "content_id"),
        plain("idx_tag_relation_child", "tag_relation", "child_id"),
        plain("idx_collection_entry_entry", "collection_entry", "entry_id"),
        plain("idx_user_metadata_tag_tag", "user_metadata_tag", "tag_id"),
    ]
}

fn device() -> TableCreateStatement {
    table("device").col(string("name")).col(string_null("os")).col(string_null("hardware")).to_owned()
}

fn volume() -> TableCreateStatement {
    table("volume")
        .col(big_integer("device_id"))
        .col(string("mount_point"))
        .col(string("name"))
        .col(string_null("file_system"))
        .col(big_integer_null("total_bytes").check(Expr::col("total_bytes").gte(0)))
        .col(boolean("removable"))
        .foreign_key(&mut reference("volume", "device_id", "device", ForeignKeyAction::Cascade))
        .to_owned()
}

fn location() -> TableCreateStatement {
    table("location")
        .col(big_integer("device_id"))
        .col(string("path").check(Expr::col("path").ne("")))
        .col(big_integer_null("volume_id"))
        .col(string("name"))
        .foreign_key(&mut reference("location", "device_id", "device", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("location", "volume_id", "volume", ForeignKeyAction::SetNull))
        .to_owned()
}

fn content_identity() -> TableCreateStatement {
    table("content_identity")
        .col(binary_len("content_hash", 32).unique_key().check(Expr::cust("length(content_hash) = 32")))
        .col(big_integer("size").check(Expr::col("size").gte(0)))
        .col(string_null("media_type"))
        .to_owned()
}

fn entry() -> TableCreateStatement {
    table("entry")
        .col(big_integer("location_id"))
        .col(big_integer_null("parent_id"))
        .col(string("name").check(Expr::col("name").ne("")))
        .col(integer("kind").check(Expr::col("kind").is_in([0, 1, 2])))
        .col(big_integer("size").check(Expr::col("size").gte(0)))
        .col(big_integer_null("modified_at"))
        .col(big_integer_null("inode"))
        .col(big_integer_null("content_id"))
        .foreign_key(&mut reference("entry", "location_id", "location", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("entry", "parent_id", "entry", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("entry", "content_id", "content_identity", ForeignKeyAction::SetNull))
        .to_owned()
}

fn tag() -> TableCreateStatement {
    table("tag")
        .col(string("namespace").default(""))
        .col(string("name").check(Expr::col("name").ne("")))
        .col(string_null("colour"))
        .col(big_integer("uses").default(0))
        .to_owned()
}

fn tag_relation() -> TableCreateStatement {
    table("tag_relation")
        .col(big_integer("parent_id"))
        .col(big_integer("child_id"))
        .foreign_key(&mut reference("tag_relation", "parent_id", "tag", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("tag_relation", "child_id", "tag", ForeignKeyAction::Cascade))
        .check(Expr::cust("parent_id <> child_id"))
        .to_owned()
}

fn collection() -> TableCreateStatement {
    table("collection")
        .col(string("name").check(Expr::col("name").ne("")))
        .col(text_null("description"))
        .to_owned()
}

fn collection_entry() -> TableCreateStatement {
    table("collection_entry")
        .col(big_integer("collection_id"))
        .col(big_integer("entry_id"))
        .col(big_integer("position").default(0))
        .foreign_key(&mut reference(
            "collection_entry",
            "collection_id",
            "collection",
            ForeignKeyAction::Cascade,
        ))
        .foreign_key(&mut reference("collection_entry", "entry_id", "entry", ForeignKeyAction::Cascade))
        .to_owned()
}

fn user_metadata() -> TableCreateStatement {
    table("user_metadata")
        .col(big_integer_null("entry_id").unique_key())
        .col(big_integer_null("content_id").unique_key())
        .col(text_null("notes"))
        .col(boolean("favourite").default(false))
        .col(integer_null("rating").check(Expr::col("rating").between(0, 5)))
        .foreign_key(&mut reference("user_metadata", "entry_id", "entry", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference(
            "user_metadata",
            "content_id",
            "content_identity",
            ForeignKeyAction::Cascade,
        ))
        .check(Expr::cust("(entry_id IS NULL) <> (content_id IS NULL)"))
        .to_owned()
}

fn user_metadata_tag() -> TableCreateStatement {
    table("user_metadata_tag")
        .col(big_integer("user_metadata_id"))
        .col(big_integer("tag_id"))
        .foreign_key(&mut reference(
            "user_metadata_tag",
            "user_metadata_id",
            "user_metadata",
            ForeignKeyAction::Cascade,
        ))
        .foreign_key(&mut reference("user_metadata_tag", "tag_id", "tag", ForeignKeyAction::Cascade))
        .to_owned()
}

/// A table with what every model has: the local key and the record id.
fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).col(big_pk_auto("id")).col(uuid_uniq("uuid")).to_owned()
}

fn reference(
    from: &'static str,
    column: &'static str,
    to: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to(to, "id").on_delete(on_delete).to_owned()
}

fn unique(name: &'static str, table: &'static str, columns: [&'static str; 2]) -> IndexCreateStatement {
    let [first, second] = columns;
    Index::create().name(name).table(table).col(first).col(second).unique().to_owned()
}

fn plain(name: &'static str, table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table(table).col(column).to_owned()
}
