//! Opening a space, step by step. Everything that changes the database's shape happens in one transaction, before
//! anyone can write.

use std::sync::{Arc, Mutex};

use sync_core::ids::Incarnation;
use sync_plugin::Registry;

use super::{
    Space,
    builder::SpaceBuilder,
    device::{Identity, Intent},
    folder::DeviceFolder,
    handle::Shared,
    meta, migration,
    network::Network,
    watch,
};
use crate::{
    Error, ErrorKind, Result,
    capture::install::{Installed, install},
    catalog::{Catalog, freeze},
    connection::{CommitHook, Database},
    engine::{Engine, EngineParts},
    event::EventSender,
    registration::{Registration, registered},
};

pub(super) async fn open(builder: SpaceBuilder) -> Result<Space> {
    let database = Arc::new(Database::open(&builder.path, builder.options).await?);
    let outcome = start(builder, &database).await;
    if outcome.is_err() {
        database.close().await;
    }
    outcome
}

async fn start(builder: SpaceBuilder, database: &Arc<Database>) -> Result<Space> {
    let SpaceBuilder {
        intent, reidentify, migrations, models, transports, mut peers, registry, context, ..
    } = builder;
    let registry = match registry {
        Some(registry) => registry,
        None => Registry::linked().map_err(|error| {
            Error::new(ErrorKind::Configuration, "find transports", error.to_string()).with_source(error)
        })?,
    };
    let prepared = prepare(database, &intent, reidentify, migrations, models).await?;
    let Prepared { identity, catalog, installed } = prepared;
    let events = EventSender::default();
    let engine = Engine::open(EngineParts {
        database: Arc::clone(database),
        catalog: Arc::clone(&catalog),
        installed,
        space: identity.space,
        space_key: identity.space_key.clone(),
        origin: identity.origin(),
        remember: remember(identity.folder.clone()),
        key: Arc::clone(&identity.key),
        context: context.clone(),
        events: events.clone(),
    })
    .await?;
    engine.adopt().await?;
    let hook: Arc<dyn CommitHook> = Arc::clone(&engine) as _;
    database.install(&hook)?;
    let tasks = vec![
        watch::foreign_writes(database, Arc::clone(&engine), &context, events.clone()).await?,
        watch::counter(identity.folder.clone(), Arc::clone(&engine), &context, events.clone()),
    ];
    let network = Network::new(Arc::clone(&engine), registry, context);
    if let Intent::Join(invite) = &intent {
        peers.extend(invite.addresses().iter().map(sync_plugin::Url::expose));
    }
    let space = Space::new(Shared {
        database: Arc::clone(database),
        engine,
        catalog,
        identity,
        events,
        network,
        tasks: Mutex::new(tasks),
    });
    for url in &transports {
        space.shared().network.listen(url).await?;
    }
    for url in &peers {
        space.connect(url)?;
    }
    Ok(space)
}

fn remember(folder: DeviceFolder) -> Box<dyn Fn(Incarnation) -> Result<()> + Send + Sync> {
    Box::new(move |incarnation| folder.write_incarnation(incarnation))
}

/// What the transaction of opening leaves behind.
struct Prepared {
    identity: Identity,
    catalog: Arc<Catalog>,
    installed: Installed,
}

async fn prepare(
    database: &Database,
    intent: &Intent,
    reidentify: bool,
    migrations: Vec<migration::Migration>,
    models: Option<Vec<&'static Registration>>,
) -> Result<Prepared> {
    let tx = database.writer().begin().await?;
    meta::prepare(&tx).await?;
    let known = meta::known(&tx).await?;
    let folder = DeviceFolder::of(database.path())?;
    let identity = Identity::settle(folder, known, intent, reidentify)?;
    migration::run(&tx, migrations).await?;
    let models = models.unwrap_or_else(|| registered().collect());
    let catalog = Arc::new(freeze(tx.connection(), models).await?);
    let installed = install(tx.connection(), &catalog).await?;
    if let Some(known) = known.filter(|known| known.origin != identity.origin()) {
        meta::follow(&tx, known).await?;
    }
    meta::record(&tx, &identity).await?;
    // ORDER: the folder is on the disk before the database says that it belongs to this device.
    tx.commit().await?;
    Ok(Prepared { identity, catalog, installed })
}
