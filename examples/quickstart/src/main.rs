//! Two devices in one process: what one writes, the other reads.

use std::{error::Error, time::Duration};

use sea_orm::{ActiveValue::Set, prelude::*};
use sync_kit::prelude::*;

mod note {
    //! The application's only model.
    use sea_orm::entity::prelude::*;
    use sync_kit::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "note")]
    #[sync(shared)]
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

mod migration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let laptop = Space::create(folder.path().join("laptop.db"))
        .migrate::<migration::Migrator>()
        .models(sync_kit::registration_of::<note::Entity>())
        .transport("ws://127.0.0.1:0")
        .open()
        .await?;
    let phone = Space::join(folder.path().join("phone.db"), laptop.invite()?)
        .migrate::<migration::Migrator>()
        .models(sync_kit::registration_of::<note::Entity>())
        .open()
        .await?;

    let milk = note::ActiveModel { uuid: Set(new_id()), title: Set("milk".into()), ..Default::default() };
    milk.insert(&laptop).await?;

    let written = laptop.vector().await?;
    tokio::time::timeout(Duration::from_secs(30), phone.caught_up_with(&written)).await??;
    let found = note::Entity::find().one(&phone).await?.ok_or("the note did not arrive")?;
    assert_eq!(found.title, "milk");
    assert_eq!(phone.digest().await?, laptop.digest().await?);

    phone.close().await?;
    laptop.close().await?;
    Ok(())
}
