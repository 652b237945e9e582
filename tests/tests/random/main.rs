//! Random operations on three devices that lose each other and meet again; in the end all are equal.
//!
//! `SEED=n` runs one seed, `SEEDS=n FROM=m` runs the n seeds from m on. A failure prints its seed. The operations follow from the
//! seed; when frames arrive and what the clocks say does not, so a seed may have to run more than once.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "a failure names its seed")]

mod library;
mod operations;

use std::{path::Path, time::Duration};

use sea_orm::{TransactionSession, TransactionTrait};
use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};
use sync_runtime::SpaceBuilder;
use sync_tests::{
    device::{Device, Models, PATIENCE, Transport, clock_ahead},
    network::{converge, cut},
};

use operations::{Draw, WITH_FAULTS, WITH_SEATS, attempt, of_another_program, transaction};

/// Seeds that found something, with what was wrong.
const REGRESSIONS: &[u64] = &[
    2,         // a record inserted anew kept an older one hidden that claims the same UNIQUE value
    14,    // a record in focus as somebody's parent hid its claim, and the apply failed on UNIQUE for ever
    45,    // a device-owned row inserted over its own delete was not the one that was signed
    3_081, // a row that was replaced and then changed in one transaction was compared with itself
    3_101, // a derived id that one row left and another took in one transaction kept its old values elsewhere
    3_135, // a row inserted over a hidden one did not show the counts that others had added
    3_357, // a hidden record that was in focus as somebody's target was not judged when its value became free
    1_000_001, // a changeset that arrived while this device committed was stored and not known to be held
    1_000_002, // a session that was cut between a commit and its telling left the commit untold
    1_000_126, // a child that had left its parent went with it, because the parent's row was removed first
    2_000_203, // two hidden records that want each other's values woke each other for ever
    2_000_329, // rows that swapped their keys were looked for under the old ones and kept placeholders
    1_000_314, // two records hidden by others woke each other for ever for a value that both claim
    1_000_017, // a placeholder stayed in a unique column that did not change itself
];

/// Seeds of each kind in an ordinary run, beside the regressions.
const ORDINARY: u64 = 4;

fn seeds(regressions: &[u64], tiers: &[u64]) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(count)) => {
            (number("FROM").unwrap_or(WITH_FAULTS)..).take(usize::try_from(count).unwrap()).collect()
        }
        (None, None) => {
            let ordinary = tiers.iter().flat_map(|first| *first..*first + ORDINARY);
            regressions.iter().copied().chain(ordinary).collect()
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_operations_on_three_devices_converge() {
    for seed in seeds(REGRESSIONS, &[0, WITH_SEATS, WITH_FAULTS]) {
        let told = Told(seed);
        Box::pin(one(seed)).await;
        told.well();
    }
}

/// Seeds of a library that found something, with what was wrong.
const LIBRARY_REGRESSIONS: &[u64] = &[];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_operations_on_a_library_converge() {
    for seed in seeds(LIBRARY_REGRESSIONS, &[0]) {
        let told = Told(seed);
        Box::pin(one_library(seed)).await;
        told.well();
    }
}

async fn one_library(seed: u64) {
    let mut draw = Draw::new(seed ^ 0xf11e);
    let transport = if seed % 4 == 3 { Transport::WebSocket } else { Transport::Memory };
    let a = Device::first("a", transport, Models::Library).await;
    let b = Device::join("b", &a).await;
    let c = Device::join("c", &a).await;
    let devices = [a, b, c];
    for device in &devices {
        library::furnish(device).await;
    }
    for round in 0..draw.between(4, 8) {
        cut(&devices.each_ref()).await;
        let mut edges = [(0, 1), (1, 2), (0, 2)].to_vec();
        edges.retain(|_| draw.chance(1, 2));
        for (one, other) in edges {
            devices[one].dial(&devices[other]);
        }
        for _ in 0..draw.between(4, 12) {
            let device = &devices[draw.below(3)];
            let statements = (0..draw.between(1, 4)).map(|_| library::statement(&mut draw, device)).collect();
            attempt(&mut draw, device, statements).await;
        }
        if draw.chance(1, 4) && round > 0 {
            meet(&devices).await;
        }
    }
    meet(&devices).await;
    for device in &devices {
        library::assert_closures(device).await;
    }
}

/// Names the seed when the run of it panics.
struct Told(u64);

impl Told {
    fn well(self) {
        std::mem::forget(self);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        println!("SEED={} cargo test -p sync-tests --test random", self.0);
    }
}

async fn one(seed: u64) {
    let mut draw = Draw::new(seed);
    let transport = if seed % 4 == 3 { Transport::WebSocket } else { Transport::Memory };
    let clocks = if draw.has_faults() { [0, 1, 2].map(|_| hours(&mut draw)) } else { [0; 3] };
    let clock =
        |n: usize| move |builder: SpaceBuilder| builder.context(clock_ahead(Duration::from_hours(clocks[n])));
    let a = Device::first_with("a", transport, Models::Own, clock(0)).await;
    let b = Device::join_with("b", &a, clock(1)).await;
    let c = Device::join_with("c", &a, clock(2)).await;
    let mut devices = [a, b, c];
    for round in 0..draw.between(4, 8) {
        cut(&devices.each_ref()).await;
        if draw.has_faults() && draw.chance(1, 3) {
            devices = restart_one(&mut draw, devices, clock).await;
        }
        let mut edges = [(0, 1), (1, 2), (0, 2)].to_vec();
        edges.retain(|_| draw.chance(1, 2));
        for (one, other) in edges {
            devices[one].dial(&devices[other]);
        }
        for _ in 0..draw.between(4, 12) {
            let place = draw.below(3);
            if draw.has_faults() && draw.chance(1, 6) {
                other_program(&devices[place].path(), of_another_program(&mut draw)).await;
            } else {
                transaction(&mut draw, &devices[place]).await;
            }
        }
        if draw.chance(1, 4) && round > 0 {
            meet(&devices).await;
        }
    }
    meet(&devices).await;
}

/// How far a clock is ahead.
fn hours(draw: &mut Draw) -> u64 {
    if draw.chance(1, 2) { 0 } else { draw.between(1, 48) }
}

/// Closes a device and opens it again; another program may write in between.
async fn restart_one<M: FnOnce(SpaceBuilder) -> SpaceBuilder>(
    draw: &mut Draw,
    devices: [Device; 3],
    more: impl Fn(usize) -> M,
) -> [Device; 3] {
    let place = draw.below(3);
    let meanwhile = if draw.chance(1, 2) { of_another_program(draw) } else { Vec::new() };
    let mut out = Vec::new();
    for (n, device) in devices.into_iter().enumerate() {
        out.push(if n == place {
            let path = device.path();
            device.restart_between(|| other_program(&path, meanwhile.clone()), more(n)).await
        } else {
            device
        });
    }
    out.try_into().unwrap_or_else(|_| unreachable!("three go in and three come out"))
}

/// Statements of another program in one transaction; those that the schema refuses change nothing.
async fn other_program(path: &Path, statements: Vec<String>) {
    let mut connection =
        SqliteConnectOptions::new().filename(path).busy_timeout(PATIENCE).connect().await.unwrap();
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for sql in statements {
        if std::env::var_os("TRACE").is_some() {
            println!("{} from outside: {sql}", path.display());
        }
        if let Err(error) = tx.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone()))).await {
            assert!(error.to_string().contains("constraint failed"), "{sql}: {error}");
        }
    }
    tx.commit().await.unwrap();
    connection.close().await.unwrap();
}

/// Everyone with everyone, until all have the same.
async fn meet(devices: &[Device; 3]) {
    let all = devices.each_ref();
    cut(&all).await;
    for device in all {
        // What other programs wrote is taken up before the commit.
        device.begin().await.unwrap().commit().await.unwrap();
    }
    let [a, b, c] = all;
    b.dial(a);
    c.dial(b);
    a.dial(c);
    converge(&all).await;
    for device in all {
        let audit = device.audit().await.unwrap();
        assert!(audit.is_clean(), "{}: {audit:#?}", device.name());
    }
}
