//! How a TCP stream becomes a WebSocket, on both sides, and what its errors mean. Must not know frames.

use crate::backend::Place;
use sync_plugin::{ErrorKind, MAX_FRAME, PluginError, Result};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, Uri, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig as Limits;

/// The subprotocol that both sides must speak; its number is the version of the wire form of this transport.
const SUBPROTOCOL: &str = "sync-kit.1";

/// What the write buffer holds beside one whole frame: headers, pings and pongs.
const WRITE_SLACK: usize = 256 * 1024;

/// A WebSocket over TCP.
pub(crate) type Socket = WebSocketStream<TcpStream>;

fn limits() -> Limits {
    Limits::default()
        .read_buffer_size(64 * 1024)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
        .max_write_buffer_size(MAX_FRAME + WRITE_SLACK)
}

/// Connects to `place` and shakes hands as the client.
pub(crate) async fn connect(place: &Place) -> Result<(Socket, String)> {
    let uri: Uri = place.url().parse().map_err(|error| {
        PluginError::new(ErrorKind::Configuration, "dial", format!("{place} cannot be dialled"))
            .with_source(error)
    })?;
    let stream = TcpStream::connect((place.host.as_str(), place.port)).await.map_err(|error| {
        PluginError::new(ErrorKind::Unreachable, "dial", place.to_string()).with_source(error)
    })?;
    let about = |error: Error| explain("dial", &place.to_string(), error);
    // Frames are written whole, so waiting for more bytes only adds latency.
    stream.set_nodelay(true).map_err(|error| about(Error::Io(error)))?;
    let peer = stream.peer_addr().map_err(|error| about(Error::Io(error)))?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(SUBPROTOCOL);
    let (socket, _response) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(limits())).await.map_err(about)?;
    Ok((socket, peer.to_string()))
}

/// Shakes hands as the server at `path`.
pub(crate) async fn welcome(stream: TcpStream, path: &str) -> Result<Socket> {
    let about = |error: Error| explain("accept", path, error);
    stream.set_nodelay(true).map_err(|error| about(Error::Io(error)))?;
    #[expect(clippy::result_large_err, reason = "the shape that tungstenite's callback prescribes")]
    let check = |request: &Request, response: Response| answer(path, request, response);
    tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(limits())).await.map_err(about)
}

#[expect(clippy::result_large_err, reason = "the shape that tungstenite's callback prescribes")]
fn answer(path: &str, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    if request.uri().path() != path {
        return Err(refusal(StatusCode::NOT_FOUND));
    }
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let speaks_ours = offered
        .filter_map(|value| value.to_str().ok())
        .any(|line| line.split(',').any(|name| name.trim() == SUBPROTOCOL));
    if !speaks_ours {
        return Err(refusal(StatusCode::UPGRADE_REQUIRED));
    }
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

fn refusal(status: StatusCode) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status;
    response
}

/// What tungstenite's error means in the contract.
pub(crate) fn explain(operation: &'static str, about: &str, error: Error) -> PluginError {
    let kind = match &error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake
            | ProtocolError::HandshakeIncomplete
            | ProtocolError::SendAfterClosing
            | ProtocolError::ReceivedAfterClosing,
        ) => ErrorKind::Closed,
        Error::Capacity(CapacityError::MessageTooLong { .. }) | Error::WriteBufferFull(_) => ErrorKind::Limit,
        Error::Http(_) => ErrorKind::Refused,
        Error::Url(_) => ErrorKind::Configuration,
        _ => ErrorKind::Malformed,
    };
    PluginError::new(kind, operation, about).with_source(error)
}
