//! The course of the demo.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sea_orm::prelude::Uuid;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    peer::Peer,
    protocol::{HiddenRecord, Look, Order, Table},
    report::{Compared, Outcome, Report, Seconds, Sizes},
    scenes::{Scene, scenes, seed},
    synthetic,
};
use crate::{cli::Demo, error::Failure, index::Indexed, output::Output};

/// The clocks decide which of two edits is the later one; so long after the laptop's edits the phone makes its.
const LATER: Duration = Duration::from_millis(50);

/// Runs the demo and prints its report. It is a failure when anything differs from what it must be.
pub(crate) async fn run(arguments: &Demo, output: Output) -> Result<(), Failure> {
    let started = Instant::now();
    let scratch = TempDir::new().map_err(Failure::io("making a temporary folder"))?;
    let folder = folder(arguments, scratch.path(), output)?;
    let databases = match &arguments.keep {
        Some(keep) => keep.clone(),
        None => scratch.path().join("databases"),
    };
    std::fs::create_dir_all(&databases).map_err(Failure::file(&databases))?;
    let patience = Duration::from_secs(arguments.patience);

    let stage = Stage { databases, patience, output };
    let mut report = stage.play(&folder).await?;
    report.seconds.total = started.elapsed().as_secs_f64();
    output.show(&report)?;
    let faults = report.faults();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failure::Differs(format!("the two shelves are not as they must be:\n  {}", faults.join("\n  "))))
    }
}

/// The folder to index: the one named, a synthetic one, or the repository around the current folder.
fn folder(arguments: &Demo, scratch: &Path, output: Output) -> Result<PathBuf, Failure> {
    if let Some(folder) = &arguments.folder {
        return if folder.is_dir() {
            Ok(folder.clone())
        } else {
            Err(Failure::NotFound(format!("{}: not a folder", folder.display())))
        };
    }
    if let Some(files) = arguments.synthetic {
        let root = scratch.join("synthetic");
        let bar = output.bar("making files", u64::from(files));
        synthetic::fill(&root, files, &bar)?;
        bar.finish_and_clear();
        return Ok(root);
    }
    let here = std::env::current_dir().map_err(Failure::io("finding the current folder"))?;
    let repository = here.ancestors().find(|folder| folder.join(".git").exists());
    Ok(repository.unwrap_or(&here).to_owned())
}

/// Where the demo plays.
struct Stage {
    databases: PathBuf,
    patience: Duration,
    output: Output,
}

impl Stage {
    fn database(&self, name: &str) -> PathBuf {
        self.databases.join(format!("{name}.db"))
    }

    async fn play(&self, folder: &Path) -> Result<Report, Failure> {
        let mut laptop = Peer::start("laptop", &self.database("laptop"), None, self.patience).await?;
        self.output.note(&format!("laptop     device {}", laptop.ready.device))?;
        let indexed: Indexed = laptop.ask(&Order::Index { folder: folder.to_owned() }).await?;

        let spinner = self.output.spinner("the phone joins and copies");
        let joined = Instant::now();
        let invite: String = laptop.ask(&Order::Invite).await?;
        let mut phone = Peer::start("phone", &self.database("phone"), Some(&invite), self.patience).await?;
        meet(&mut laptop, &mut phone).await?;
        let (copied, _): (u64, u64) = phone.ask(&Order::Traffic).await?;
        let mut seconds = Seconds { pair_and_copy: joined.elapsed().as_secs_f64(), ..Default::default() };
        spinner.finish_and_clear();
        self.output.note(&format!("phone      device {}", phone.ready.device))?;

        for act in seed() {
            laptop.act(act).await?;
        }
        meet(&mut laptop, &mut phone).await?;
        let (before, _) = compare(&mut laptop, &mut phone).await?;
        let copied_rows = before.iter().filter_map(|table| table.phone.as_ref()).map(|side| side.0).sum();
        require_equal(&before, "before the cut")?;

        let scenes = self.scenes(&mut laptop).await?;
        laptop.ask::<()>(&Order::Disconnect).await?;
        phone.ask::<()>(&Order::Disconnect).await?;
        let mut outcomes = apart(&mut laptop, &mut phone, &scenes).await?;
        let (parted, _) = compare(&mut laptop, &mut phone).await?;
        if parted.iter().all(Compared::equal) {
            return Err(Failure::Differs("the cut did not hold: both sides show the same".to_owned()));
        }

        let before_healing = traffic(&mut phone).await?;
        let healed = Instant::now();
        let url = laptop.ready.addresses.first().cloned();
        let url = url.ok_or_else(|| Failure::Node("laptop: it listens nowhere".to_owned()))?;
        phone.ask::<()>(&Order::Connect { url }).await?;
        meet(&mut laptop, &mut phone).await?;
        seconds.heal = healed.elapsed().as_secs_f64();
        let healing = traffic(&mut phone).await?.saturating_sub(before_healing);

        for (scene, outcome) in scenes.iter().zip(&mut outcomes) {
            check(scene, "laptop", &mut laptop, outcome).await?;
            check(scene, "phone", &mut phone, outcome).await?;
        }
        let (tables, equal) = compare(&mut laptop, &mut phone).await?;
        laptop.stop().await?;
        phone.stop().await?;
        Ok(Report {
            indexed,
            copied_rows,
            changes_apart: scenes.iter().map(Scene::changes).sum(),
            converged: equal && outcomes.iter().all(|outcome| outcome.wrong.is_empty()),
            outcomes,
            tables,
            sizes: Sizes {
                laptop_database: size(&self.database("laptop"))?,
                phone_database: size(&self.database("phone"))?,
                copied,
                healed: healing,
            },
            seconds,
        })
    }

    /// The conflicts, with two files of the folder.
    async fn scenes(&self, laptop: &mut Peer) -> Result<Vec<Scene>, Failure> {
        let files: Vec<Uuid> = laptop.look(Look::SomeFiles { count: 2 }).await?;
        let [first, second] = files.as_slice() else {
            return Err(Failure::Usage("the demo needs a folder with two files at least".to_owned()));
        };
        let name: String = laptop.look(Look::EntryName { id: *first }).await?;
        Ok(scenes(*first, &name, *second))
    }
}

/// Waits until each side holds what the other holds.
async fn meet(laptop: &mut Peer, phone: &mut Peer) -> Result<(), Failure> {
    let of_laptop: String = laptop.ask(&Order::Vector).await?;
    let of_phone: String = phone.ask(&Order::Vector).await?;
    phone.ask::<()>(&Order::CatchUp { vector: of_laptop }).await?;
    laptop.ask::<()>(&Order::CatchUp { vector: of_phone }).await
}

/// Bytes of frames that a side received and sent.
async fn traffic(side: &mut Peer) -> Result<u64, Failure> {
    let (received, sent): (u64, u64) = side.ask(&Order::Traffic).await?;
    Ok(received.saturating_add(sent))
}

/// Lets both sides do what the scenes say.
async fn apart(laptop: &mut Peer, phone: &mut Peer, scenes: &[Scene]) -> Result<Vec<Outcome>, Failure> {
    for act in scenes.iter().flat_map(|scene| &scene.laptop) {
        laptop.act(act.clone()).await?;
    }
    tokio::time::sleep(LATER).await;
    let mut outcomes = Vec::with_capacity(scenes.len());
    for scene in scenes {
        let mut outcome = Outcome { name: scene.name, expected: scene.outcome, wrong: Vec::new() };
        for act in &scene.phone {
            phone.act(act.clone()).await?;
        }
        if let Some(act) = &scene.refused
            && phone.act(act.clone()).await.is_ok()
        {
            outcome.wrong.push("the phone was not refused".to_owned());
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Compares what one side shows with what the scene expects.
async fn check(scene: &Scene, name: &str, side: &mut Peer, outcome: &mut Outcome) -> Result<(), Failure> {
    for (look, expected) in &scene.expect {
        let shown: Value = side.look(look.clone()).await?;
        if shown != *expected {
            outcome.wrong.push(format!("{name} shows {shown} instead of {expected} for {look:?}"));
        }
    }
    if !scene.hidden.is_empty() {
        let hidden: Vec<HiddenRecord> = side.ask(&Order::Hidden).await?;
        for record in &scene.hidden {
            if !hidden.iter().any(|hidden| hidden.record == *record) {
                outcome.wrong.push(format!("{name} does not list {record} as hidden"));
            }
        }
    }
    Ok(())
}

/// The content digests of both sides, and whether all are equal.
async fn compare(laptop: &mut Peer, phone: &mut Peer) -> Result<(Vec<Compared>, bool), Failure> {
    let of_laptop: Vec<Table> = laptop.ask(&Order::Digests).await?;
    let of_phone: Vec<Table> = phone.ask(&Order::Digests).await?;
    let tables = Compared::all(&of_laptop, &of_phone);
    let equal = !tables.is_empty() && tables.iter().all(Compared::equal);
    Ok((tables, equal))
}

fn require_equal(tables: &[Compared], when: &str) -> Result<(), Failure> {
    let differing: Vec<String> = tables
        .iter()
        .filter(|table| !table.equal())
        .map(|table| format!("{}: {:?} and {:?}", table.model, table.laptop, table.phone))
        .collect();
    if differing.is_empty() {
        Ok(())
    } else {
        Err(Failure::Differs(format!("{when}, tables differ:\n  {}", differing.join("\n  "))))
    }
}

fn size(path: &Path) -> Result<u64, Failure> {
    Ok(std::fs::metadata(path).map_err(Failure::file(path))?.len())
}
