//! The demo's end of a process: starts it, gives orders, waits for answers.

use std::{path::Path, process::Stdio, time::Duration};

use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::protocol::{Act, Answer, Look, Order, Ready};
use crate::{error::Failure, output};

/// A running side of the demo. Dropping it ends the process.
pub(super) struct Peer {
    name: &'static str,
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    patience: Duration,
    pub(super) ready: Ready,
}

impl Peer {
    /// Starts a process with the library `path`, which joins by `join` if that is given.
    pub(super) async fn start(
        name: &'static str,
        path: &Path,
        join: Option<&str>,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(Failure::io("finding this program"))?;
        let mut command = Command::new(program);
        command.arg("--library").arg(path).args(["node", "--name", name]);
        if let Some(code) = join {
            command.args(["--join", code]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().map_err(Failure::io("starting a process"))?;
        let (Some(orders), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Failure::Node(format!("{name}: no pipe to the process")));
        };
        let mut answers = BufReader::new(answers).lines();
        let ready = read(name, &mut answers, patience).await?;
        Ok(Self { name, process, orders, answers, patience, ready })
    }

    /// Gives an order and waits for its answer.
    pub(super) async fn ask<T: DeserializeOwned>(&mut self, order: &Order) -> Result<T, Failure> {
        let mut line = output::json(order)?;
        line.push('\n');
        self.orders.write_all(line.as_bytes()).await.map_err(Failure::io("giving an order"))?;
        self.orders.flush().await.map_err(Failure::io("giving an order"))?;
        read(self.name, &mut self.answers, self.patience).await
    }

    /// Makes a change.
    pub(super) async fn act(&mut self, act: Act) -> Result<(), Failure> {
        self.ask(&Order::Act { act }).await
    }

    /// Asks what the library shows.
    pub(super) async fn look<T: DeserializeOwned>(&mut self, look: Look) -> Result<T, Failure> {
        self.ask(&Order::Look { look }).await
    }

    /// Closes the library and waits for the process to end.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        self.ask::<()>(&Order::Stop).await?;
        let ended = timeout(self.patience, self.process.wait()).await;
        let status = ended
            .map_err(|_| Failure::Node(format!("{}: the process does not end", self.name)))?
            .map_err(Failure::io("waiting for a process"))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::Node(format!("{}: the process ended with {status}", self.name)))
        }
    }
}

async fn read<T: DeserializeOwned>(
    name: &str,
    answers: &mut Lines<BufReader<ChildStdout>>,
    patience: Duration,
) -> Result<T, Failure> {
    let line = timeout(patience, answers.next_line())
        .await
        .map_err(|_| Failure::Node(format!("{name}: no answer within {} s", patience.as_secs())))?
        .map_err(Failure::io("reading an answer"))?
        .ok_or_else(|| Failure::Node(format!("{name}: the process ended before it answered")))?;
    let answer: Answer = serde_json::from_str(&line)
        .map_err(|error| Failure::Node(format!("{name}: not an answer: {error}: {line}")))?;
    match answer {
        Answer::Done(value) => serde_json::from_value(value)
            .map_err(|error| Failure::Node(format!("{name}: not the answer expected: {error}: {line}"))),
        Answer::Failed(reason) => Err(Failure::Node(format!("{name}: {reason}"))),
    }
}
