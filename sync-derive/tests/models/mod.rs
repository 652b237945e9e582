//! The models of the test, one module each, named after what it shows.

pub mod plain {
    //! Nothing but a regime and an id, in the old format. It stands first: its line is looked up.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "plain")]
    #[sync(shared)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sync(id)]
        pub uuid: Uuid,
        #[sync(merge = "lww")]
        pub name: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod dense {
    //! The dense format with a relation to itself.
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "dense")]
    #[sync(shared)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sync(id)]
        #[sea_orm(unique)]
        pub uuid: Uuid,
        #[sync(merge = "counter")]
        pub uses: i64,
        pub parent_id: Option<i32>,
        #[sea_orm(self_ref, relation_enum = "Parent", from = "parent_id", to = "id", on_delete = "SetNull")]
        pub parent: BelongsTo<Option<Entity>>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod rules {
    //! One field of every rule.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "rules")]
    #[sync(shared, delete = "loses")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sync(id)]
        pub uuid: Option<Uuid>,
        pub name: String,
        #[sync(merge = "counter")]
        pub uses: i64,
        #[sync(merge = "max")]
        pub last_used: Option<DateTimeUtc>,
        #[sync(merge = "min")]
        pub first_used: u64,
        #[sync(merge = "set")]
        pub labels: Json,
        #[sync(group = "span")]
        pub starts: i64,
        #[sync(group = "span", merge = "lww")]
        pub ends: i64,
        #[sync(skip)]
        pub thumbnail: Option<Vec<u8>>,
        #[sea_orm(ignore)]
        pub cached: Option<String>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod device {
    //! A row that owns itself; the record id is the primary key.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "device")]
    #[sync(device_owned(owner = "uuid"))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        #[sync(id)]
        pub uuid: Uuid,
        pub name: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod entry {
    //! An owner path of three columns.
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "entry")]
    #[sync(device_owned(owner = "location_id.volume_id.device_id"))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(id)]
        pub uuid: Uuid,
        pub location_id: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod metadata {
    //! A hybrid whose attributes stand on several lines.
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "metadata")]
    #[sync(device_owned(owner = "device_id"), otherwise = "shared")]
    #[sync(natural_key("namespace", "slug"), delete = "wins")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sync(id)]
        pub uuid: Uuid,
        pub device_id: Option<i32>,
        pub namespace: Option<String>,
        pub slug: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod junction {
    //! A junction whose primary key is the pair of its parents.
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "tag_entry")]
    #[sync(shared, identity("tag_id", "entry_id"))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub entry_id: i32,
        #[sync(id)]
        pub uuid: Uuid,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod named {
    //! A wire name of its own.
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "labels")]
    #[sync(shared, name = "label_v2")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        #[sync(id)]
        pub id: Uuid,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod renamed {
    //! Every way in which SeaORM names a column. Each field but the id has a rule, so that all names are registered.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "renamed", rename_all = "camelCase")]
    #[sync(shared)]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        #[sync(id)]
        pub record_id: Uuid,
        #[sync(skip)]
        pub two_words: i32,
        #[sync(skip)]
        #[sea_orm(column_name = "By_Hand")]
        pub other: i32,
        #[sync(skip)]
        pub r#type: i32,
        #[sync(skip)]
        pub _edge_: i32,
        #[sync(skip)]
        pub part2of3: i32,
        #[sync(skip)]
        #[sea_orm(enum_name = "AnotherVariant")]
        pub variant: i32,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod through {
    //! The contract reached through a re-export.
    use sea_orm::entity::prelude::*;

    pub mod kit {
        //! What a crate that wraps the framework would do.
        pub use sync_runtime::*;
    }

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, sync_derive::Syncable)]
    #[sea_orm(table_name = "through")]
    #[sync(shared, crate = "kit")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sync(id)]
        pub uuid: Uuid,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
