//! Twenty times, one side of the demo is killed while it writes. Afterwards both sides have to show the same, and
//! everything whose writing was acknowledged.

#![expect(clippy::indexing_slicing, reason = "what an answer lacks reads as null, and there are two sides")]

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const KILLS: u64 = 20;
const SEED: u64 = 0x5eed_0001;
const PATIENCE: Duration = Duration::from_mins(1);

/// A running side of the demo, spoken to as the demo does.
struct Side {
    process: Option<Child>,
    orders: ChildStdin,
    answers: Receiver<String>,
    url: Value,
}

impl Side {
    fn start(folder: &Path, name: &str, join: Option<&str>) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shelf"));
        command.arg("--library").arg(folder.join(format!("{name}.db"))).args(["node", "--name", name]);
        if let Some(code) = join {
            command.args(["--join", code]);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = process.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let (send, answers) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut side = Self { process: Some(process), orders, answers, url: Value::Null };
        let ready = side.answer()?.ok_or("the process ended before it was ready")?;
        side.url = ready["addresses"][0].clone();
        Ok(side)
    }

    /// The next answer; `None` when the process is gone.
    fn answer(&mut self) -> Outcome<Option<Value>> {
        let line = match self.answers.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => return Err("no answer".into()),
        };
        let answer: Value = serde_json::from_str(&line)?;
        match answer.get("done") {
            Some(value) => Ok(Some(value.clone())),
            None => Err(line.into()),
        }
    }

    /// Gives an order; `None` when the process is gone before it answers.
    fn try_ask(&mut self, order: &Value) -> Outcome<Option<Value>> {
        if writeln!(self.orders, "{order}").and_then(|()| self.orders.flush()).is_err() {
            return Ok(None);
        }
        self.answer()
    }

    fn ask(&mut self, order: &Value) -> Outcome<Value> {
        self.try_ask(order)?.ok_or_else(|| "the process is gone".into())
    }

    /// Kills the process after `delay`, without a word, from a thread of its own.
    fn kill_after(&mut self, delay: Duration) -> Outcome<thread::JoinHandle<std::io::Result<()>>> {
        let mut process = self.process.take().ok_or("killed already")?;
        Ok(thread::spawn(move || {
            // The moment is the random part of the test; nothing waits for this to be long enough.
            thread::sleep(delay);
            process.kill()?;
            process.wait().map(drop)
        }))
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let ended = process.kill().and_then(|()| process.wait());
            assert!(ended.is_ok() || thread::panicking(), "{ended:?}");
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn tag_id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// Waits until each side holds what the other holds.
fn meet(one: &mut Side, other: &mut Side) -> Outcome<()> {
    one.ask(&json!({"do": "connect", "url": other.url}))?;
    let of_one = one.ask(&json!({"do": "vector"}))?;
    let of_other = other.ask(&json!({"do": "vector"}))?;
    one.ask(&json!({"do": "catch_up", "vector": of_other}))?;
    other.ask(&json!({"do": "catch_up", "vector": of_one}))?;
    Ok(())
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let mut laptop = Side::start(folder.path(), "laptop", None)?;
    let invite = laptop.ask(&json!({"do": "invite"}))?;
    let phone = Side::start(folder.path(), "phone", invite.as_str())?;
    let mut sides = [laptop, phone];
    let names = ["laptop", "phone"];

    let (mut state, mut next, mut acknowledged) = (SEED, 0, Vec::new());
    for kill in 0..KILLS {
        let victim = usize::from(random(&mut state) % 2 == 1);
        let [laptop, phone] = &mut sides;
        meet(phone, laptop).map_err(|error| format!("seed {SEED:#x}, kill {kill}: {error}"))?;
        let killer = sides[victim].kill_after(Duration::from_micros(random(&mut state) % 60_000))?;
        loop {
            next += 1;
            let act = json!({"make_tag": {"id": tag_id(next), "name": format!("tag {next}"), "uses": 0}});
            match sides[victim].try_ask(&json!({"do": "act", "act": act}))? {
                Some(_) => acknowledged.push(next),
                None => break,
            }
        }
        killer.join().map_err(|_| "the killing thread panicked")??;
        sides[victim] = Side::start(folder.path(), names[victim], None)?;
    }

    let [laptop, phone] = &mut sides;
    meet(phone, laptop)?;
    assert!(!acknowledged.is_empty());
    for side in [&mut *laptop, &mut *phone] {
        for number in &acknowledged {
            let look = json!({"tag": {"id": tag_id(*number)}});
            let shown = side.ask(&json!({"do": "look", "look": look}))?;
            assert_eq!(shown, json!([format!("tag {number}"), null, 0]), "seed {SEED:#x}");
        }
    }
    let digests = json!({"do": "digests"});
    assert_eq!(laptop.ask(&digests)?, phone.ask(&digests)?, "seed {SEED:#x}");
    Ok(())
}
