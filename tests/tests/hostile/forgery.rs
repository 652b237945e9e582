//! Members who write in another device's name, or to another device's rows. What nobody signed ends the session;
//! what a member signed and nobody may accept is refused by all alike, on the record.

use sync_core::{
    authorship::{PublicKey, Violation},
    changeset::{Body, encode_body},
    hlc::Stamp,
    ids::{RecordId, Seq},
    value::Value,
    wire::{Accepted, ErrorCode, Message, Run, RunAssembler},
};
use sync_runtime::SyncEvent;
use sync_tests::{
    device::{Device, Transport, event},
    digest::{number, texts},
    hostile::{Forger, Scene, Talk, Write, column, refusals},
    network::{converge, heal},
};

over_both_transports!(
    nobody_writes_in_an_honest_devices_name,
    a_relay_that_alters_what_it_passes_on_is_caught,
    another_devices_row_is_not_written_by_a_forged_changeset,
    what_stands_beside_a_refused_row_is_the_same_for_all,
    a_device_owned_row_cannot_come_as_shared,
    a_stamp_in_another_devices_name_is_refused_by_all,
    a_body_that_is_not_what_its_header_says_is_refused_by_all,
    two_changesets_of_one_number_are_told,
    a_chain_that_does_not_continue_is_not_taken,
);

fn reading(value: i64, owner: &Device) -> Vec<sync_core::changeset::FieldWrite> {
    vec![
        column("device", Value::Blob(owner.device_id().as_bytes().to_vec())),
        column("place", Value::Text("forged".to_owned())),
        column("value", Value::Integer(value)),
    ]
}

/// The record of the reading that a device owns.
async fn reading_of(device: &Device) -> RecordId {
    let owner = sync_tests::rows::hex(device.uuid());
    let found = texts(device.space(), format!("SELECT hex(uuid) FROM reading WHERE device = {owner}")).await;
    found[0].parse().unwrap()
}

async fn public_key(device: &Device) -> PublicKey {
    let id = sync_tests::rows::hex(device.uuid());
    let query = format!("SELECT hex(public_key) FROM _sync_origin WHERE device = {id}");
    let digits = texts(device.space(), query).await.remove(0);
    let byte = |n: usize| u8::from_str_radix(&digits[n * 2..n * 2 + 2], 16).unwrap();
    PublicKey(std::array::from_fn(byte))
}

async fn nobody_writes_in_an_honest_devices_name(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let honest = scene.b.status().origin;
    let key = public_key(&scene.b).await;
    assert_eq!(key.device(), honest.device);
    let label = Write::label(1, "in b's name");
    let mut forger = Forger::among(&scene.a);
    // A changeset of B's under the forger's key, then with B's public key beside the forger's signature, then the
    // forger's own with B's name on the run.
    forger.origin = honest;
    let run = forger.commit(std::slice::from_ref(&label));
    let borrowed = Run { public_key: key, ..run.clone() };
    let mut greeter = Forger::among(&scene.a);
    let renamed = Run { origin: honest, public_key: key, ..greeter.commit(&[label]) };
    for (run, violation) in [
        (run, Violation::Key(honest)),
        (borrowed, Violation::Signature),
        (renamed, Violation::Foreign(Seq(1))),
    ] {
        let mut talk = Talk::greet(&greeter, &scene.a).await;
        talk.say_run(run).await;
        assert_eq!(talk.farewell().await.code, ErrorCode::BadSignature, "{violation}");
        scene.ended(violation).await;
    }
    scene.untouched().await;
}

/// Everything that the device pushes to a member that has nothing, until `enough`.
async fn pushed(talk: &mut Talk, enough: impl Fn(&Run) -> bool) -> Run {
    let mut assembler = RunAssembler::new();
    loop {
        let Some(Message::Run(part)) = talk.hear().await else { continue };
        if let Accepted::Whole(_, run) = assembler.accept(part).unwrap()
            && enough(&run)
        {
            return *run;
        }
    }
}

async fn a_relay_that_alters_what_it_passes_on_is_caught(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let honest = scene.b.status().origin;
    let faults: [fn(&mut Run) -> Violation; 4] = [
        |run| {
            run.shared.iter_mut().flatten().next().unwrap()[9] ^= 1;
            let at = run.shared.iter().position(Option::is_some).unwrap();
            Violation::Body(Seq(run.first.0 + at as u64))
        },
        |run| {
            run.headers.pop();
            run.shared.pop();
            Violation::Signature
        },
        |run| {
            run.shared[0] = Some(encode_body(&Body::default()));
            Violation::Body(run.first)
        },
        |run| {
            run.public_key = PublicKey([8; 32]);
            Violation::Key(run.origin)
        },
    ];
    for fault in faults {
        let forger = Forger::among(&scene.a);
        let mut talk = Talk::greet(&forger, &scene.a).await;
        let mut run =
            pushed(&mut talk, |run| run.origin == honest && run.headers.len() > 1 && run.shared[0].is_some())
                .await;
        let violation = fault(&mut run);
        talk.say_run(run).await;
        assert_eq!(talk.farewell().await.code, ErrorCode::BadSignature, "{violation}");
        scene.ended(violation).await;
    }
    scene.untouched().await;
}

async fn another_devices_row_is_not_written_by_a_forged_changeset(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let target = reading_of(&scene.b).await;
    let own = Value::Blob(forger.origin.device.as_bytes().to_vec());
    let mut stolen = reading(666, &scene.b);
    stolen[0] = column("device", own);
    let attempts = [
        Write::update("reading", target, [column("value", Value::Integer(666))]),
        Write::delete("reading", target),
        Write { record: target, ..Write::insert("reading", 0, reading(666, &scene.b)) },
        Write { record: target, ..Write::insert("reading", 0, stolen) },
        Write::insert("reading", 9, reading(666, &scene.b)),
    ];
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let mut expected = Vec::new();
    for (write, n) in attempts.into_iter().zip(1..) {
        let run = forger.commit_owned(&[write]);
        assert_eq!(talk.give(run).await, None, "held, and refused by all alike");
        let reason = scene.refused(&forger, n).await;
        assert_eq!(reason, format!("a row of \"reading\" belongs to device {}", scene.b.device_id()));
        expected.push(format!("{n}: {reason}"));
    }
    scene.unharmed().await;
    assert_eq!(refusals(&scene.a).await, expected);
    // Refused rows are not passed on, so B, who holds the changesets now, has nothing to refuse.
    assert_eq!(refusals(&scene.b).await, [""; 0]);
    // The forger's own row is taken, so it was not the form that was refused.
    let device = column("device", Value::Blob(forger.origin.device.as_bytes().to_vec()));
    let mut own = reading(7, &scene.b);
    own[0] = device;
    assert_eq!(talk.give(forger.commit_owned(&[Write::insert("reading", 9, own)])).await, None);
    scene.settled().await;
    assert_eq!(texts(scene.b.space(), "SELECT value || '' FROM reading WHERE place = 'forged'").await, ["7"]);
    scene.unharmed().await;
}

/// A changeset with a row of B's and, beside it, a shared label and a row of the forger's own. A meets it from the
/// forger, B from A without the row that A refused; in the end both must show the same, and so must a newcomer.
async fn what_stands_beside_a_refused_row_is_the_same_for_all(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let target = reading_of(&scene.b).await;
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let mut own = reading(7, &scene.b);
    own[0] = column("device", Value::Blob(forger.origin.device.as_bytes().to_vec()));
    let theirs = Write::update("reading", target, [column("value", Value::Integer(666))]);
    let rows = [theirs, Write::insert("reading", 9, own)];
    let run = forger.commit_at(Forger::now(), &[Write::label(9, "beside")], &rows);
    assert_eq!(talk.give(run).await, None);
    scene.refused(&forger, 1).await;
    scene.settled().await;
    let c = Device::join("c", &scene.b).await;
    heal(&[&scene.b, &c]).await;
    converge(&[&scene.a, &scene.b, &c]).await;
    assert_eq!(number(c.space(), "SELECT count(*) FROM reading WHERE value = 666").await, 0);
    scene.unharmed().await;
}

async fn a_device_owned_row_cannot_come_as_shared(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let target = reading_of(&scene.b).await;
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let writes = [
        Write::update("reading", target, [column("value", Value::Integer(666))]),
        Write::delete("reading", target),
        Write::insert("reading", 9, reading(666, &scene.b)),
    ];
    let mut expected = Vec::new();
    for (write, n) in writes.into_iter().zip(1..) {
        // A changeset is refused whole: the label beside it is not taken either.
        let run = forger.commit(&[Write::label(9, "beside"), write]);
        assert_eq!(talk.give(run).await, None);
        let reason = scene.refused(&forger, n).await;
        assert_eq!(reason, "\"reading\" is device-owned, not shared");
        expected.push(format!("{n}: {reason}"));
    }
    scene.unharmed().await;
    assert_eq!(refusals(&scene.b).await, expected, "what is signed is passed on, and refused there too");
    // And a shared row as one that a device owns, which is not passed on.
    let plan = texts(scene.a.space(), "SELECT hex(uuid) FROM project").await.remove(0).parse().unwrap();
    let write = Write::update("project", plan, [column("title", Value::Text("mine".to_owned()))]);
    assert_eq!(talk.give(forger.commit_owned(&[write])).await, None);
    expected.push(format!("4: {}", scene.refused(&forger, 4).await));
    assert_eq!(expected[3], "4: \"project\" is shared, not device-owned");
    scene.unharmed().await;
    assert_eq!(refusals(&scene.a).await, expected);
}

async fn a_stamp_in_another_devices_name_is_refused_by_all(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let stamp = Stamp::new(Forger::now(), scene.b.status().origin);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let run = forger.commit(&[Write::label(1, "b's stamp").stamped(stamp)]);
    assert_eq!(talk.give(run).await, None);
    assert_eq!(scene.refused(&forger, 1).await, "stamp in another device's name");
    scene.unharmed().await;
    assert_eq!(refusals(&scene.b).await, ["1: stamp in another device's name"]);
    // As a device-owned row it is the sender's fault: no honest member has such a row to pass on.
    let owned = Write::insert("reading", 9, reading(1, &scene.b)).stamped(stamp);
    talk.say_run(forger.commit_owned(&[owned])).await;
    assert_eq!(talk.farewell().await.code, ErrorCode::BadSignature);
    scene.ended(Violation::Row(Seq(2))).await;
    scene.unharmed().await;
}

async fn a_body_that_is_not_what_its_header_says_is_refused_by_all(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut talk = Talk::greet(&forger, &scene.a).await;
    let honest = Forger::among(&scene.a).commit(&[Write::label(1, "two?")]).shared.remove(0).unwrap();
    let counted = forger.commit_bytes(honest.clone(), 2);
    assert_eq!(talk.give(counted).await, None);
    let rubbish = forger.commit_bytes(b"no body".to_vec(), 1);
    assert_eq!(talk.give(rubbish).await, None);
    let cut = forger.commit_bytes(honest[..honest.len() - 1].to_vec(), 1);
    assert_eq!(talk.give(cut).await, None);
    let expected = ["1: not as many changes as its header names", "2: malformed body", "3: malformed body"];
    for (text, n) in expected.iter().zip(1..) {
        assert_eq!(*text, format!("{n}: {}", scene.refused(&forger, n).await));
    }
    scene.unharmed().await;
    assert_eq!(refusals(&scene.a).await, expected);
    assert_eq!(refusals(&scene.b).await, expected);
}

async fn two_changesets_of_one_number_are_told(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut twin = forger.twin();
    let mut talk = Talk::greet(&forger, &scene.a).await;
    assert_eq!(talk.give(forger.commit(&[Write::label(1, "first")])).await, None);
    scene.settled().await;
    assert_eq!(talk.give(twin.commit(&[Write::label(2, "second")])).await, None);
    let told = format!("{} signed two different changesets 1", forger.origin);
    event(&mut scene.events, "the equivocation is told", |event| match event {
        SyncEvent::Trouble { operation: "merge", detail, .. } => (*detail == told).then_some(()),
        _ => None,
    })
    .await;
    scene.unharmed().await;
}

async fn a_chain_that_does_not_continue_is_not_taken(transport: Transport) {
    let mut scene = Scene::set(transport).await;
    let mut forger = Forger::among(&scene.a);
    let mut twin = forger.twin();
    let mut talk = Talk::greet(&forger, &scene.a).await;
    assert_eq!(talk.give(forger.commit(&[Write::label(1, "first")])).await, None);
    scene.settled().await;
    // The twin went another way before and goes on from there.
    drop(twin.commit(&[Write::label(2, "another first")]));
    let error = talk.give(twin.commit(&[Write::label(3, "second")])).await.unwrap();
    assert_eq!(error.code, ErrorCode::IngestFailed);
    event(&mut scene.events, "it is told", |event| match event {
        SyncEvent::Trouble { operation: "ingest", detail, retried: false } => {
            detail.contains("went on differently").then_some(())
        }
        _ => None,
    })
    .await;
    scene.untouched().await;
    // The true continuation is still taken.
    assert_eq!(talk.give(forger.commit(&[Write::label(4, "true second")])).await, None);
    scene.settled().await;
    let labels = texts(scene.b.space(), "SELECT name FROM label WHERE name LIKE '%second'").await;
    assert_eq!(labels, ["true second"]);
}
