//! SeaORM's metadata of real entities.

use sea_orm::{ColumnType, sea_query::ForeignKeyAction};

use crate::catalog::describe_entity;

mod shelf {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "shelf")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub uuid: Uuid,
        #[sea_orm(column_name = "label", unique_key = "place")]
        pub name: String,
        #[sea_orm(unique_key = "place")]
        pub room: Option<i32>,
        pub owner_id: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {
        #[sea_orm(has_many = "super::book::Entity")]
        Book,
        #[sea_orm(belongs_to = "Entity", from = "Column::OwnerId", to = "Column::Id", on_delete = "SetNull")]
        Owner,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod book {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "book")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub shelf_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub title: String,
        pub uuid: Uuid,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {
        #[sea_orm(
            belongs_to = "super::shelf::Entity",
            from = "Column::ShelfId",
            to = "super::shelf::Column::Id"
        )]
        Shelf,
    }

    impl Related<super::shelf::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Shelf.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[test]
fn an_entity_is_described_by_its_table() {
    let meta = describe_entity::<shelf::Entity>();
    assert_eq!((meta.table.as_str(), meta.auto_increment), ("shelf", true));
    assert_eq!(meta.primary_key, ["id"]);
    let columns: Vec<_> = meta.columns.iter().map(|c| (c.name.as_str(), c.nullable)).collect();
    assert_eq!(
        columns,
        [("id", false), ("uuid", false), ("label", false), ("room", true), ("owner_id", true)]
    );
    let types: Vec<_> = meta.columns.iter().map(|c| c.column_type.clone()).collect();
    let text = ColumnType::String(sea_orm::sea_query::StringLen::None);
    assert_eq!(
        types,
        [ColumnType::BigInteger, ColumnType::Uuid, text, ColumnType::Integer, ColumnType::BigInteger]
    );
    assert_eq!(meta.uniques, [vec!["uuid"], vec!["label", "room"]]);
    let relations: Vec<_> =
        meta.relations.iter().map(|r| (r.from.join(","), r.to_table.as_str(), r.to.join(","))).collect();
    assert_eq!(
        relations,
        [("owner_id".to_owned(), "shelf", "id".to_owned())],
        "the side without the key says nothing"
    );
    assert!(matches!(meta.relations.first().and_then(|r| r.on_delete), Some(ForeignKeyAction::SetNull)));
}

#[test]
fn composite_keys_and_their_references_are_described() {
    let meta = describe_entity::<book::Entity>();
    assert_eq!((meta.primary_key.join(","), meta.auto_increment), ("shelf_id,title".to_owned(), false));
    let relations: Vec<_> =
        meta.relations.iter().map(|r| (r.from.join(","), r.to_table.as_str(), r.to.join(","))).collect();
    assert_eq!(relations, [("shelf_id".to_owned(), "shelf", "id".to_owned())]);
    assert!(meta.relations.iter().all(|r| r.on_delete.is_none()));
}
