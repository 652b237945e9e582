//! The committed golden bytes of sync-core.

/// Bytes by the name of their file.
const FILES: &[(&str, &str)] = &[
    ("body", include_str!("../../../sync-core/tests/golden/body-1.hex")),
    ("header", include_str!("../../../sync-core/tests/golden/header-1.hex")),
    ("record", include_str!("../../../sync-core/tests/golden/record-1.hex")),
    ("residue", include_str!("../../../sync-core/tests/golden/residue-1.hex")),
    ("set-operation", include_str!("../../../sync-core/tests/golden/set-operation-1.hex")),
    ("ack", include_str!("../../../sync-core/tests/golden/wire/ack.hex")),
    ("error", include_str!("../../../sync-core/tests/golden/wire/error.hex")),
    ("handshake-first", include_str!("../../../sync-core/tests/golden/wire/handshake-first.hex")),
    ("handshake-second", include_str!("../../../sync-core/tests/golden/wire/handshake-second.hex")),
    ("heartbeat", include_str!("../../../sync-core/tests/golden/wire/heartbeat.hex")),
    ("heartbeat-answer", include_str!("../../../sync-core/tests/golden/wire/heartbeat-answer.hex")),
    ("hello", include_str!("../../../sync-core/tests/golden/wire/hello.hex")),
    ("sealed-shared-change", include_str!("../../../sync-core/tests/golden/wire/sealed-shared-change.hex")),
    ("shared-change", include_str!("../../../sync-core/tests/golden/wire/shared-change.hex")),
    ("shared-change-batch", include_str!("../../../sync-core/tests/golden/wire/shared-change-batch.hex")),
    ("shared-change-request", include_str!("../../../sync-core/tests/golden/wire/shared-change-request.hex")),
    (
        "shared-change-response",
        include_str!("../../../sync-core/tests/golden/wire/shared-change-response.hex"),
    ),
    ("state-batch", include_str!("../../../sync-core/tests/golden/wire/state-batch.hex")),
    ("state-change", include_str!("../../../sync-core/tests/golden/wire/state-change.hex")),
    ("state-request", include_str!("../../../sync-core/tests/golden/wire/state-request.hex")),
    ("state-response", include_str!("../../../sync-core/tests/golden/wire/state-response.hex")),
];

/// The golden bytes of that name; none when there is no such file.
pub fn golden(name: &str) -> Vec<u8> {
    let text = FILES.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high * 16 + low).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_bytes() {
        for (name, _) in FILES {
            assert!(golden(name).len() > 8, "{name}");
        }
        assert!(golden("no such file").is_empty());
    }
}
