//! Addresses and settings of plugins.

use super::list::{Hostile, List};
use crate::targets::{configuration, url};

pub(super) fn all() -> Vec<Hostile> {
    [urls(), settings()].concat()
}

fn urls() -> Vec<Hostile> {
    let mut list = List::new("url", url);
    for (name, text) in [
        ("nothing", String::new()),
        ("only a scheme", "ws".into()),
        ("one slash", "ws:/host".into()),
        ("no scheme", "://host".into()),
        ("a scheme that begins with a digit", "1ws://host".into()),
        ("a scheme with an underscore", "w_s://host".into()),
        ("a scheme with a letter beyond ASCII", "wß://host".into()),
        ("a blank", "ws://ho st".into()),
        ("a line break", "ws://host\nHost: evil".into()),
        ("a carriage return", "ws://host\r".into()),
        ("a zero byte", "ws://host\0".into()),
        ("a blank of another script", "ws://ho\u{3000}st".into()),
        ("a control character of Latin-1", "ws://ho\u{85}st".into()),
        ("a fragment", "ws://host#f".into()),
        ("a parameter without a value", "ws://host?a".into()),
        ("a percent sign alone", "ws://host/%".into()),
        ("a percent sign and one digit", "ws://host/%4".into()),
        ("a percent sign and no digits", "ws://host/%zz".into()),
        ("an escaped zero byte", "ws://host/%00".into()),
        ("an escaped line break", "ws://host/%0d%0a".into()),
        ("an escaped control character in a value", "ws://host?a=%1b".into()),
        ("escapes that are not UTF-8", "ws://host/%ff".into()),
        ("an escaped surrogate", "ws://host/%ed%a0%80".into()),
        ("an escape in an overlong form", "ws://host/%c0%af".into()),
        ("5,000 bytes", format!("ws://{}", "a".repeat(5000))),
        ("1 MB", format!("ws://{}", "a".repeat(1_000_000))),
        ("4,000 bytes that grow when written", format!("ws://{}", "!".repeat(4000))),
        ("a port that is a word", "ws://host:http".into()),
        ("a port beyond 65,535", "ws://host:65536".into()),
        ("a port with a sign", "ws://host:+80".into()),
        ("no port behind a colon", "ws://host:".into()),
    ] {
        let operation = "read URL";
        list.detailed(name, text, "configuration", operation);
    }
    list.add("bytes that are not UTF-8", [b'w', b's', b':', b'/', b'/', 0xff], "not UTF-8");
    list.done()
}

fn settings() -> Vec<Hostile> {
    let mut list = List::new("configuration", configuration);
    for (name, text) in [
        ("an unknown parameter", "ws://h?ping=7"),
        ("a parameter of the other transport and an unknown one", "ws://h?window=7&ping=1"),
        ("a parameter twice", "ws://h?send_timeout_ms=1&send_timeout_ms=2"),
        ("a parameter in capitals", "ws://h?SEND_TIMEOUT_MS=1"),
        ("an empty name", "ws://h?=1"),
        ("a timeout of 0", "ws://h?ping_interval_ms=0"),
        ("a timeout of more than an hour", "ws://h?ping_interval_ms=3600001"),
        ("a timeout of -1", "ws://h?ping_interval_ms=-1"),
        ("a timeout that is a word", "ws://h?ping_timeout_ms=soon"),
        ("a timeout with a point", "ws://h?ping_timeout_ms=1.5"),
        ("a timeout of 2^64", "ws://h?handshake_timeout_ms=18446744073709551616"),
        ("a timeout of nothing", "ws://h?handshake_timeout_ms="),
        ("a window of 0", "memory://a?window=0"),
        ("a window of 1 GiB", "memory://a?window=1073741824"),
        ("a window of 2^32", "memory://a?window=4294967296"),
        ("a backlog of 0", "memory://a?backlog=0"),
        ("a backlog of 1,025", "memory://a?backlog=1025"),
        ("a backlog twice", "memory://a?backlog=1&backlog=1"),
        ("a backlog in full-width digits", "memory://a?backlog=１"),
    ] {
        list.detailed(name, text, "configuration", "configure");
    }
    list.done()
}
