//! `#[derive(Syncable)]`: makes a SeaORM model sync.
//!
//! The derive adds what SeaORM does not know (who may write a row, which column is the record id, how concurrent
//! writes merge) and registers the model. Columns, types, keys and relations come from SeaORM's own metadata.
//! It works in both entity formats, beside `DeriveEntityModel` and under `#[sea_orm::model]`.
//!
//! ```
//! mod tag {
//!     use sea_orm::entity::prelude::*;
//!     use sync_derive::Syncable;
//!
//!     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
//!     #[sea_orm(table_name = "tag")]
//!     #[sync(shared)]
//!     pub struct Model {
//!         #[sea_orm(primary_key)]
//!         pub id: i32, // local, never leaves the device
//!         #[sync(id)]
//!         pub uuid: Uuid, // the record id
//!         pub name: String, // last writer wins
//!         #[sync(merge = "counter")]
//!         pub uses: i64,
//!         #[sync(skip)]
//!         pub thumbnail: Option<Vec<u8>>, // stays here
//!     }
//!
//!     #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
//!     pub enum Relation {}
//!
//!     impl ActiveModelBehavior for ActiveModel {}
//! }
//!
//! use sync_runtime::__private::v1::{Registration, Regime, inventory};
//!
//! let registered: Vec<&Registration> = inventory::iter::<Registration>().collect();
//! assert_eq!(registered.len(), 1);
//! assert_eq!((registered[0].id, registered[0].regime), ("uuid", Regime::Shared));
//! assert_eq!(registered[0].fields.len(), 2); // `uses` and `thumbnail`
//! ```
//!
//! # On the struct
//! | attribute | meaning |
//! |---|---|
//! | `shared` | anyone writes, concurrent writes merge |
//! | `device_owned(owner = "device_id")` | only the owning device writes; the column, or a path of columns through relations such as `"location_id.device_id"`, leads to the device |
//! | `otherwise = "shared"` | beside `device_owned`: rows whose owner path meets a NULL are shared |
//! | `name = "…"` | the model's name on the wire; default: the table's name |
//! | `identity("a_id", "b_id")` | the record id is derived from the records that these columns refer to (junctions) |
//! | `natural_key("namespace", "slug")` | the record id is derived from the values, so equal rows made on two devices are one |
//! | `delete = "wins"` or `"loses"` | what a delete does to concurrent writes; default `"wins"` |
//! | `crate = "path"` | where `sync-kit` or `sync-runtime` is reached when it is re-exported by another crate |
//!
//! # On a field
//! | attribute | meaning |
//! |---|---|
//! | `id` | the record id: a `Uuid`, or an `Option<Uuid>` that is drawn where it is NULL |
//! | `skip` | stays on this device |
//! | `merge = "…"` | `"lww"` (default), `"counter"` (integers), `"max"`, `"min"` (integers, text, dates and times), `"set"` (a JSON array) |
//! | `group = "…"` | fields of one group win or lose together |
//!
//! Columns are named as the database names them. Every mistake that a macro can know is a compile error at its
//! place, all of them at once; the rest is found when the catalog is frozen.

mod attributes;
mod check;
mod errors;
mod expand;
mod krate;
mod model;
mod parse;
mod sea_orm;
mod types;

use errors::Errors;
use model::Input;
use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Registers a SeaORM model for sync; see the crate's documentation for the attributes.
#[proc_macro_derive(Syncable, attributes(sync))]
pub fn derive_syncable(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(&parse_macro_input!(input as DeriveInput)).into()
}

// Emits the registration; nothing for `ModelEx`; on mistakes one `compile_error!` each and nothing else. No code
// names what a registration defines, so its absence needs no stand-in.
fn derive(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let tokens = match model::read(input, &mut errors) {
        Input::Model(model) => {
            let checked = check::check(&model, &mut errors);
            match krate::contract(model.explicit_crate()) {
                Ok(v1) => checked.map(|checked| expand::registration(&model.ident, &checked, &v1)),
                Err(error) => {
                    errors.add(error);
                    None
                }
            }
        }
        Input::Double | Input::Unusable => None,
    };
    if errors.is_empty() { tokens.unwrap_or_default() } else { errors.into_tokens() }
}
