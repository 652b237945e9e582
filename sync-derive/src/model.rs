//! The struct as the derive understands it: its columns with SeaORM's and our attributes, and after the checks the
//! plain description that is emitted.

use syn::{Data, DeriveInput, Fields, FieldsNamed, Ident, Path, Type};

use crate::{
    errors::Errors,
    parse::{self, ContainerAttributes, FieldAttributes},
    sea_orm::{ColumnAttributes, TableAttributes},
    types,
};

/// Name of the struct that SeaORM's entity formats ask for.
const MODEL: &str = "Model";
/// Name of the second struct that `#[sea_orm::model]` makes: the model with its relations.
const MODEL_WITH_RELATIONS: &str = "ModelEx";
/// Types of a dense model's fields that are relations, not columns.
const RELATION_TYPES: [&str; 3] = ["BelongsTo", "HasOne", "HasMany"];

/// What the derive stands on.
pub(crate) enum Input {
    /// A model to register.
    Model(Box<Model>),
    /// `ModelEx`, the double of a model of the dense format: the model itself is registered.
    Double,
    /// Something else; why is reported.
    Unusable,
}

/// A SeaORM model with our attributes.
pub(crate) struct Model {
    /// The struct's name.
    pub(crate) ident: Ident,
    /// `#[sync(…)]` on the struct.
    pub(crate) container: ContainerAttributes,
    /// The columns in declared order.
    pub(crate) fields: Vec<Field>,
}

/// One column.
pub(crate) struct Field {
    /// The field's name.
    pub(crate) ident: Ident,
    /// The field's written type.
    pub(crate) ty: Type,
    /// Name of the column in the database.
    pub(crate) column: String,
    /// Part of SeaORM's primary key.
    pub(crate) primary_key: bool,
    /// `#[sync(…)]` on the field.
    pub(crate) sync: FieldAttributes,
}

/// A model without mistakes, as it is emitted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Wire name.
    pub(crate) name: Option<String>,
    /// Who may write.
    pub(crate) regime: Regime,
    /// Column of the record id.
    pub(crate) id: String,
    /// Where ids come from.
    pub(crate) identity: Identity,
    /// A delete loses against later writes.
    pub(crate) delete_loses: bool,
    /// Columns that depart from the default.
    pub(crate) rules: Vec<Rule>,
}

/// Who may write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Regime {
    Shared,
    DeviceOwned(Vec<String>),
    Hybrid(Vec<String>),
}

/// Where ids come from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Column,
    Parents(Vec<String>),
    NaturalKey(Vec<String>),
}

/// How a field merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    LastWriter,
    Counter,
    Max,
    Min,
    Set,
}

/// One column that departs from the default.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) column: String,
    pub(crate) skip: bool,
    pub(crate) merge: Merge,
    pub(crate) group: Option<String>,
}

impl Model {
    /// Path of `#[sync(crate = "…")]`.
    pub(crate) fn explicit_crate(&self) -> Option<&Path> {
        self.container.krate.as_ref()
    }

    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.column == name)
    }
}

/// Reads the struct.
pub(crate) fn read(input: &DeriveInput, errors: &mut Errors) -> Input {
    let Some(named) = named_fields(input, errors) else {
        return Input::Unusable;
    };
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a syncable model has no generic parameters: it is one table");
        return Input::Unusable;
    }
    let table = TableAttributes::read(&input.attrs);
    let double = input.ident == MODEL_WITH_RELATIONS;
    if !table.has_table || !(double || input.ident == MODEL) {
        errors.at(
            &input.ident,
            "`Syncable` describes a SeaORM model: a struct named `Model` with \
             `#[sea_orm(table_name = \"…\")]`",
        );
        return Input::Unusable;
    }
    if double {
        refuse_attributes_on_relations(named, errors);
        return Input::Double;
    }
    let container = ContainerAttributes::read(&input.attrs, errors);
    let fields = read_fields(named, &table, errors);
    Input::Model(Box::new(Model { ident: input.ident.clone(), container, fields }))
}

fn named_fields<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<&'a FieldsNamed> {
    let found = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => return Some(named),
            Fields::Unnamed(_) => "a tuple struct",
            Fields::Unit => "a unit struct",
        },
        Data::Enum(_) => "an enum",
        Data::Union(_) => "a union",
    };
    errors.at(&input.ident, format!("`Syncable` needs a struct with named fields, this is {found}"));
    None
}

fn read_fields(named: &FieldsNamed, table: &TableAttributes, errors: &mut Errors) -> Vec<Field> {
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let column = ColumnAttributes::read(&field.attrs);
        if column.ignored {
            if let Some(attribute) = parse::ours(&field.attrs) {
                errors.at(
                    attribute,
                    format!(
                        "`{}` is no column: it is `#[sea_orm(ignore)]`d and stays out of sync by itself",
                        parse::plain(ident)
                    ),
                );
            }
            continue;
        }
        fields.push(Field {
            ident: ident.clone(),
            ty: field.ty.clone(),
            column: table.column_of(ident, &column),
            primary_key: column.primary_key,
            sync: FieldAttributes::read(&field.attrs, errors),
        });
    }
    fields
}

/// SeaORM drops the relations from `Model`, so `#[sync(…)]` on one would be lost in silence.
fn refuse_attributes_on_relations(named: &FieldsNamed, errors: &mut Errors) {
    for field in &named.named {
        let Some(word) = types::last_word(&field.ty) else {
            continue;
        };
        if !RELATION_TYPES.contains(&word.as_str()) {
            continue;
        }
        if let Some(attribute) = parse::ours(&field.attrs) {
            errors.at(
                attribute,
                format!("`{word}` is a relation, not a column: annotate the column that refers"),
            );
        }
    }
}
