//! What only WebSocket has: paths, subprotocols, keep-alive, foreign peers, a crowd of silent strangers.

use futures_util::future::{try_join, try_join_all};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use sync_conformance::TokioHost;
use sync_plugin::{
    Context, ErrorKind, Link, LinkReceiver, LinkSender, Listener, PluginError, Registry, SharedTransport, Url,
};
use sync_transport_websocket as ws;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::Message;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn transport(parameters: &str) -> Result<SharedTransport, PluginError> {
    let mut registry = Registry::new();
    ws::register(&mut registry)?;
    registry.transport(&Url::parse(&format!("ws://127.0.0.1:0?{parameters}"))?)
}

fn anywhere() -> Result<Url, PluginError> {
    Url::parse("ws://127.0.0.1:0/sync")
}

/// A client that is not ours, behind its handshake.
async fn foreign(address: &Url) -> Result<WebSocketStream<TcpStream>, Box<dyn std::error::Error>> {
    let stream = TcpStream::connect(address.authority()).await?;
    let request = ClientRequestBuilder::new(address.to_string().parse()?).with_sub_protocol("sync-kit.1");
    Ok(tokio_tungstenite::client_async(request, stream).await?.0)
}

fn kind<T>(result: Result<T, PluginError>) -> Result<(), ErrorKind> {
    result.map(drop).map_err(|error| error.kind())
}

#[tokio::test]
async fn another_path_or_no_subprotocol_is_refused() -> Outcome {
    let (ctx, transport) = (TokioHost::context(), transport("")?);
    let mut listener = transport.listen(&ctx, &anywhere()?).await?;
    let address = listener.address();
    assert_eq!(address.path(), "/sync");
    let strangers = async {
        let other = address.clone().with_path("/other");
        assert_eq!(kind(transport.dial(&ctx, &other).await), Err(ErrorKind::Refused));
        let stream = TcpStream::connect(address.authority()).await?;
        let plain = tokio_tungstenite::client_async(address.to_string(), stream).await;
        assert!(plain.is_err(), "a client without the subprotocol was let in");
        Ok::<_, Box<dyn std::error::Error>>(transport.dial(&ctx, &address).await?)
    };
    tokio::select! {
        dialled = strangers => drop(dialled?),
        accepted = listener.accept() => drop(accepted?),
    }
    Ok(())
}

#[tokio::test]
async fn a_dialler_accepts_only_a_server_that_speaks_the_subprotocol() -> Outcome {
    let (ctx, transport) = (TokioHost::context(), transport("")?);
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = Url::parse(&format!("ws://{}", server.local_addr()?))?;
    let serving = async {
        let (stream, _) = server.accept().await?;
        tokio_tungstenite::accept_async(stream).await.map(drop).map_err(std::io::Error::other)
    };
    let (dialled, _served) = futures_util::future::join(transport.dial(&ctx, &address), serving).await;
    assert_eq!(kind(dialled), Err(ErrorKind::Malformed));
    Ok(())
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_given_up() -> Outcome {
    let ctx = TokioHost::context();
    let transport = transport("ping_interval_ms=50&ping_timeout_ms=50")?;
    let mut listener = transport.listen(&ctx, &anywhere()?).await?;
    let address = listener.address();
    let accepting = async { Ok(listener.accept().await?) };
    let (silent, link) = try_join(foreign(&address), accepting).await?;
    let (mut sender, mut receiver) = link.split();
    assert_eq!(kind(receiver.receive().await), Err(ErrorKind::Timeout));
    assert_eq!(kind(receiver.receive().await), Err(ErrorKind::Timeout), "it stays over");
    assert_eq!(kind(sender.send(vec![1]).await), Err(ErrorKind::Closed), "the sender learns of it");
    drop(silent);
    Ok(())
}

#[tokio::test]
async fn pings_keep_an_idle_link_alive() -> Outcome {
    // The peer answers only when it reads, so the timeout is long and the number of pings is what is counted.
    let ctx = TokioHost::context();
    let transport = transport("ping_interval_ms=20&ping_timeout_ms=60000")?;
    let mut listener = transport.listen(&ctx, &anywhere()?).await?;
    let address = listener.address();
    let accepting = async { Ok(listener.accept().await?) };
    let (mut peer, link) = try_join(foreign(&address), accepting).await?;
    let (_sender, mut receiver) = link.split();
    let peer = async {
        let mut pings = 0;
        while pings < 5 {
            if let Some(Message::Ping(_)) = peer.next().await.transpose()? {
                pings += 1;
            }
        }
        peer.send(Message::Binary(vec![7].into())).await?;
        Ok::<_, Box<dyn std::error::Error>>(peer)
    };
    let receiving = async { Ok(receiver.receive().await?) };
    let (_peer, frame) = try_join(peer, receiving).await?;
    assert_eq!(frame, Some(vec![7]));
    Ok(())
}

#[tokio::test]
async fn a_peer_that_never_reads_ends_a_send_with_timeout() -> Outcome {
    let ctx = TokioHost::context();
    let transport = transport("send_timeout_ms=200")?;
    let mut listener = transport.listen(&ctx, &anywhere()?).await?;
    let address = listener.address();
    let accepting = async { Ok(listener.accept().await?) };
    let (_never_reads, link) = try_join(foreign(&address), accepting).await?;
    let (mut sender, mut receiver) = link.split();
    let error = loop {
        if let Err(error) = sender.send(vec![0; 1_000_000]).await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(kind(receiver.receive().await), Err(ErrorKind::Closed), "the whole link is over");
    Ok(())
}

#[tokio::test]
async fn foreign_messages_get_their_meaning() -> Outcome {
    let (ctx, transport) = (TokioHost::context(), transport("")?);
    let mut listener = transport.listen(&ctx, &anywhere()?).await?;
    let address = listener.address();
    let oversized = vec![0; sync_plugin::MAX_FRAME + 1];
    let cases = [
        (Message::Text("end".into()), Ok(None)),
        (Message::Close(None), Ok(None)),
        (Message::Text("hello".into()), Err(ErrorKind::Malformed)),
        (Message::Binary(oversized.into()), Err(ErrorKind::Limit)),
        (Message::Binary(vec![1, 2].into()), Ok(Some(vec![1, 2]))),
    ];
    for (message, means) in cases {
        let about = format!("{means:?}");
        let accepting = async { Ok(listener.accept().await?) };
        let (mut peer, link) = try_join(foreign(&address), accepting).await?;
        let (_sender, mut receiver) = link.split();
        // A refused message is never read to its end, so nobody waits for it to be written.
        let sending = async {
            if peer.send(message).await.is_ok() {
                std::future::pending::<()>().await;
            }
        };
        let heard = tokio::select! {
            biased;
            heard = receiver.receive() => heard,
            () = sending => panic!("{about}: the foreign side could not send"),
        };
        assert_eq!(heard.map_err(|error| error.kind()), means, "{about}");
    }
    Ok(())
}

#[tokio::test]
async fn a_crowd_of_silent_strangers_is_bounded_and_delays_nobody() -> Outcome {
    // More than the listener keeps, with a deadline that none of them reaches: the oldest must give way.
    let ctx = TokioHost::context();
    let transport = transport("handshake_timeout_ms=600000")?;
    let mut listener = transport.listen(&ctx, &anywhere()?).await?;
    let address = listener.address();
    let crowd = async {
        let strangers = try_join_all((0..300).map(|_| TcpStream::connect(address.authority()))).await?;
        let link = transport.dial(&ctx, &address).await?;
        Ok::<_, Box<dyn std::error::Error>>((strangers, link))
    };
    let accepting = async { Ok(listener.accept().await?) };
    let ((strangers, _link), _accepted) = try_join(crowd, accepting).await?;
    assert_eq!(strangers.len(), 300);
    Ok(())
}

#[tokio::test]
async fn both_address_families_and_names_work() -> Outcome {
    let (ctx, transport) = (TokioHost::context(), transport("")?);
    for address in ["ws://localhost:0", "ws://127.0.0.1:0"] {
        round_trip(&ctx, &transport, &Url::parse(address)?).await?;
    }
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        round_trip(&ctx, &transport, &Url::parse("ws://[::1]:0/x")?).await?;
    }
    Ok(())
}

async fn round_trip(ctx: &Context, transport: &SharedTransport, address: &Url) -> Outcome {
    let mut listener = transport.listen(ctx, address).await?;
    let bound = listener.address();
    let (dialled, accepted) = try_join(transport.dial(ctx, &bound), listener.accept()).await?;
    let (mut sender, _keep) = dialled.split();
    let (_keep_too, mut receiver) = accepted.split();
    sender.send(b"hello".to_vec()).await?;
    let frame = ctx.deadline(Duration::from_mins(1), "receive", receiver.receive()).await??;
    assert_eq!(frame, Some(b"hello".to_vec()), "{address}");
    Ok(())
}
