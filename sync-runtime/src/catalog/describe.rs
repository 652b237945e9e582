//! SeaORM's metadata of an entity, free of its type.

use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, PrimaryKeyTrait,
    RelationDef, RelationTrait, Schema, sea_query::TableRef,
};

use crate::registration::{ColumnMeta, EntityMeta, RelationMeta};

/// Reads what SeaORM knows of entity `E`.
pub(crate) fn describe_entity<E: EntityTrait>() -> EntityMeta {
    let columns = E::Column::iter()
        .map(|column| {
            let def = column.def();
            ColumnMeta {
                name: column.as_str().to_owned(),
                column_type: def.get_column_type().clone(),
                nullable: def.is_null(),
            }
        })
        .collect();
    EntityMeta {
        table: E::default().table_name().to_owned(),
        columns,
        primary_key: E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned()).collect(),
        auto_increment: E::PrimaryKey::auto_increment(),
        // The side that holds the foreign key has `is_owner = false`.
        relations: E::Relation::iter()
            .map(|relation| relation.def())
            .filter(|relation| !relation.is_owner)
            .map(|relation| describe_relation(&relation))
            .collect(),
        uniques: uniques::<E>(),
    }
}

fn describe_relation(relation: &RelationDef) -> RelationMeta {
    RelationMeta {
        from: relation.from_col.iter().map(ToString::to_string).collect(),
        to_table: match &relation.to_tbl {
            TableRef::Table(table, _) => table.1.to_string(),
            other => other.sea_orm_table().to_string(),
        },
        to: relation.to_col.iter().map(ToString::to_string).collect(),
        on_delete: relation.on_delete,
    }
}

fn uniques<E: EntityTrait>() -> Vec<Vec<String>> {
    let single = E::Column::iter()
        .filter(|column| column.def().is_unique())
        .map(|column| vec![column.as_str().to_owned()]);
    let several = Schema::new(DbBackend::Sqlite)
        .create_index_from_entity(E::default())
        .into_iter()
        .filter(sea_orm::sea_query::IndexCreateStatement::is_unique_key)
        .map(|index| index.get_index_spec().get_column_names());
    single.chain(several).collect()
}
