//! The processes of the figure for a million rows. They speak in lines of words on standard output.
#![expect(clippy::print_stdout, reason = "lines are how the processes speak")]

use std::{path::Path, process::Stdio};

use sync_core::{
    ids::{DeviceId, Incarnation, Origin, Seq},
    vector::{SeqRange, VersionVector},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::Instant,
};

use crate::{
    Outcome,
    cli::{self, Part},
    measure, place,
    schema::{Rows, entry},
};

/// Rows in a transaction of the giver.
const EACH: usize = 20_000;

/// What handing over took.
#[derive(Debug)]
pub(crate) struct HandOver {
    /// From joining to all rows visible.
    pub(crate) seconds: f64,
    /// Peak of the giver, which prepared the rows in another process.
    pub(crate) giver_kib: u64,
    /// Peak of the taker.
    pub(crate) taker_kib: u64,
}

/// Runs one part.
pub(crate) async fn child(child: cli::Child) -> Outcome<()> {
    match child.part {
        Part::Prepare { database, rows } => prepare(&database, rows).await,
        Part::Give { database } => give(&database).await,
        Part::Take { database, invite, incarnation, device, head } => {
            let device = DeviceId::from_bytes(u128::from_str_radix(&device, 16)?.to_be_bytes());
            let origin = Origin { device, incarnation: Incarnation(incarnation) };
            take(&database, &invite, origin, Seq(head)).await
        }
    }
}

async fn prepare(database: &Path, rows: usize) -> Outcome<()> {
    let space = place::create(database).await?;
    let mut source = Rows::of(8, space.device_id());
    for _ in 0..rows.div_ceil(EACH) {
        place::insert::<entry::Entity, _>(&space, source.drafts::<entry::Entity>(EACH)).await?;
    }
    Ok(space.close().await?)
}

async fn give(database: &Path) -> Outcome<()> {
    let space = place::open_listening(database).await?;
    let status = space.status();
    let device = u128::from_be_bytes(*status.origin.device.as_bytes());
    let head = status.vector.head(&status.origin);
    println!("ready {} {} {device:032x} {}", space.invite()?, status.origin.incarnation.0, head.0);
    // Ends when the other side has all.
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    println!("peak {}", measure::resident_peak()?);
    Ok(space.close().await?)
}

async fn take(database: &Path, invite: &str, origin: Origin, head: Seq) -> Outcome<()> {
    let mut wanted = VersionVector::new();
    wanted.insert(origin, SeqRange { first: Seq(1), last: head });
    let start = Instant::now();
    let space = place::join(database, invite.parse()?).await?;
    space.caught_up_with(&wanted).await?;
    let seconds = start.elapsed().as_secs_f64();
    println!("took {seconds} {}", measure::resident_peak()?);
    Ok(space.close().await?)
}

/// Prepares, gives and takes.
pub(crate) async fn hand_over(dir: &Path, rows: usize) -> Outcome<HandOver> {
    let folder = tempfile::tempdir_in(dir)?;
    let (from, to) = (folder.path().join("giver.db"), folder.path().join("taker.db"));
    let (mut preparing, _) = start(&[&"prepare", &from.display(), &rows])?;
    if !preparing.wait().await?.success() {
        return Err("the rows could not be prepared".into());
    }
    let (mut giver, mut said) = start(&[&"give", &from.display()])?;
    let ready = words(&mut said, "ready").await?;
    let [invite, incarnation, device, head] = ready.as_slice() else { return Err("unexpected words".into()) };
    let (mut taker, mut told) = start(&[&"take", &to.display(), invite, incarnation, device, head])?;
    let took = words(&mut told, "took").await?;
    let [seconds, taker_kib] = took.as_slice() else { return Err("unexpected words".into()) };
    drop(giver.stdin.take());
    let peak = words(&mut said, "peak").await?;
    let giver_kib = peak.first().ok_or("unexpected words")?.parse()?;
    if !(taker.wait().await?.success() && giver.wait().await?.success()) {
        return Err("a process failed".into());
    }
    Ok(HandOver { seconds: seconds.parse()?, giver_kib, taker_kib: taker_kib.parse()? })
}

fn start(arguments: &[&dyn std::fmt::Display]) -> Outcome<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("child").args(arguments.iter().map(ToString::to_string));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    Ok((child, BufReader::new(output).lines()))
}

/// The next line, which must begin with `first`; its other words.
async fn words(lines: &mut Lines<BufReader<ChildStdout>>, first: &str) -> Outcome<Vec<String>> {
    let line = lines.next_line().await?.ok_or("a process ended early")?;
    let mut words = line.split(' ').map(str::to_owned);
    if words.next().as_deref() != Some(first) {
        return Err(format!("unexpected words: {line}").into());
    }
    Ok(words.collect())
}
