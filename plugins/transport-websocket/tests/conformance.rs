//! The WebSocket transport keeps the transport contract.

use std::net::SocketAddr;
use std::time::Duration;
use sync_conformance::{Harness, RawAccess, transport_suite};
use sync_plugin::{BoxFuture, Url};
use sync_transport_websocket::{WebSocketConfig, WebSocketTransport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn harness() -> Harness {
    let config =
        WebSocketConfig { handshake_timeout: Duration::from_millis(500), ..WebSocketConfig::default() };
    Harness::new(WebSocketTransport::new(config), "ws://127.0.0.1:0/sync", "ws://127.0.0.1:1/")
        .invalid("ws://")
        .invalid("ws:///path")
        .invalid("ws://127.0.0.1:99999")
        .invalid("ws://127.0.0.1:+80")
        .invalid("ws://user@127.0.0.1:80")
        .invalid("ws://föhn.example:80")
        .invalid("ws://127.0.0.1:80/strasse%20ß")
        .raw(RawAccess {
            url_of,
            greet,
            // Reserved bits and a reserved opcode.
            rubbish: vec![0xff; 64],
            // A masked binary message of 2^63 - 1 bytes.
            oversized: vec![0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4],
            // A masked binary message of 100 bytes, of which ten follow.
            partial: vec![0x82, 0x80 | 0x64, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        })
}

fn url_of(address: SocketAddr) -> Url {
    match Url::parse(&format!("ws://{address}/")) {
        Ok(url) => url,
        Err(error) => panic!("{error}"),
    }
}

fn greet<'a>(stream: &'a mut TcpStream, address: &'a Url) -> BoxFuture<'a, std::io::Result<()>> {
    Box::pin(async move {
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: sync-kit.1\r\n\r\n",
            address.path(),
            address.authority()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        if answer.starts_with(b"HTTP/1.1 101 ") {
            Ok(())
        } else {
            Err(std::io::Error::other(String::from_utf8_lossy(&answer).into_owned()))
        }
    })
}

transport_suite!(harness);
