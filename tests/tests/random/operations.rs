//! What a device does at random: transactions of one to four statements over few rows, so that they meet.

use sea_orm::{ConnectionTrait, TransactionSession, TransactionTrait};
use sync_tests::{device::Device, digest::texts, rows::hex};

/// Random numbers from a seed (splitmix64).
#[derive(Debug)]
pub(crate) struct Draw {
    state: u64,
    seats: bool,
    faults: bool,
}

/// From this seed on there are seats too; a seed below goes on to mean what it meant when it found something.
pub(crate) const WITH_SEATS: u64 = 1_000_000;

/// From this seed on there are also rows with keys of two columns and values of all types, clocks that are wrong,
/// restarts, and other programs that write.
pub(crate) const WITH_FAULTS: u64 = 2_000_000;

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x1234_5678;
        Self { state, seats: seed >= WITH_SEATS, faults: seed >= WITH_FAULTS }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Whether clocks are wrong, devices restart and other programs write.
    pub(crate) fn has_faults(&self) -> bool {
        self.faults
    }

    /// 0 to `bound` − 1.
    pub(crate) fn below(&mut self, bound: u64) -> usize {
        usize::try_from(self.next() % bound).unwrap()
    }

    /// `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// Once in `of`, `times`.
    pub(crate) fn chance(&mut self, times: u64, of: u64) -> bool {
        self.next() % of < times
    }

    pub(crate) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(u64::try_from(list.len()).unwrap())]
    }

    /// A record id out of a few for each model, so that devices insert the same and insert again what was deleted.
    pub(crate) fn id(&mut self, model: u8) -> String {
        let n = u8::try_from(self.below(5)).unwrap();
        hex(uuid::Uuid::from_bytes([model, n, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, model, n]))
    }
}

/// One transaction on `device`.
pub(crate) async fn transaction(draw: &mut Draw, device: &Device) {
    let statements = (0..draw.between(1, 4)).map(|_| statement(draw, device)).collect();
    attempt(draw, device, statements).await;
}

/// Runs statements in one transaction; what schema or ownership refuses leaves the rest as it is.
pub(crate) async fn attempt(draw: &mut Draw, device: &Device, statements: Vec<String>) {
    let tx = device.begin().await.unwrap();
    let trace = std::env::var_os("TRACE").is_some();
    for sql in &statements {
        let outcome = tx.execute_unprepared(sql).await;
        if trace {
            println!(
                "{} {sql} -> {}",
                device.name(),
                outcome.as_ref().map_or(-1, |done| i64::try_from(done.rows_affected()).unwrap())
            );
        }
        if let Err(error) = outcome {
            let text = error.to_string();
            assert!(text.contains("constraint failed"), "{}: {sql}: {text}", device.name());
        }
    }
    if draw.chance(1, 12) {
        tx.rollback().await.unwrap();
        return;
    }
    let outcome = tx.commit().await;
    if trace {
        println!(
            "{} commit {:?} {:?}",
            device.name(),
            outcome,
            device.vector().await.unwrap().head(&device.status().origin)
        );
    }
    if let Err(error) = outcome {
        // A second row for a derived id, where the first is hidden, cannot be caught by the schema.
        let known = sync_runtime::Error::within(&error).map(sync_runtime::Error::kind);
        let text = error.to_string();
        let fine = text.contains("constraint failed")
            || matches!(known, Some(sync_runtime::ErrorKind::Misuse | sync_runtime::ErrorKind::NotOwner));
        assert!(fine, "{}: {statements:?}: {text}", device.name());
    }
    if draw.chance(1, 10) {
        let broken = texts(device.space(), "SELECT \"table\" FROM pragma_foreign_key_check").await;
        assert!(broken.is_empty(), "{}: {broken:?}", device.name());
    }
}

fn statement(draw: &mut Draw, device: &Device) -> String {
    let n = draw.below(100);
    let kinds = match (draw.seats, draw.faults) {
        (false, _) => 11,
        (true, false) => 13,
        (true, true) => 16,
    };
    match draw.below(kinds) {
        0 | 1 => label(draw, n),
        2 => project(draw, n),
        3 | 4 => child(draw, n),
        5 => folder(draw, n),
        6 => assignment(draw, n),
        7 => setting(draw, n),
        8 => sketch(draw, n),
        9 => gauge(draw, n),
        10 => reading(draw, n, device),
        11 | 12 => seat(draw, n),
        13 | 14 => parcel(draw, n),
        _ => sample(draw, n),
    }
}

fn label(draw: &mut Draw, n: usize) -> String {
    let (id, name) = (draw.id(1), draw.pick(&["x", "y", "z"]));
    match draw.below(8) {
        0 | 1 => format!("INSERT INTO label (uuid, name, uses) VALUES ({id}, '{name}', {n})"),
        2 => format!("INSERT OR REPLACE INTO label (uuid, name, uses) VALUES ({id}, '{name}', {n})"),
        3 => format!("DELETE FROM label WHERE uuid = {id}"),
        4 => format!("UPDATE label SET name = '{name}' WHERE uuid = {id}"),
        5 => format!("UPDATE label SET uses = uses + {n} WHERE uuid = {id}"),
        6 => format!("UPDATE label SET colour = 'c{n}', uses = uses - 1"),
        _ => format!("UPDATE OR REPLACE label SET name = '{name}' WHERE uuid = {id}"),
    }
}

fn project(draw: &mut Draw, n: usize) -> String {
    let id = draw.id(2);
    match draw.below(5) {
        0 | 1 => format!("INSERT INTO project (uuid, title) VALUES ({id}, 'p{n}')"),
        2 => format!("UPDATE project SET title = 'q{n}' WHERE uuid = {id}"),
        3 => format!("DELETE FROM invoice; DELETE FROM project WHERE uuid = {id}"),
        _ => format!("DELETE FROM project WHERE uuid = {id}"),
    }
}

fn child(draw: &mut Draw, n: usize) -> String {
    let parent = format!("(SELECT id FROM project WHERE uuid = {})", draw.id(2));
    let (table, model, column) = match draw.below(3) {
        0 => ("task", 3, "title"),
        1 => ("memo", 4, "text"),
        _ => ("invoice", 5, "amount"),
    };
    let id = draw.id(model);
    match draw.below(6) {
        0..=2 => format!("INSERT INTO {table} (uuid, project_id, {column}) VALUES ({id}, {parent}, {n})"),
        3 => format!("UPDATE {table} SET project_id = {parent} WHERE uuid = {id}"),
        4 => format!("UPDATE {table} SET {column} = {n} WHERE uuid = {id}"),
        _ => format!("DELETE FROM {table} WHERE uuid = {id}"),
    }
}

fn folder(draw: &mut Draw, n: usize) -> String {
    let (id, parent) = (draw.id(6), draw.id(6));
    let parent = format!("(SELECT id FROM folder WHERE uuid = {parent})");
    match draw.below(5) {
        0 => format!("INSERT INTO folder (uuid, name) VALUES ({id}, 'f{n}')"),
        1 | 2 => format!("INSERT INTO folder (uuid, parent_id, name) VALUES ({id}, {parent}, 'f{n}')"),
        3 => format!("UPDATE folder SET parent_id = {parent}, name = 'm{n}' WHERE uuid = {id}"),
        _ => format!("DELETE FROM folder WHERE uuid = {id}"),
    }
}

fn assignment(draw: &mut Draw, n: usize) -> String {
    let (label, project) = (draw.id(1), draw.id(2));
    let pair = format!(
        "(SELECT id FROM label WHERE uuid = {label}), (SELECT id FROM project WHERE uuid = {project})"
    );
    match draw.below(4) {
        0 | 1 => format!("INSERT INTO assignment (label_id, project_id, weight) VALUES ({pair}, {n})"),
        2 => format!("UPDATE assignment SET weight = {n} WHERE (label_id, project_id) = ({pair})"),
        _ => format!("DELETE FROM assignment WHERE (label_id, project_id) = ({pair})"),
    }
}

fn setting(draw: &mut Draw, n: usize) -> String {
    let slug = draw.pick(&["a", "b", "c"]);
    let other = draw.pick(&["a", "b", "c"]);
    match draw.below(5) {
        0 | 1 => format!("INSERT INTO setting (namespace, slug, value) VALUES ('app', '{slug}', 'v{n}')"),
        2 => format!("UPDATE setting SET value = 'w{n}' WHERE slug = '{slug}'"),
        3 => format!("UPDATE setting SET slug = '{other}' WHERE slug = '{slug}'"),
        _ => format!("DELETE FROM setting WHERE slug = '{slug}'"),
    }
}

fn sketch(draw: &mut Draw, n: usize) -> String {
    let id = draw.id(7);
    match draw.below(5) {
        0 | 1 => format!("INSERT INTO sketch (uuid, title, body) VALUES ({id}, 't{n}', 'b{n}')"),
        2 => format!("UPDATE sketch SET title = 'u{n}' WHERE uuid = {id}"),
        3 => format!("UPDATE sketch SET body = 'c{n}' WHERE uuid = {id}"),
        _ => format!("DELETE FROM sketch WHERE uuid = {id}"),
    }
}

fn gauge(draw: &mut Draw, n: usize) -> String {
    let (id, span, mark) = (draw.id(8), draw.id(9), draw.pick(&["k", "l", "m"]));
    match draw.below(8) {
        0 => format!(
            "INSERT INTO gauge (uuid, total, best, worst, marks) VALUES ({id}, {n}, {n}, {n}, '[\"{mark}\"]')"
        ),
        1 => format!("UPDATE gauge SET total = total + {n} WHERE uuid = {id}"),
        2 => format!("UPDATE gauge SET best = {n}, worst = {n} WHERE uuid = {id}"),
        3 => format!(
            "UPDATE gauge SET marks = json_insert(marks, '$[#]', '{mark}') WHERE uuid = {id} AND marks NOT LIKE '%{mark}%'"
        ),
        4 => format!(
            "UPDATE gauge SET marks = (SELECT coalesce(json_group_array(value), '[]') FROM json_each(marks) WHERE value <> \
             '{mark}') WHERE uuid = {id}"
        ),
        5 => format!("INSERT INTO span (uuid, low, high, title) VALUES ({span}, {n}, {n} + 10, '')"),
        6 => format!(
            "UPDATE span SET {} = {n} WHERE uuid = {span}",
            if n.is_multiple_of(2) { "low" } else { "high" }
        ),
        _ => format!("DELETE FROM gauge WHERE uuid = {id}; DELETE FROM span WHERE uuid = {span}"),
    }
}

fn seat(draw: &mut Draw, n: usize) -> String {
    let (id, name, code) = (draw.id(10), draw.pick(&["x", "y"]), draw.pick(&["'k'", "'K'", "'l'", "NULL"]));
    let parent = format!("(SELECT id FROM project WHERE uuid = {})", draw.id(2));
    let line = n % 2;
    match draw.below(8) {
        0..=2 => format!(
            "INSERT INTO seat (uuid, project_id, name, code, line) VALUES ({id}, {parent}, '{name}', {code}, {line})"
        ),
        3 => format!("UPDATE seat SET project_id = {parent} WHERE uuid = {id}"),
        4 => format!("UPDATE seat SET name = '{name}', line = {line} WHERE uuid = {id}"),
        5 => format!("UPDATE seat SET code = {code} WHERE uuid = {id}"),
        6 => format!(
            "UPDATE OR REPLACE seat SET project_id = {parent}, code = {code}, line = {line} WHERE uuid = {id}"
        ),
        _ => format!("DELETE FROM seat WHERE uuid = {id}"),
    }
}

fn parcel(draw: &mut Draw, n: usize) -> String {
    let (id, country, code) = (draw.id(11), draw.pick(&["de", "fr"]), draw.pick(&["1", "2"]));
    match draw.below(7) {
        0..=2 => format!(
            "INSERT INTO parcel (country, code, uuid, content) VALUES ('{country}', '{code}', {id}, 'c{n}')"
        ),
        3 => format!(
            "INSERT OR REPLACE INTO parcel (country, code, uuid, content) VALUES ('{country}', '{code}', {id}, 'r{n}')"
        ),
        4 => format!("UPDATE parcel SET content = 'd{n}' WHERE uuid = {id}"),
        5 => format!("UPDATE parcel SET country = '{country}', code = '{code}' WHERE uuid = {id}"),
        _ => format!("DELETE FROM parcel WHERE country = '{country}'"),
    }
}

fn sample(draw: &mut Draw, n: usize) -> String {
    let id = draw.id(12);
    let value =
        draw.pick(&["NULL", "0", "9223372036854775807", "1.5", "-0.0", "1e300", "''", "'1'", "x''", "x'00'"]);
    match draw.below(5) {
        0 | 1 => format!(
            "INSERT INTO sample (uuid, whole, real, text, local) VALUES ({id}, {n}, {n}.5, 't{n}', 'here')"
        ),
        2 => format!(
            "UPDATE sample SET real = CASE typeof({value}) WHEN 'real' THEN {value} END, local = 'l{n}' WHERE uuid = {id}"
        ),
        3 => format!(
            "UPDATE sample SET bytes = CASE typeof({value}) WHEN 'blob' THEN {value} END, text = CASE typeof({value}) WHEN 'text' THEN {value} END WHERE uuid = {id}"
        ),
        _ => format!("DELETE FROM sample WHERE uuid = {id}"),
    }
}

/// What another program does to the database of a device, in one transaction. Only models in which no mistake is left
/// to be found when the framework takes it up.
pub(crate) fn of_another_program(draw: &mut Draw) -> Vec<String> {
    (0..draw.between(1, 3))
        .map(|_| {
            let n = draw.below(100);
            match draw.below(5) {
                0 => label(draw, n),
                1 => project(draw, n),
                2 => child(draw, n),
                3 => folder(draw, n),
                _ => seat(draw, n),
            }
        })
        .collect()
}

fn reading(draw: &mut Draw, n: usize, device: &Device) -> String {
    let own = hex(device.uuid());
    let mut bytes = *device.uuid().as_bytes();
    bytes[0] = u8::try_from(draw.below(4)).unwrap();
    let id = hex(uuid::Uuid::from_bytes(bytes));
    match draw.below(4) {
        0 | 1 => format!("INSERT INTO reading (uuid, device, place, value) VALUES ({id}, {own}, 'r', {n})"),
        2 => format!("UPDATE reading SET value = {n} WHERE device = {own}"),
        _ => format!("DELETE FROM reading WHERE uuid = {id}"),
    }
}
