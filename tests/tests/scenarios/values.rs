//! Values arrive as the database has them, bit for bit, by storage class.

use sync_tests::{
    device::Transport,
    digest::{number, texts},
    network::{converge, pair},
    rows::run,
};

over_both_transports!(every_storage_class_arrives_bit_for_bit, large_values_and_odd_texts_arrive);

async fn every_storage_class_arrives_bit_for_bit(transport: Transport) {
    let (a, b) = pair(transport).await;
    for (column, value) in [
        ("whole", "9223372036854775807"),
        ("whole", "-9223372036854775808"),
        ("whole", "9007199254740993"),
        ("whole", "NULL"),
        ("real", "1e308"),
        ("real", "9e999"),
        ("real", "-9e999"),
        ("real", "4.9e-324"),
        ("real", "0.1"),
        ("text", "''"),
        ("text", "'a' || char(0) || 'b'"),
        ("text", "char(101, 769)"),
        ("text", "char(233)"),
        ("text", "'12'"),
        ("bytes", "X''"),
        ("bytes", "X'00FF00'"),
        ("bytes", "'text in a blob column'"),
        ("flag", "1"),
        ("flag", "0"),
        ("other", "X'000102030405060708090A0B0C0D0E0F'"),
        ("at", "'2026-02-28 23:59:59.123456789'"),
    ] {
        run(a.space(), format!("INSERT INTO sample (uuid, {column}) VALUES (randomblob(16), {value})")).await;
    }
    converge(&[&a, &b]).await;
    run(b.space(), "UPDATE sample SET real = whole, whole = NULL WHERE whole IS NOT NULL").await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM sample WHERE real = 9.2233720368547758e18").await, 1);
}

async fn large_values_and_odd_texts_arrive(transport: Transport) {
    let (a, b) = pair(transport).await;
    run(
        a.space(),
        "INSERT INTO sample (uuid, bytes, text) VALUES (randomblob(16), randomblob(3000000), 'big')",
    )
    .await;
    run(
        a.space(),
        "INSERT INTO sample (uuid, bytes, text) VALUES (randomblob(16), zeroblob(3000000), 'zeros')",
    )
    .await;
    let odd = "'\"; DROP TABLE label; -- \u{202e}𝕏 \u{feff}'";
    run(a.space(), format!("INSERT INTO sample (uuid, text) VALUES (randomblob(16), {odd})")).await;
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(b.space(), "SELECT text || length(bytes) FROM sample WHERE bytes IS NOT NULL ORDER BY 1").await,
        ["big3000000", "zeros3000000"]
    );
}
