//! Registrations and entities by hand, and a database with a schema.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

use sea_orm::{
    ColumnType, ConnectionTrait, Database, DatabaseConnection,
    sea_query::{ForeignKeyAction, StringLen},
};

use crate::{
    ErrorKind,
    catalog::{Catalog, freeze},
    registration::{
        ColumnMeta, DeletePolicy, EntityMeta, FieldRule, Identity, MergeKind, Regime, Registration,
        RelationMeta, Source,
    },
};

/// A database in a folder that goes with it.
pub(crate) struct TestDatabase {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) db: DatabaseConnection,
}

impl TestDatabase {
    /// One connection to a database with the framework's tables and `schema`.
    pub(crate) async fn with(schema: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = connect(&folder).await;
        for sql in crate::store::schema::TABLES {
            db.execute_unprepared(sql).await.unwrap();
        }
        db.execute_unprepared(schema).await.unwrap();
        Self { folder, db }
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap();
    }

    /// Another connection, as another program has it.
    pub(crate) async fn other(&self) -> DatabaseConnection {
        connect(&self.folder).await
    }

    pub(crate) async fn freeze(&self, registrations: &[&'static Registration]) -> crate::Result<Catalog> {
        freeze(&self.db, registrations.to_vec()).await
    }
}

async fn connect(folder: &tempfile::TempDir) -> DatabaseConnection {
    let path = folder.path().join("app.db");
    let mut options = sea_orm::ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    options.max_connections(1);
    Database::connect(options).await.unwrap()
}

/// The mistakes in a schema with these registrations.
pub(crate) async fn mistakes(schema: &str, registrations: Vec<Registration>) -> Vec<String> {
    let database = TestDatabase::with(schema).await;
    let registrations: Vec<_> = registrations.into_iter().map(leak).collect();
    let error = database.freeze(&registrations).await.expect_err("a mistake");
    assert_eq!(error.kind(), ErrorKind::Catalog);
    let text = error.to_string();
    let text = text.strip_prefix("catalog: ").expect("operation");
    let list: Vec<_> = text.split("\n- ").map(str::to_owned).collect();
    match list.as_slice() {
        [one] => vec![one.clone()],
        [head, rest @ ..] => {
            assert_eq!(*head, format!("{} mistakes:", rest.len()));
            rest.to_vec()
        }
        [] => Vec::new(),
    }
}

/// A shared model with the id column `uuid`, "defined" in `{name}.rs` at line 7.
pub(crate) fn shared(entity: fn() -> EntityMeta) -> Registration {
    Registration {
        name: None,
        source: Source { module: "app::model", file: "model.rs", line: 7 },
        regime: Regime::Shared,
        id: "uuid",
        identity: Identity::Column,
        delete: DeletePolicy::Wins,
        fields: &[],
        entity,
    }
}

pub(crate) fn leak(registration: Registration) -> &'static Registration {
    Box::leak(Box::new(registration))
}

const RULE: FieldRule = FieldRule { column: "", skip: false, merge: MergeKind::LastWriter, group: None };

pub(crate) const fn skip(column: &'static str) -> FieldRule {
    FieldRule { column, skip: true, ..RULE }
}

pub(crate) const fn merge(column: &'static str, merge: MergeKind) -> FieldRule {
    FieldRule { column, merge, ..RULE }
}

pub(crate) const fn group(column: &'static str, group: &'static str) -> FieldRule {
    FieldRule { column, group: Some(group), ..RULE }
}

/// Metadata of an entity, column by column.
pub(crate) struct Entity(EntityMeta);

/// An entity without columns.
pub(crate) fn entity(table: &str) -> Entity {
    Entity(EntityMeta {
        table: table.to_owned(),
        columns: Vec::new(),
        primary_key: Vec::new(),
        auto_increment: false,
        relations: Vec::new(),
        uniques: Vec::new(),
    })
}

/// An entity with an integer key `id` and a record id `uuid`.
pub(crate) fn keyed(table: &str) -> Entity {
    entity(table).column("id", ColumnType::BigInteger).key(&["id"]).column("uuid", ColumnType::Uuid)
}

impl Entity {
    pub(crate) fn column(mut self, name: &str, column_type: ColumnType) -> Self {
        self.0.columns.push(ColumnMeta { name: name.to_owned(), column_type, nullable: false });
        self
    }

    pub(crate) fn nullable(mut self, name: &str, column_type: ColumnType) -> Self {
        self.0.columns.push(ColumnMeta { name: name.to_owned(), column_type, nullable: true });
        self
    }

    pub(crate) fn text(self, name: &str) -> Self {
        self.column(name, ColumnType::String(StringLen::None))
    }

    pub(crate) fn integer(self, name: &str) -> Self {
        self.column(name, ColumnType::BigInteger)
    }

    pub(crate) fn key(mut self, columns: &[&str]) -> Self {
        self.0.primary_key = owned(columns);
        self
    }

    pub(crate) fn unique(mut self, columns: &[&str]) -> Self {
        self.0.uniques.push(owned(columns));
        self
    }

    pub(crate) fn refers(self, from: &str, to_table: &str) -> Self {
        self.relation(&[from], to_table, &["id"], None)
    }

    pub(crate) fn relation(
        mut self,
        from: &[&str],
        to_table: &str,
        to: &[&str],
        on_delete: Option<ForeignKeyAction>,
    ) -> Self {
        let (from, to_table, to) = (owned(from), to_table.to_owned(), owned(to));
        self.0.relations.push(RelationMeta { from, to_table, to, on_delete });
        self
    }

    pub(crate) fn done(self) -> EntityMeta {
        self.0
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
