//! The tiny schemas: parents, and children with a reference, a unique value and a check.

use sync_core::{
    changeset::Name,
    ids::{DeviceId, Incarnation, Origin, RecordId},
    merge::DeletePolicy,
    value::{MergeKind, Value},
};

use crate::reference::{Check, Delete, Field, Model, OnDelete, Place, Row, Schema, Unique};

/// Number of devices.
pub(super) const DEVICES: usize = 3;
/// Number of records: two parents, one child that all know, one child for each device to insert.
pub(super) const RECORDS: usize = 3 + DEVICES;
/// The first parent.
pub(super) const P: usize = 0;
/// The second parent.
pub(super) const Q: usize = 1;
/// The child that all know.
pub(super) const X: usize = 2;
/// What the unique field gets.
pub(super) const UNIQUE: i64 = 7;

/// One tiny schema.
#[derive(Clone, Debug)]
pub struct Family {
    /// For reports.
    pub name: String,
    /// As the reference wants it.
    pub schema: Schema,
    pub(super) policy: DeletePolicy,
    pub(super) kind: MergeKind,
    pub(super) nullable: bool,
    pub(super) cascade: bool,
    pub(super) names: Names,
    pub(super) places: [Place; RECORDS],
}

/// Wire names, made once.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) f1: Name,
    pub(super) f2: Name,
    pub(super) unique: Name,
    pub(super) parent: Name,
}

/// What the child's reference does when the parent goes.
const VARIANTS: [(&str, OnDelete, bool); 4] = [
    ("set null", OnDelete::Other, true),
    ("cascade", OnDelete::Cascade, false),
    ("not null", OnDelete::Other, false),
    ("nullable cascade", OnDelete::Cascade, true),
];

/// Merge kinds of the second field, so that each meets both delete policies or two of the references.
const KINDS: [MergeKind; 8] = [
    MergeKind::LastWriter,
    MergeKind::Counter,
    MergeKind::Set,
    MergeKind::Max,
    MergeKind::Counter,
    MergeKind::Set,
    MergeKind::Min,
    MergeKind::LastWriter,
];

impl Family {
    /// All of them: each way to refer, with both delete policies, the second field of every merge kind.
    pub fn all() -> Vec<Self> {
        let policies = [(Delete::Wins, DeletePolicy::Wins), (Delete::Loses, DeletePolicy::Loses)];
        let forms = policies.into_iter().flat_map(|policy| VARIANTS.map(|variant| (policy, variant)));
        forms.zip(KINDS).map(|((policy, variant), kind)| Self::new(policy, variant, kind)).collect()
    }

    fn new(
        (delete, policy): (Delete, DeletePolicy),
        (reference, on_delete, nullable): (&str, OnDelete, bool),
        kind: MergeKind,
    ) -> Self {
        let value = |name, kind| Field::value(name, kind, true);
        let mut parent = Model::new("parent", vec![value("f1", MergeKind::LastWriter)]);
        let mut child = Model::new(
            "child",
            vec![
                value("f1", MergeKind::LastWriter),
                value("f2", kind),
                value("unique", MergeKind::LastWriter),
                Field::reference("parent", "parent", on_delete, nullable),
            ],
        );
        parent.delete = delete;
        child.delete = delete;
        child.uniques = vec![Unique::over("child_unique", &["unique"])];
        let (f1, unique) = (Name::from("f1"), Name::from("unique"));
        child.checks = vec![Check::new("even_when_unique", move |row: &Row| {
            let even = matches!(row.get(&f1), Some(Value::Integer(value)) if value % 2 == 0);
            even || !matches!(row.get(&unique), Some(Value::Integer(_)))
        })];
        let name = |text| Name::from(text);
        let (parents, children) = (name("parent"), name("child"));
        let places = std::array::from_fn(|slot| {
            let model = if slot < X { &parents } else { &children };
            (model.clone(), RecordId::from_bytes([slot.to_le_bytes()[0]; 16]))
        });
        Self {
            name: format!("{reference}, delete {policy:?}, second field {kind:?}"),
            schema: Schema { models: vec![parent, child] },
            policy,
            kind,
            nullable,
            cascade: on_delete == OnDelete::Cascade,
            names: Names { f1: name("f1"), f2: name("f2"), unique: name("unique"), parent: name("parent") },
            places,
        }
    }

    /// The record in this slot, as a reference.
    pub(super) fn reference(&self, slot: usize) -> Value {
        self.places.get(slot).map_or(Value::Null, |place| Value::Reference(place.1))
    }

    /// The slot of a record.
    pub(super) fn slot(&self, id: RecordId) -> Option<usize> {
        self.places.iter().position(|place| place.1 == id)
    }
}

/// The child that a device inserts.
pub(super) const fn fresh(device: usize) -> usize {
    X + 1 + device
}

/// A device's origin; ids ascend with the devices, or descend.
pub(super) fn origin(device: usize, descending: bool) -> Origin {
    let number = if descending { DEVICES - device } else { device + 1 };
    Origin { device: DeviceId::from_bytes([number.to_le_bytes()[0]; 16]), incarnation: Incarnation(1) }
}
