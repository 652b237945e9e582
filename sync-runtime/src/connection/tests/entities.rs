//! The models of the tests, in SeaORM's dense format, which also makes `ActiveModelEx`.

pub(super) mod note {
    //! A note with lines.
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "note")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        #[sea_orm(unique)]
        pub(crate) title: String,
        pub(crate) body: String,
        #[sea_orm(has_many)]
        pub(crate) lines: HasMany<super::line::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod line {
    //! A line of a note.
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "line")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i32,
        pub(crate) note_id: i32,
        pub(crate) text: String,
        #[sea_orm(belongs_to, from = "note_id", to = "id", on_delete = "Cascade")]
        pub(crate) note: HasOne<super::note::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
