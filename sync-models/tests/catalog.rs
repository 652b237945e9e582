//! The annotations, the entities and the tables agree: the engine's catalog accepts all of them, in an order in
//! which parents come first.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, EntityName};
use sea_orm_migration::MigratorTrait;
use sync_models::{Migrator, device};
use sync_runtime::{__private::v1::inventory, catalog::freeze, registration::Registration};

#[tokio::test]
async fn the_catalog_accepts_every_model() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await?;
    Migrator::up(&database, None).await?;
    // What the engine makes before it freezes the catalog.
    database
        .execute_unprepared("CREATE TABLE _sync_model (m INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
        .await?;
    // Linking the crate is what registers its models: a name of it has to be used.
    assert_eq!(device::Entity.table_name(), "device");
    let catalog = freeze(&database, inventory::iter::<Registration>()).await?;

    let order: Vec<&str> = catalog.models.iter().map(|model| model.table.as_str()).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "collection",
            "collection_entry",
            "content_identity",
            "device",
            "entry",
            "location",
            "tag",
            "tag_relation",
            "user_metadata",
            "user_metadata_tag",
            "volume",
        ]
    );
    let place = |name: &str| order.iter().position(|model| *model == name);
    for (parent, child) in [
        ("device", "volume"),
        ("volume", "location"),
        ("location", "entry"),
        ("content_identity", "entry"),
        ("tag", "tag_relation"),
        ("collection", "collection_entry"),
        ("entry", "collection_entry"),
        ("entry", "user_metadata"),
        ("user_metadata", "user_metadata_tag"),
        ("tag", "user_metadata_tag"),
    ] {
        assert!(place(parent) < place(child), "{parent} before {child}: {order:?}");
    }
    Ok(())
}
