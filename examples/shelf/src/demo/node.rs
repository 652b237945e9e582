//! One side of the demo: a library that does what its standard input says and answers on its standard output,
//! until the input ends.

use std::path::Path;

use sea_orm::{ConnectionTrait, Statement, prelude::Uuid};
use serde_json::{Value, json};
use sync_kit::prelude::*;
use sync_models::device;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{
    acts,
    protocol::{Answer, HiddenRecord, Order, Ready, Table},
};
use crate::{
    cli::Node,
    error::Failure,
    index, library,
    output::{self, Output},
};

/// Where a side of the demo listens: a free port, on this machine only.
const LOOPBACK: &str = "ws://127.0.0.1:0";

/// Runs one side of the demo.
pub(crate) async fn node(path: &Path, arguments: &Node) -> Result<(), Failure> {
    let space = match &arguments.join {
        Some(code) => library::join(path, code, LOOPBACK).await?,
        None => library::open(path, Some(LOOPBACK)).await?,
    };
    let device = library::this_device(&space, &arguments.name).await?;
    let ready = Ready {
        device: space.device_id().to_string(),
        addresses: space.addresses().iter().map(ToString::to_string).collect(),
    };
    output::line(&output::json(&Answer::Done(json!(ready)))?)?;

    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = orders.next_line().await.map_err(Failure::io("reading orders"))? {
        let outcome = match serde_json::from_str(&line) {
            Ok(Order::Stop) => break,
            Ok(order) => obey(&space, &device, path, order).await,
            Err(error) => Err(Failure::Node(format!("not an order: {error}"))),
        };
        let answer = match outcome {
            Ok(value) => Answer::Done(value),
            Err(failure) => Answer::Failed(failure.to_string()),
        };
        output::line(&output::json(&answer)?)?;
    }
    space.close().await?;
    output::line(&output::json(&Answer::Done(Value::Null))?)
}

async fn obey(space: &Space, device: &device::Model, path: &Path, order: Order) -> Result<Value, Failure> {
    Ok(match order {
        Order::Index { folder } => {
            json!(index::index(space, device, &folder, None, path, Output::new(false)).await?)
        }
        Order::Invite => json!(space.invite()?.to_string()),
        Order::Vector => json!(vector_text(&space.vector().await?)?),
        Order::CatchUp { vector } => {
            space.caught_up_with(&vector_from(&vector)?).await?;
            Value::Null
        }
        Order::Connect { url } => {
            space.connect(&url)?;
            Value::Null
        }
        Order::Disconnect => {
            space.disconnect_all();
            Value::Null
        }
        Order::Traffic => {
            let peers = space.status().peers;
            json!(
                peers.iter().fold((0, 0), |(read, sent), peer| (read + peer.bytes_in, sent + peer.bytes_out))
            )
        }
        Order::Digests => json!(digests(space).await?),
        Order::Hidden => json!(hidden(space).await?),
        Order::Act { act } => {
            acts::act(space, act).await?;
            Value::Null
        }
        Order::Look { look } => acts::look(space, look).await?,
        Order::Stop => Value::Null,
    })
}

async fn digests(space: &Space) -> Result<Vec<Table>, Failure> {
    let mut tables = Vec::new();
    for (model, hash) in space.digest().await?.models {
        // The library's models are named like their tables.
        let sql = format!("SELECT count(*) FROM {}", quote(model.as_str()));
        let row = space.query_one_raw(Statement::from_string(space.get_database_backend(), sql)).await?;
        let rows: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        let rows = u64::try_from(rows).unwrap_or_default();
        tables.push(Table { model: model.to_string(), rows, digest: hex(&hash.0) });
    }
    Ok(tables)
}

async fn hidden(space: &Space) -> Result<Vec<HiddenRecord>, Failure> {
    let mut records: Vec<HiddenRecord> = space
        .hidden()
        .await?
        .into_iter()
        .map(|hidden| HiddenRecord {
            model: hidden.model.to_string(),
            record: Uuid::from_bytes(*hidden.record.as_bytes()),
            reason: hidden.reason,
        })
        .collect();
    records.sort();
    Ok(records)
}

/// A name as an SQL identifier.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A vector as text that survives a line of JSON.
fn vector_text(vector: &VersionVector) -> Result<String, Failure> {
    let bytes = postcard::to_allocvec(vector)
        .map_err(|error| Failure::Node(format!("a vector cannot be written: {error}")))?;
    Ok(hex(&bytes))
}

fn vector_from(text: &str) -> Result<VersionVector, Failure> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.ok_or_else(|| Failure::Node("a vector is not hexadecimal".to_owned()))?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit)).collect();
    postcard::from_bytes(&bytes).map_err(|error| Failure::Node(format!("not a vector: {error}")))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).map_or('?', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
