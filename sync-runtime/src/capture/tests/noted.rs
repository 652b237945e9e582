//! Statements and the notes that are expected of them.

use super::support::Captured;

/// Rows that every case begins with; ids are one byte for brevity.
const ROWS: &str = "
    INSERT INTO tag (id, uuid, name, free) VALUES (1, x'A1', 'one', 1), (2, x'A2', 'two', NULL);
    INSERT INTO tag (id, uuid, name, parent_id) VALUES (3, x'A3', 'three', 1);
    INSERT INTO item (uuid, title) VALUES (x'B1', 'book'), (x'B2', '');
    INSERT INTO link (tag_id, item_id, uuid) VALUES (1, x'B1', x'C1'), (2, x'B1', x'C2');
    INSERT INTO device (id, uuid, name) VALUES (1, x'D1', 'desk');";

/// A statement, its notes, and the old rows that are kept.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const INSERTS: &[Case] = &[
    (
        "INSERT INTO tag (uuid, name) VALUES (x'A4', 'four'), (x'A5', 'five')",
        &["tag insert 4", "tag insert 5"],
        &[],
    ),
    ("INSERT INTO link VALUES (3, x'B2', x'C3', NULL)", &["link insert 3,X'B2'"], &[]),
    ("INSERT INTO item (uuid) VALUES (x'B3')", &["item insert X'B3'"], &[]),
    // Nothing comes of it, yet the row that it clashed with may be noted.
    (
        "INSERT OR IGNORE INTO tag (uuid, name) VALUES (x'A1', 'other')",
        &["tag replaced 1 was X'A1'"],
        &["tag 1,X'A1','one',NULL,1"],
    ),
    (
        "INSERT INTO tag (uuid, name) VALUES (x'A2', 'x') ON CONFLICT (uuid) DO UPDATE SET name = excluded.name",
        &["tag replaced 2 was X'A2'", "tag update 2 was X'A2' bits 1"],
        &["tag 2,X'A2','two',NULL,NULL"],
    ),
    ("INSERT INTO device (uuid) VALUES (x'D2')", &["device insert 2"], &[]),
];

const UPDATES: &[Case] = &[
    ("UPDATE tag SET name = 'uno' WHERE id = 1", &["tag update 1 was X'A1' bits 1"], &[]),
    // A collation hides nothing, and neither does equality of different storage classes.
    ("UPDATE tag SET name = 'ONE' WHERE id = 1", &["tag update 1 was X'A1' bits 1"], &[]),
    ("UPDATE tag SET free = 1.0 WHERE id = 1", &["tag update 1 was X'A1' bits 4"], &[]),
    (
        "UPDATE tag SET free = NULL, parent_id = 2",
        &["tag update 1 was X'A1' bits 6", "tag update 2 was X'A2' bits 2", "tag update 3 was X'A3' bits 2"],
        &[],
    ),
    ("UPDATE tag SET name = name, thumbnail = x'00'", &[], &[]),
    ("UPDATE tag SET uuid = x'AF' WHERE id = 1", &["tag update 1 was X'A1' bits 0"], &[]),
    (
        "UPDATE item SET uses = uses + 1",
        &["item update X'B1' was X'B1' bits 2", "item update X'B2' was X'B2' bits 2"],
        &["item X'B1',X'B1','book',0", "item X'B2',X'B2','',0"],
    ),
    // The old row is that of the first touch.
    (
        "UPDATE item SET uses = 5 WHERE uuid = x'B1'; UPDATE item SET uses = 6 WHERE uuid = x'B1'; DELETE FROM item",
        &[
            "item update X'B1' was X'B1' bits 2",
            "item update X'B1' was X'B1' bits 2",
            "link delete 1,X'B1' was X'C1'",
            "link delete 2,X'B1' was X'C2'",
            "item delete X'B1' was X'B1'",
            "item delete X'B2' was X'B2'",
        ],
        &[
            "item X'B1',X'B1','book',0",
            "item X'B2',X'B2','',0",
            "link 1,X'B1',X'C1',1,X'B1',NULL",
            "link 2,X'B1',X'C2',2,X'B1',NULL",
        ],
    ),
    (
        "UPDATE tag SET id = 9 WHERE id = 2",
        &[
            "link moved 2,X'B1' was X'C2'",
            "link update 9,X'B1' was X'C2' bits 7",
            "tag moved 2 was X'A2'",
            "tag update 9 was X'A2' bits 7",
        ],
        &["tag 2,X'A2','two',NULL,NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    (
        "UPDATE tag SET rowid = 9, name = 'nine' WHERE id = 3",
        &["tag moved 3 was X'A3'", "tag update 9 was X'A3' bits 7"],
        &["tag 3,X'A3','three',1,NULL"],
    ),
    (
        "UPDATE device SET name = 'd', id = 5",
        &["device moved 1 was X'D1'", "device update 5 was X'D1' bits 1"],
        &[],
    ),
];

const DELETES: &[Case] = &[
    (
        "DELETE FROM tag WHERE id = 2",
        &["link delete 2,X'B1' was X'C2'", "tag delete 2 was X'A2'"],
        &["tag 2,X'A2','two',NULL,NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    (
        "DELETE FROM tag WHERE id = 1",
        &["link delete 1,X'B1' was X'C1'", "tag update 3 was X'A3' bits 2", "tag delete 1 was X'A1'"],
        &["tag 1,X'A1','one',NULL,1", "link 1,X'B1',X'C1',1,X'B1',NULL"],
    ),
    (
        "DELETE FROM link",
        &["link delete 1,X'B1' was X'C1'", "link delete 2,X'B1' was X'C2'"],
        &["link 1,X'B1',X'C1',1,X'B1',NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    ("DELETE FROM device", &["device delete 1 was X'D1'"], &[]),
];

const REPLACEMENTS: &[Case] = &[
    (
        "INSERT OR REPLACE INTO link VALUES (1, x'B1', x'C9', 'n')",
        &["link replaced 1,X'B1' was X'C1'", "link insert 1,X'B1'"],
        &["link 1,X'B1',X'C1',1,X'B1',NULL"],
    ),
    // By id, by a name that differs in case only, by an indexed expression.
    (
        "REPLACE INTO tag (uuid, name) VALUES (x'A2', 'new')",
        &["tag replaced 2 was X'A2'", "link delete 2,X'B1' was X'C2'", "tag insert 4"],
        &["tag 2,X'A2','two',NULL,NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    (
        "REPLACE INTO tag (id, uuid, name) VALUES (7, x'A7', 'THREE')",
        &["tag replaced 3 was X'A3'", "tag insert 7"],
        &["tag 3,X'A3','three',1,NULL"],
    ),
    (
        "REPLACE INTO item (uuid, title) VALUES (x'B4', 'BOOK')",
        &[
            "item replaced X'B1' was X'B1'",
            "link delete 1,X'B1' was X'C1'",
            "link delete 2,X'B1' was X'C2'",
            "item insert X'B4'",
        ],
        &["item X'B1',X'B1','book',0", "link 1,X'B1',X'C1',1,X'B1',NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    ("REPLACE INTO item (uuid, title) VALUES (x'B4', '')", &["item insert X'B4'"], &[]),
    // Several at once: by key, by id and by name.
    (
        "REPLACE INTO tag (id, uuid, name) VALUES (3, x'A2', 'one')",
        &[
            "tag replaced 3 was X'A3'",
            "tag replaced 1 was X'A1'",
            "tag replaced 2 was X'A2'",
            "link delete 1,X'B1' was X'C1'",
            "link delete 2,X'B1' was X'C2'",
            "tag insert 3",
        ],
        &[
            "tag 1,X'A1','one',NULL,1",
            "tag 2,X'A2','two',NULL,NULL",
            "tag 3,X'A3','three',1,NULL",
            "link 1,X'B1',X'C1',1,X'B1',NULL",
            "link 2,X'B1',X'C2',2,X'B1',NULL",
        ],
    ),
    (
        "UPDATE OR REPLACE tag SET name = 'Two' WHERE id = 3",
        &["tag replaced 2 was X'A2'", "link delete 2,X'B1' was X'C2'", "tag update 3 was X'A3' bits 1"],
        &["tag 2,X'A2','two',NULL,NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    (
        "UPDATE OR REPLACE tag SET id = 2 WHERE id = 3",
        &[
            "tag replaced 2 was X'A2'",
            "link delete 2,X'B1' was X'C2'",
            "tag moved 3 was X'A3'",
            "tag update 2 was X'A3' bits 7",
        ],
        &["tag 2,X'A2','two',NULL,NULL", "tag 3,X'A3','three',1,NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    // The statement's conflict clause rules in triggers too; the first old row stays all the same.
    (
        "UPDATE OR REPLACE item SET uses = 7 WHERE uuid = x'B1'; UPDATE OR FAIL item SET uses = 8 WHERE uuid = x'B1'",
        &["item update X'B1' was X'B1' bits 2", "item update X'B1' was X'B1' bits 2"],
        &["item X'B1',X'B1','book',0"],
    ),
    (
        "REPLACE INTO item (uuid, title) VALUES (x'B2', 'x'), (x'B2', 'y')",
        &[
            "item replaced X'B2' was X'B2'",
            "item insert X'B2'",
            "item replaced X'B2' was X'B2'",
            "item insert X'B2'",
        ],
        &["item X'B2',X'B2','',0"],
    ),
    ("REPLACE INTO device (uuid) VALUES (x'D1')", &["device replaced 1 was X'D1'", "device insert 2"], &[]),
];

const RECURSIVE: &[Case] = &[
    (
        "REPLACE INTO tag (uuid, name) VALUES (x'A2', 'new')",
        &[
            "tag replaced 2 was X'A2'",
            "link delete 2,X'B1' was X'C2'",
            "tag delete 2 was X'A2'",
            "tag insert 4",
        ],
        &["tag 2,X'A2','two',NULL,NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
    (
        "UPDATE OR REPLACE tag SET name = 'two' WHERE id = 3",
        &[
            "tag replaced 2 was X'A2'",
            "link delete 2,X'B1' was X'C2'",
            "tag delete 2 was X'A2'",
            "tag update 3 was X'A3' bits 1",
        ],
        &["tag 2,X'A2','two',NULL,NULL", "link 2,X'B1',X'C2',2,X'B1',NULL"],
    ),
];

/// Compares notes and kept rows of every case before it fails.
async fn check(cases: &[Case], recursive: bool) {
    let mut wrong = Vec::new();
    for (statement, expected, expected_kept) in cases {
        let captured = Captured::new().await;
        captured.run(ROWS).await;
        captured.take().await;
        captured.run(&format!("PRAGMA recursive_triggers = {recursive}")).await;
        captured.run(statement).await;
        let (found, kept) = captured.take().await;
        if found != *expected || kept != *expected_kept {
            wrong.push(format!("{statement}\n  notes {found:#?}\n  kept {kept:#?}"));
        }
    }
    assert!(wrong.is_empty(), "other than expected:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn inserts_are_noted() {
    check(INSERTS, false).await;
    check(INSERTS, true).await;
}

#[tokio::test]
async fn updates_are_noted_by_changed_field() {
    check(UPDATES, false).await;
    check(UPDATES, true).await;
}

#[tokio::test]
async fn deletes_cascades_and_set_null_are_noted() {
    check(DELETES, false).await;
    check(DELETES, true).await;
}

#[tokio::test]
async fn replaced_rows_are_noted_without_recursive_triggers() {
    check(REPLACEMENTS, false).await;
}

#[tokio::test]
async fn replaced_rows_are_noted_with_recursive_triggers_too() {
    check(RECURSIVE, true).await;
}
