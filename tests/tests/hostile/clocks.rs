//! Stamps from the far future and the far past: what can be merged is merged by all alike and contained, what cannot
//! is refused by all alike.

use sea_orm::ConnectionTrait;
use sync_core::{
    authorship::Violation,
    changeset::HeaderError,
    hlc::{Hlc, MAX_DRIFT, Millis, Stamp},
    ids::{RecordId, Seq},
    value::Value,
    wire::ErrorCode,
};
use sync_runtime::{Error, ErrorKind, SyncEvent};
use sync_tests::{
    device::{Device, Transport, event},
    digest::{number, texts},
    hostile::{Forger, Scene, Talk, Write, column, refusals},
    network::converge,
    rows::{label, rename, run, try_label},
};

over_both_transports!(
    a_stamp_of_2199_is_applied_contained_and_replaceable,
    a_changeset_of_2300_ends_the_session,
    a_change_of_2300_is_refused_by_all,
    a_change_of_1999_is_refused_by_all,
    the_last_stamp_of_all_is_a_typed_error_to_replace,
);

/// The first moment of a year, near enough.
fn year(year: u64) -> Hlc {
    Hlc::at(Millis((year - 1970) * 31_556_952_000 + 86_400_000))
}

/// The clock that a device has stored.
async fn clock(device: &Device) -> Hlc {
    Hlc(number(device.space(), "SELECT clock FROM _sync_state").await.cast_unsigned())
}

async fn record(device: &Device, name: &str) -> RecordId {
    let query = format!("SELECT hex(uuid) FROM label WHERE name = '{name}'");
    texts(device.space(), query).await.remove(0).parse().unwrap()
}

/// Other systems' failure: a forged version freezes a cell for good.
async fn a_stamp_of_2199_is_applied_contained_and_replaceable(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let tag = record(&scene.a, "tag").await;
    let frozen = Write::update("label", tag, [column("colour", Value::Text("frozen".to_owned()))]);
    let run = forger.commit_at(year(2199), &[frozen, Write::label(1, "from 2199")], &[]);
    assert_eq!(talk.give(run).await, None);
    let skew = event(&mut scene.events, "the clock far ahead is told", |event| match event {
        SyncEvent::ClockSkew { origin, skew } if *origin == forger.origin => Some(*skew),
        _ => None,
    })
    .await;
    assert_eq!(skew.stamp, year(2199));
    scene.settled().await;
    let query = "SELECT name || '/' || coalesce(colour, '') FROM label ORDER BY name";
    assert_eq!(texts(scene.b.space(), query).await, ["from 2199/", "tag/frozen"]);
    for device in [&scene.a, &scene.b] {
        let most = Hlc::at(Millis(Forger::now().millis().0 + MAX_DRIFT.0));
        assert!(clock(device).await <= most, "{:?} is beyond {most:?}", clock(device).await);
    }
    // Whoever saw it replaces it, from either side, and can delete what came with it.
    sync_tests::rows::run(scene.b.space(), "UPDATE label SET colour = 'thawed' WHERE name = 'tag'").await;
    sync_tests::rows::run(scene.a.space(), "DELETE FROM label WHERE name = 'from 2199'").await;
    converge(&[&scene.a, &scene.b]).await;
    assert_eq!(texts(scene.a.space(), query).await, ["tag/thawed"]);
    run_and_see(&scene, "green").await;
    for device in [&scene.a, &scene.b] {
        let most = Hlc::at(Millis(Forger::now().millis().0 + MAX_DRIFT.0));
        assert!(clock(device).await <= most, "replacing it did not pull the clock along");
    }
    scene.settled().await;
    scene.unharmed().await;
}

async fn run_and_see(scene: &Scene, colour: &str) {
    run(scene.a.space(), format!("UPDATE label SET colour = '{colour}' WHERE name = 'tag'")).await;
    converge(&[&scene.a, &scene.b]).await;
    assert_eq!(texts(scene.b.space(), "SELECT colour FROM label WHERE name = 'tag'").await, [colour]);
}

async fn a_changeset_of_2300_ends_the_session(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    for at in [year(2300), Hlc::MAX_VALID, Hlc(u64::MAX), Hlc(Hlc::MIN_VALID.0 - 1), Hlc(0)] {
        let mut forger = Forger::among(&scene.a);
        let mut talk = Talk::greet(&forger, &scene.a).await;
        talk.say_run(forger.commit_at(at, &[Write::label(1, "impossible")], &[])).await;
        assert_eq!(talk.farewell().await.code, ErrorCode::BadSignature, "{at:?}");
        scene.ended(Violation::Header(HeaderError::Impossible("stamp"))).await;
    }
    scene.untouched().await;
}

async fn a_change_of_2300_is_refused_by_all(transport: Transport) {
    refused_everywhere(transport, year(2300)).await;
}

async fn a_change_of_1999_is_refused_by_all(transport: Transport) {
    refused_everywhere(transport, year(1999)).await;
}

async fn refused_everywhere(transport: Transport, at: Hlc) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let stamp = Stamp::new(at, forger.origin);
    let tag = record(&scene.a, "tag").await;
    let frozen = Write::update("label", tag, [column("colour", Value::Text("never".to_owned()))]);
    let run = forger.commit(&[Write::label(1, "beside"), frozen.stamped(stamp)]);
    assert_eq!(talk.give(run).await, None, "held, and refused");
    let reason = scene.refused(&forger, 1).await;
    assert_eq!(reason, "stamp outside of 2020 to 2200");
    scene.unharmed().await;
    let expected = [format!("1: {reason}")];
    assert_eq!(refusals(&scene.a).await, expected);
    assert_eq!(refusals(&scene.b).await, expected);
    // The forger's next changeset is as good as anyone's.
    assert_eq!(talk.give(forger.commit(&[Write::label(2, "good")])).await, None);
    scene.settled().await;
    assert_eq!(texts(scene.b.space(), "SELECT name FROM label WHERE name = 'good'").await, ["good"]);
    // As a device-owned row, with the version that it names itself, it ends the session.
    let owner = Value::Blob(forger.origin.device.as_bytes().to_vec());
    let fields = [column("device", owner), column("place", Value::Null), column("value", Value::Integer(1))];
    let row = Write::insert("reading", 5, fields).stamped(stamp);
    talk.say_run(forger.commit_owned(&[row])).await;
    assert_eq!(talk.farewell().await.code, ErrorCode::BadSignature);
    scene.ended(Violation::Row(Seq(3))).await;
    scene.unharmed().await;
}

/// There is no stamp above the last one: what it holds stays, and whoever writes over it is told why.
async fn the_last_stamp_of_all_is_a_typed_error_to_replace(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let last = Hlc(Hlc::MAX_VALID.0 - 1);
    let tag = record(&scene.a, "tag").await;
    let frozen = Write::update("label", tag, [column("colour", Value::Text("frozen".to_owned()))]);
    assert_eq!(talk.give(forger.commit_at(last, &[frozen], &[])).await, None);
    scene.settled().await;
    let error = scene.a.execute_unprepared("UPDATE label SET colour = 'mine'").await.unwrap_err();
    assert_eq!(Error::within(&error).map(Error::kind), Some(ErrorKind::Value), "{error}");
    assert_eq!(texts(scene.a.space(), "SELECT colour FROM label").await, ["frozen"]);
    // Everything else of the record can be written, and a record that takes its place as well.
    rename(scene.a.space(), uuid::Uuid::from_bytes(*tag.as_bytes()), "renamed").await;
    converge(&[&scene.a, &scene.b]).await;
    try_label(scene.b.space(), "tag").await.unwrap();
    label(scene.a.space(), "other").await;
    scene.settled().await;
    assert_eq!(
        texts(scene.b.space(), "SELECT name FROM label ORDER BY name").await,
        ["other", "renamed", "tag"]
    );
    scene.unharmed().await;
}
