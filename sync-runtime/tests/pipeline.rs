//! The whole path on two real databases over the in-memory transport: capture, log, session, merge, view.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use std::time::Duration;

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, ModelTrait};
use sync_derive::Syncable;
use sync_runtime::{Space, registration_of};
use sync_transport_memory as _;
use uuid::Uuid;

mod tag {
    use super::*;
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "tag")]
    #[sync(shared)]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sync(id)]
        #[sea_orm(unique)]
        pub(crate) uuid: Uuid,
        #[sea_orm(unique)]
        pub(crate) name: String,
        #[sync(merge = "counter")]
        pub(crate) uses: i64,
        pub(crate) parent_id: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {
        #[sea_orm(belongs_to = "Entity", from = "Column::ParentId", to = "Column::Id", on_delete = "Cascade")]
        Parent,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

const TABLES: &str = "CREATE TABLE IF NOT EXISTS tag (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE, uses BIGINT NOT NULL,
    parent_id INTEGER REFERENCES tag (id) ON DELETE CASCADE)";

async fn pair() -> (tempfile::TempDir, Space, Space) {
    let dir = tempfile::tempdir().unwrap();
    let name = format!("memory://{}", Uuid::from_bytes(*sync_runtime::new_id().as_bytes()));
    let open = |builder: sync_runtime::SpaceBuilder| {
        builder
            .migrate_with(|db| Box::pin(async move { db.execute_unprepared(TABLES).await.map(|_| ()) }))
            .models([registration_of::<tag::Entity>().unwrap()])
    };
    let a = open(Space::create(dir.path().join("a.db"))).transport(name).open().await.unwrap();
    let b = open(Space::join(dir.path().join("b.db"), a.invite().unwrap())).open().await.unwrap();
    (dir, a, b)
}

async fn converge(a: &Space, b: &Space) {
    let limit = Duration::from_secs(20);
    let both = async {
        b.caught_up_with(&a.vector().await.unwrap()).await.unwrap();
        a.caught_up_with(&b.vector().await.unwrap()).await.unwrap();
    };
    let in_time = tokio::time::timeout(limit, both).await.is_ok();
    assert!(in_time, "not converged: {:?} {:?} {:?}", a.status(), b.status(), b.hidden().await);
    assert_eq!(a.digest().await.unwrap(), b.digest().await.unwrap());
    assert_eq!(a.hidden().await.unwrap(), b.hidden().await.unwrap());
}

fn tag(name: &str, parent: Option<i32>) -> tag::ActiveModel {
    tag::ActiveModel {
        uuid: Set(sync_runtime::new_id()),
        name: Set(name.into()),
        uses: Set(10),
        parent_id: Set(parent),
        ..Default::default()
    }
}

async fn by_name(space: &Space, name: &str) -> Option<tag::Model> {
    use sea_orm::{ColumnTrait, QueryFilter};
    tag::Entity::find().filter(tag::Column::Name.eq(name)).one(space).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_travel_both_ways_and_concurrent_edits_merge() {
    let (_dir, a, b) = pair().await;
    let milk = tag("milk", None).insert(&a).await.unwrap();
    tag("child", Some(milk.id)).insert(&a).await.unwrap();
    tag("bread", None).insert(&b).await.unwrap();
    converge(&a, &b).await;
    assert_eq!(tag::Entity::find().all(&a).await.unwrap().len(), 3);

    a.disconnect_all();
    b.disconnect_all();
    let mine = by_name(&a, "milk").await.unwrap();
    let theirs = by_name(&b, "milk").await.unwrap();
    tag::ActiveModel { uses: Set(mine.uses + 1), ..mine.into() }.update(&a).await.unwrap();
    let mut theirs: tag::ActiveModel = theirs.into();
    theirs.uses = Set(15);
    theirs.name = Set("oat milk".into());
    theirs.update(&b).await.unwrap();
    tag("same", None).insert(&a).await.unwrap();
    tag("same", None).insert(&b).await.unwrap();
    by_name(&a, "bread").await.unwrap().delete(&a).await.unwrap();
    b.connect(a.addresses()[0].expose()).unwrap();
    converge(&a, &b).await;
    assert_eq!(by_name(&a, "oat milk").await.unwrap().uses, 16);
    assert_eq!(a.hidden().await.unwrap().len(), 1);
    assert!(by_name(&b, "bread").await.is_none());

    by_name(&b, "oat milk").await.unwrap().delete(&b).await.unwrap();
    converge(&a, &b).await;
    assert!(by_name(&a, "child").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_rows_arrive_as_they_are() {
    let (_dir, a, b) = pair().await;
    let rows: Vec<_> = (0..5_000).map(|n| tag(&format!("tag {n}"), None)).collect();
    for chunk in rows.chunks(1_000) {
        tag::Entity::insert_many(chunk.to_vec()).exec(&a).await.unwrap();
    }
    converge(&a, &b).await;
    assert_eq!(tag::Entity::find().all(&b).await.unwrap().len(), 5_000);
}
