//! `shelf serve` and `shelf join`: the library stays open and tells what happens to it, until Ctrl-C.

use std::path::Path;

use sync_kit::prelude::*;

use crate::{
    cli::{Join, Serve},
    error::Failure,
    library,
    output::Output,
};

/// Where `shelf serve` listens unless told.
const PORT: u16 = 7070;

/// Keeps the library open for others.
pub(super) async fn serve(path: &Path, arguments: &Serve, output: Output) -> Result<(), Failure> {
    let listen = arguments.listen.clone().unwrap_or_else(|| library::own_url(PORT));
    let space = library::open(path, Some(&listen)).await?;
    library::this_device(&space, &library::host_name()).await?;
    for url in &arguments.connect {
        space.connect(url)?;
    }
    output.note(&listening(&space))?;
    output.note("on the other device, run:\n")?;
    output.note(&format!("  shelf join {}\n", space.invite()?))?;
    follow(space, output).await
}

/// Joins the library of another shelf and keeps up with it.
pub(super) async fn join(path: &Path, arguments: &Join, output: Output) -> Result<(), Failure> {
    let listen = arguments.listen.clone().unwrap_or_else(|| library::own_url(0));
    let space = library::join(path, &arguments.code, &listen).await?;
    library::this_device(&space, &library::host_name()).await?;
    output.note(&listening(&space))?;
    follow(space, output).await
}

/// An event in words.
fn describe(event: &SyncEvent) -> String {
    match event {
        SyncEvent::Applied { model, records } => format!("{model}: {} records from others", records.len()),
        SyncEvent::Hidden { model, record, reason } => format!("{model} {record} is not shown: {reason}"),
        SyncEvent::Shown { model, record } => format!("{model} {record} is shown again"),
        SyncEvent::Refused { origin, seq, reason } => {
            format!("change {} of {origin} is refused: {reason}", seq.0)
        }
        SyncEvent::PeerUp { device } => format!("{device} is here"),
        SyncEvent::PeerDown { device, reason } => format!("{device} is gone: {reason}"),
        SyncEvent::Progress { device, held, of } => format!("{device}: {held} of {of} transactions"),
        SyncEvent::Trouble { operation, detail, retried } => {
            format!("{operation}: {detail}{}", if *retried { "; it is tried again" } else { "" })
        }
        other => format!("{other:?}"),
    }
}

/// Where others reach the library.
fn listening(space: &Space) -> String {
    let addresses: Vec<String> = space.addresses().iter().map(ToString::to_string).collect();
    format!("listening on {}", addresses.join(", "))
}

/// Prints what happens until Ctrl-C, then closes the library.
async fn follow(space: Space, output: Output) -> Result<(), Failure> {
    let mut events = space.events();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => output.note(&describe(&event))?,
                None => break,
            },
            signal = tokio::signal::ctrl_c() => {
                signal.map_err(Failure::io("waiting for Ctrl-C"))?;
                break;
            }
        }
    }
    output.note("closing")?;
    Ok(space.close().await?)
}
