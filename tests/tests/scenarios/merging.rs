//! Concurrent writes to one record: last writer, counters, extremes, sets, groups.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel, TransactionSession, TransactionTrait};
use sync_tests::{
    device::Transport,
    digest::{number, texts},
    network::{converge, cut, heal, pair},
    rows::{gauge, hex, label, later, run, span},
};

over_both_transports!(
    concurrent_edits_of_one_field_end_with_the_later,
    later_write_wins_though_its_value_is_smaller,
    edits_of_different_fields_are_both_kept,
    counter_of_ten_plus_one_plus_five_is_sixteen,
    counter_of_a_row_replaced_and_counted_in_one_transaction,
    counter_survives_restart_and_many_increments,
    largest_smallest_and_set_merge_as_named,
    set_keeps_what_the_remover_did_not_see,
    first_valid_row_passes_a_check_over_two_columns,
    concurrent_edits_of_a_group_never_break_its_check,
    whoever_saw_a_value_replaces_it_whatever_his_clock_says,
);

async fn concurrent_edits_of_one_field_end_with_the_later(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tag = label(a.space(), "x").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    for round in 0..6 {
        let (first, second) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        run(first.space(), format!("UPDATE label SET colour = 'early {round}'")).await;
        later().await;
        run(second.space(), format!("UPDATE label SET colour = 'late {round}'")).await;
        heal(&[&a, &b]).await;
        converge(&[&a, &b]).await;
        assert_eq!(texts(a.space(), "SELECT colour FROM label").await, [format!("late {round}")]);
        cut(&[&a, &b]).await;
    }
    assert_eq!(
        number(b.space(), format!("SELECT count(*) FROM label WHERE uuid = {}", hex(tag.uuid))).await,
        1
    );
}

/// Seen elsewhere: "last writer wins" meant that the larger value wins, even against a later write.
async fn later_write_wins_though_its_value_is_smaller(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "zebra").await;
    run(a.space(), "UPDATE label SET colour = 'mmm'").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "UPDATE label SET name = 'zzz', colour = 'zzz'").await;
    later().await;
    run(b.space(), "UPDATE label SET name = 'aaa', colour = NULL").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT name || quote(colour) FROM label").await, ["aaaNULL"]);
}

async fn edits_of_different_fields_are_both_kept(transport: Transport) {
    let (a, b) = pair(transport).await;
    let tag = label(a.space(), "old").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    let mut edit = tag.into_active_model();
    edit.colour = Set(Some("red".to_owned()));
    edit.update(a.space()).await.unwrap();
    run(b.space(), "UPDATE label SET name = 'new'").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT name || ' ' || colour FROM label").await, ["new red"]);
}

/// Seen elsewhere: concurrent +1 and +5 on 10 gave 15.
async fn counter_of_ten_plus_one_plus_five_is_sixteen(transport: Transport) {
    let (a, b) = pair(transport).await;
    label(a.space(), "x").await;
    run(a.space(), "UPDATE label SET uses = 10").await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "UPDATE label SET uses = uses + 1").await;
    run(b.space(), "UPDATE label SET uses = uses + 5").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT uses FROM label").await, 16);
}

/// The row stood at two local keys within the transaction, and the difference was taken from the second.
async fn counter_of_a_row_replaced_and_counted_in_one_transaction(transport: Transport) {
    let (a, b) = pair(transport).await;
    let row = label(a.space(), "x").await;
    run(a.space(), "UPDATE label SET uses = 4").await;
    converge(&[&a, &b]).await;
    let tx = b.space().begin().await.unwrap();
    run(&tx, format!("INSERT OR REPLACE INTO label (uuid, name, uses) VALUES ({}, 'x', 0)", hex(row.uuid)))
        .await;
    run(&tx, "UPDATE label SET uses = uses + 62").await;
    tx.commit().await.unwrap();
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT uses FROM label").await, 62);
}

async fn counter_survives_restart_and_many_increments(transport: Transport) {
    let (mut a, mut b) = pair(transport).await;
    gauge(a.space(), 100, 0, 0, "[]").await;
    converge(&[&a, &b]).await;
    let mut expected = 100;
    for round in 0..4_i64 {
        cut(&[&a, &b]).await;
        for step in 0..5_i64 {
            run(a.space(), format!("UPDATE gauge SET total = total + {}", round + step)).await;
            run(b.space(), "UPDATE gauge SET total = total - 3").await;
            expected += round + step - 3;
        }
        if round == 1 {
            (a, b) = (a.restart().await, b.restart().await);
        }
        heal(&[&a, &b]).await;
        converge(&[&a, &b]).await;
        assert_eq!(number(b.space(), "SELECT total FROM gauge").await, expected);
    }
}

async fn largest_smallest_and_set_merge_as_named(transport: Transport) {
    let (a, b) = pair(transport).await;
    gauge(a.space(), 0, 10, 10, r#"["x"]"#).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), r#"UPDATE gauge SET best = 50, worst = 3, marks = '["x","a"]'"#).await;
    later().await;
    run(b.space(), r#"UPDATE gauge SET best = 40, worst = 5, marks = '["b"]'"#).await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    let query = "SELECT best || ' ' || worst || ' ' || marks FROM gauge";
    assert_eq!(texts(a.space(), query).await, [r#"50 3 ["a","b"]"#]);
    // A value that merge would not keep is replaced in the commit that wrote it.
    run(a.space(), "UPDATE gauge SET best = 1, worst = 99").await;
    assert_eq!(texts(a.space(), query).await, [r#"50 3 ["a","b"]"#]);
    converge(&[&a, &b]).await;
}

async fn set_keeps_what_the_remover_did_not_see(transport: Transport) {
    let (a, b) = pair(transport).await;
    gauge(a.space(), 0, 0, 0, r#"["k"]"#).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    run(a.space(), "UPDATE gauge SET marks = '[]'").await;
    run(b.space(), "UPDATE gauge SET marks = '[]'").await;
    run(b.space(), r#"UPDATE gauge SET marks = '["k"]'"#).await;
    later().await;
    run(a.space(), r#"UPDATE gauge SET marks = '["m"]'"#).await;
    run(a.space(), "UPDATE gauge SET marks = '[]'").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT marks FROM gauge").await, [r#"["k"]"#]);
}

/// Seen elsewhere: a CHECK over two columns blocked even the first valid row.
async fn first_valid_row_passes_a_check_over_two_columns(transport: Transport) {
    let (a, b) = pair(transport).await;
    span(a.space(), 5, 9).await;
    run(a.space(), "UPDATE span SET low = 50, high = 90").await;
    run(a.space(), "UPDATE span SET low = -9, high = -5").await;
    let refused = run_fails(&a, "UPDATE span SET low = 0").await;
    assert!(refused.contains("CHECK"), "{refused}");
    converge(&[&a, &b]).await;
    assert_eq!(texts(b.space(), "SELECT low || ' ' || high FROM span").await, ["-9 -5"]);
}

async fn run_fails(device: &sync_tests::device::Device, sql: &str) -> String {
    sea_orm::ConnectionTrait::execute_unprepared(device.space(), sql).await.unwrap_err().to_string()
}

async fn concurrent_edits_of_a_group_never_break_its_check(transport: Transport) {
    let (a, b) = pair(transport).await;
    span(a.space(), 10, 20).await;
    converge(&[&a, &b]).await;
    cut(&[&a, &b]).await;
    // Field by field this would be low 18, high 12.
    run(a.space(), "UPDATE span SET low = 18, title = 'from a'").await;
    later().await;
    run(b.space(), "UPDATE span SET high = 12").await;
    heal(&[&a, &b]).await;
    converge(&[&a, &b]).await;
    assert_eq!(
        texts(a.space(), "SELECT low || ' ' || high || ' ' || title FROM span").await,
        ["10 12 from a"]
    );
    assert_eq!(a.hidden().await.unwrap(), []);
}

/// A device whose clock is days behind replaces what it has seen.
async fn whoever_saw_a_value_replaces_it_whatever_his_clock_says(transport: Transport) {
    use std::time::Duration;
    use sync_tests::device::{Device, Models, clock_ahead};
    let ahead = clock_ahead(Duration::from_hours(48));
    let a = Device::first_with("a", transport, Models::Own, |builder| builder.context(ahead)).await;
    let b = Device::join("b", &a).await;
    heal(&[&a, &b]).await;
    let tx = a.begin().await.unwrap();
    label(&tx, "x").await;
    run(&tx, "UPDATE label SET colour = 'from the future'").await;
    tx.commit().await.unwrap();
    converge(&[&a, &b]).await;
    run(b.space(), "UPDATE label SET colour = 'from now'").await;
    converge(&[&a, &b]).await;
    assert_eq!(texts(a.space(), "SELECT colour FROM label").await, ["from now"]);
    run(b.space(), "DELETE FROM label").await;
    converge(&[&a, &b]).await;
    assert_eq!(number(a.space(), "SELECT count(*) FROM label").await, 0);
}
