//! The library: a space whose database has the library models. Opening it is all that syncing takes.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    prelude::Uuid,
};
pub(crate) use sync_kit::prelude::new_id;
use sync_kit::prelude::{Invite, Space};
use sync_models::{Migrator, device, entry, location};

use crate::error::Failure;

/// Opens the library, or makes it when there is none; it listens where `listen` says, if anywhere.
pub(crate) async fn open(path: &Path, listen: Option<&str>) -> Result<Space, Failure> {
    let mut builder = if path.exists() { Space::open(path) } else { Space::create(path) };
    if let Some(url) = listen {
        builder = builder.transport(url);
    }
    Ok(builder.migrate::<Migrator>().open().await?)
}

/// Opens a library that must be there.
pub(crate) async fn existing(path: &Path) -> Result<Space, Failure> {
    if !path.exists() {
        let path = path.display();
        return Err(Failure::NotFound(format!("no library at {path}: `shelf index <folder>` makes one")));
    }
    open(path, None).await
}

/// Makes a library that joins another by its code.
pub(crate) async fn join(path: &Path, code: &str, listen: &str) -> Result<Space, Failure> {
    if path.exists() {
        let path = path.display();
        return Err(Failure::Usage(format!("{path} is a library already; join with another --library")));
    }
    let invite: Invite =
        code.parse().map_err(|error| Failure::Usage(format!("{error}; `shelf serve` prints the code")))?;
    Ok(Space::join(path, invite).migrate::<Migrator>().transport(listen).open().await?)
}

/// The record id of this device's row, which is its device id.
pub(crate) fn own_id(space: &Space) -> Uuid {
    Uuid::from_bytes(*space.device_id().as_bytes())
}

/// The row of this device, made on first use.
pub(crate) async fn this_device(space: &Space, name: &str) -> Result<device::Model, Failure> {
    let own = own_id(space);
    if let Some(known) = device::Entity::find().filter(device::Column::Uuid.eq(own)).one(space).await? {
        return Ok(known);
    }
    let mut row = device::new(own, name);
    row.os = sea_orm::ActiveValue::Set(Some(std::env::consts::OS.to_owned()));
    Ok(row.insert(space).await?)
}

/// What this computer calls itself.
pub(crate) fn host_name() -> String {
    let from_system = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name = std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).unwrap_or(from_system);
    let name = name.trim();
    if name.is_empty() { "this device".to_owned() } else { name.to_owned() }
}

/// A URL to listen at that others in the network can call: the address from which this computer would speak to
/// the outside; no packet is sent to find it. Without a network, this computer only.
pub(crate) fn own_url(port: u16) -> String {
    let outside = UdpSocket::bind(("0.0.0.0", 0))
        .and_then(|socket| socket.connect(("192.0.2.1", 9)).and_then(|()| socket.local_addr()));
    let address = outside.map_or(Ipv4Addr::LOCALHOST.into(), |local| local.ip());
    format!("ws://{}", SocketAddr::new(address, port))
}

/// Finds an entry by its path on the disk or by `location/path`.
pub(crate) async fn entry_at(space: &Space, path: &str) -> Result<entry::Model, Failure> {
    match on_disk(space, Path::new(path)).await? {
        Some(found) => Ok(found),
        None => by_name(space, path).await,
    }
}

/// Finds an entry of this device by its path on the disk.
async fn on_disk(space: &Space, path: &Path) -> Result<Option<entry::Model>, Failure> {
    let Ok(path) = path.canonicalize() else { return Ok(None) };
    let Some(device) =
        device::Entity::find().filter(device::Column::Uuid.eq(own_id(space))).one(space).await?
    else {
        return Ok(None);
    };
    for location in
        location::Entity::find().filter(location::Column::DeviceId.eq(device.id)).all(space).await?
    {
        if let Ok(relative) = path.strip_prefix(&location.path) {
            let names: Vec<&str> = relative.iter().filter_map(|name| name.to_str()).collect();
            if let Some(found) = descend(space, location.id, &names).await? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Finds an entry by `location/path`, in whichever location of that name has it.
async fn by_name(space: &Space, path: &str) -> Result<entry::Model, Failure> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    let first = names.next().unwrap_or_default();
    let names: Vec<&str> = names.collect();
    for location in locations_named(space, first).await? {
        if let Some(found) = descend(space, location.id, &names).await? {
            return Ok(found);
        }
    }
    Err(Failure::NotFound(format!("{path}: not in the library; `shelf ls` lists what is")))
}

/// The locations with this name, oldest first.
pub(crate) async fn locations_named(space: &Space, name: &str) -> Result<Vec<location::Model>, DbErr> {
    location::Entity::find()
        .filter(location::Column::Name.eq(name))
        .order_by_asc(location::Column::Id)
        .all(space)
        .await
}

/// Walks names down from the top of a location; `None` when a name is not there or no name was given.
pub(crate) async fn descend<C: ConnectionTrait>(
    database: &C,
    location: i64,
    names: &[&str],
) -> Result<Option<entry::Model>, DbErr> {
    let mut at: Option<entry::Model> = None;
    for name in names {
        let level = match &at {
            Some(folder) => entry::Column::ParentId.eq(folder.id),
            None => entry::Column::ParentId.is_null(),
        };
        at = entry::Entity::find()
            .filter(entry::Column::LocationId.eq(location))
            .filter(level)
            .filter(entry::Column::Name.eq(*name))
            .one(database)
            .await?;
        if at.is_none() {
            return Ok(None);
        }
    }
    Ok(at)
}
