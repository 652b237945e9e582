//! A TCP proxy between two devices that counts what passes and can cut.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// A proxy before a WebSocket listener; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    bytes: Arc<AtomicU64>,
    links: Arc<Mutex<JoinSet<()>>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A proxy to the listener at `url`.
    pub async fn to(url: &str) -> Self {
        let target = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let (bytes, links) = (Arc::<AtomicU64>::default(), Arc::<Mutex<JoinSet<()>>>::default());
        let (counter, open) = (Arc::clone(&bytes), Arc::clone(&links));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(&target).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                let mut open = open.lock().unwrap();
                open.spawn(pass(near_in, far_out, Arc::clone(&counter)));
                open.spawn(pass(far_in, near_out, Arc::clone(&counter)));
            }
        });
        Self { url, bytes, links, _tasks: tasks }
    }

    /// Where to dial instead of the listener.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Bytes that passed, both ways together.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Cuts every connection, in the middle of whatever passes; new ones are let through.
    pub fn cut(&self) {
        self.links.lock().unwrap().abort_all();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, bytes: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        bytes.fetch_add(u64::try_from(length).unwrap(), Ordering::SeqCst);
        if to.write_all(buffer.get(..length).unwrap()).await.is_err() {
            return;
        }
    }
}
