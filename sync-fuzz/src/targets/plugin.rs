//! Addresses of plugins and the settings in them.

use sync_plugin::{ErrorKind, PluginError, TransportConfig, Url};
use sync_transport_memory::MemoryConfig;
use sync_transport_websocket::WebSocketConfig;

use crate::{allocation::bounded, outcome::Outcome};

fn refused(error: &PluginError) -> Outcome {
    assert!(!error.to_string().contains('\n'), "an error is one line");
    assert!(!error.is_retryable(), "a wrong address stays wrong");
    match error.kind() {
        ErrorKind::Configuration => Outcome::error("configuration", error.operation()),
        _ => Outcome::error("another error", error.operation()),
    }
}

/// A URL.
pub fn url(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::error("not UTF-8", "") };
    match bounded("url", input.len(), || Url::parse(text)) {
        Err(error) => refused(&error),
        Ok(url) => {
            let exposed = url.expose();
            match Url::parse(&exposed) {
                Ok(again) => assert_eq!(again.expose(), exposed, "one form after writing"),
                Err(error) => panic!("a URL that was exposed is not read: {error}"),
            }
            assert!(Url::parse(&exposed).is_ok_and(|again| again == url), "survives");
            hides(&url);
            if let Err(error) = url.port() {
                return refused(&error);
            }
            assert!(url.rest().starts_with(url.authority()) && !url.scheme().is_empty());
            Outcome::ok(url.parameters().count()).at(u32::from(url.userinfo().is_some()) + 2)
        }
    }
}

/// The userinfo is a secret wherever a URL is shown.
fn hides(url: &Url) {
    let secret = url.userinfo().filter(|secret| secret.len() > 8);
    let elsewhere = |secret: &str| {
        let parameters: Vec<&str> = url.parameters().flat_map(|(name, value)| [name, value]).collect();
        url.rest().contains(secret) || parameters.concat().contains(secret)
    };
    if let Some(secret) = secret.filter(|secret| !elsewhere(secret)) {
        assert!(!url.to_string().contains(secret), "Display hides secrets");
        assert!(!format!("{url:?}").contains(secret), "Debug hides secrets");
    }
}

/// The settings of the two transports, from a URL.
pub fn configuration(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::error("not UTF-8", "") };
    let url = match Url::parse(text) {
        Err(error) => return refused(&error),
        Ok(url) => url,
    };
    let memory = bounded("memory settings", input.len(), || MemoryConfig::from_url(&url));
    let socket = bounded("websocket settings", input.len(), || WebSocketConfig::from_url(&url));
    match (memory, socket) {
        (Ok(memory), _) if memory != MemoryConfig::default() => {
            assert!(memory.window > 0 && memory.backlog > 0, "no setting is nothing");
            Outcome::ok(1)
        }
        (_, Ok(socket)) if socket != WebSocketConfig::default() => {
            assert!(!socket.ping_interval.is_zero() && !socket.send_timeout.is_zero());
            Outcome::ok(2)
        }
        (Ok(_), Ok(_)) => Outcome::ok(0),
        (Err(error), _) | (_, Err(error)) => refused(&error),
    }
}
