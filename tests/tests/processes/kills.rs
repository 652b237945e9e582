//! A device that writes and syncs in a process of its own is killed with SIGKILL at moments that a seed chooses. What
//! it has acknowledged is in its database, and after convergence at its peer; the database is whole.
//!
//! `KILLS=n` kills so often, `SEED=n` chooses the moments; a failure prints both.

use std::{path::PathBuf, process::Stdio, time::Duration};

use sync_plugin::Context;
use sync_runtime::host::RuntimeHost;
use sync_tests::{
    device::{Device, Transport},
    digest::texts,
    hostile::Noise,
    journal::{Entry, Journal},
    network::{converge, heal, pair},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

/// Kills in an ordinary run.
const ORDINARY: u64 = 20;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_device_loses_nothing_that_it_acknowledged() {
    let context: Context = RuntimeHost::context();
    let seed = number("SEED").unwrap_or_else(|| context.random_u64() >> 40);
    let kills = number("KILLS").unwrap_or(ORDINARY);
    println!("SEED={seed} KILLS={kills} cargo test -p sync-tests --test processes");
    let mut noise = Noise::new(seed);
    let (mut a, b) = pair(Transport::WebSocket).await;
    let mut journal = Journal::default();
    for round in 0..kills {
        let moment = Moment::drawn(&mut noise);
        let code = b.invite().unwrap().to_string();
        let mut heard = Vec::new();
        let said = &mut heard;
        a = a.restart_after(|path| async move { *said = killed(path, code, round, moment).await }).await;
        for entry in heard {
            journal.note(entry);
        }
        whole(&a, &journal, &format!("round {round}, before it is connected")).await;
        heal(&[&a, &b]).await;
        converge(&[&a, &b]).await;
        whole(&b, &journal, &format!("round {round}, at the peer")).await;
    }
    println!("{kills} kills, {} acknowledged writes", journal.lines);
    assert!(journal.lines > usize::try_from(kills).unwrap(), "the process was never heard of");
}

async fn whole(device: &Device, journal: &Journal, when: &str) {
    assert_eq!(journal.missing(device.space()).await, [""; 0], "{when}");
    assert_eq!(texts(device.space(), "PRAGMA integrity_check").await, ["ok"], "{when}");
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// Acknowledgements that are waited for.
    after: u64,
    /// Time that passes then.
    then: Duration,
}

impl Moment {
    fn drawn(noise: &mut Noise) -> Self {
        let after = noise.below(40);
        // Every fifth is killed while it opens, joins or catches up.
        let (after, most) = if noise.below(5) == 0 { (0, 250_000) } else { (after + 1, 15_000) };
        Self { after, then: Duration::from_micros(noise.below(most)) }
    }
}

/// Runs the journal until it is killed; what it acknowledged.
async fn killed(database: PathBuf, code: String, round: u64, moment: Moment) -> Vec<Entry> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_journal"));
    command.arg(database).arg(code).arg(round.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut heard = Vec::new();
    for _ in 0..moment.after {
        let line = lines.next_line().await.unwrap();
        heard.extend(Entry::read(&line.unwrap_or_else(|| panic!("the journal ended by itself"))));
    }
    // Nothing is waited for here: the moment is what is tried.
    tokio::time::sleep(moment.then).await;
    process.kill().await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        heard.extend(Entry::read(&line));
    }
    heard
}
