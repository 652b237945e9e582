//! The transport keeps the contract: the one test file that every transport crate has.

use std::net::SocketAddr;
use std::time::Duration;
use sync_conformance::{Harness, RawAccess, transport_suite};
use sync_plugin::{BoxFuture, Url};
use sync_transport_template::{TemplateConfig, TemplateTransport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn harness() -> Harness {
    // Several behaviours are "ends by itself": short deadlines make the suite short.
    let config = TemplateConfig { opening_timeout: Duration::from_millis(500) };
    Harness::new(TemplateTransport::new(config), "template://127.0.0.1:0", "template://127.0.0.1:1")
        .invalid("template://")
        .invalid("template://127.0.0.1")
        .invalid("template://127.0.0.1:99999")
        .invalid("template://127.0.0.1:80/path")
        .raw(RawAccess {
            url_of,
            greet,
            rubbish: vec![0xfe; 64],
            oversized: vec![0xff, 0xff, 0xff, 0xfe],
            partial: vec![0, 0, 0, 100, 1, 2, 3, 4, 5, 6],
        })
}

fn url_of(address: SocketAddr) -> Url {
    match Url::parse(&format!("template://{address}")) {
        Ok(url) => url,
        Err(error) => panic!("{error}"),
    }
}

fn greet<'a>(stream: &'a mut TcpStream, _address: &'a Url) -> BoxFuture<'a, std::io::Result<()>> {
    Box::pin(async move {
        stream.write_all(b"SYNCTPL1").await?;
        let mut heard = [0; 8];
        stream.read_exact(&mut heard).await?;
        Ok(())
    })
}

transport_suite!(harness);
