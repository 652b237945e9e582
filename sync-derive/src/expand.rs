//! Writes the output. Everything stands in an anonymous constant and names what it needs by absolute path, so it
//! neither sees nor disturbs the names around the model.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::model::{Checked, Identity, Merge, Regime, Rule};

// Emits:
//
// const _: () = {
//     ::sync_kit::__private::v1::inventory::submit! {
//         ::sync_kit::__private::v1::Registration {
//             name: None,
//             source: Source { module: module_path!(), file: file!(), line: line!() },
//             regime: Regime::Shared,
//             id: "uuid",
//             identity: Identity::Column,
//             delete: DeletePolicy::Wins,
//             fields: &[FieldRule { … }],
//             entity: entity_meta::<<Model as ModelTrait>::Entity>,
//         }
//     }
// };
//
// (each name with its full path)
pub(crate) fn registration(model: &Ident, checked: &Checked, v1: &TokenStream) -> TokenStream {
    let name = option(checked.name.as_deref());
    let source = source(v1);
    let regime = regime(&checked.regime, v1);
    let id = &checked.id;
    let identity = identity(&checked.identity, v1);
    let delete =
        if checked.delete_loses { quote!(#v1::DeletePolicy::Loses) } else { quote!(#v1::DeletePolicy::Wins) };
    let rules = checked.rules.iter().map(|rule| field_rule(rule, v1));
    quote! {
        const _: () = {
            #v1::inventory::submit! {
                #v1::Registration {
                    name: #name,
                    source: #source,
                    regime: #regime,
                    id: #id,
                    identity: #identity,
                    delete: #delete,
                    fields: &[#(#rules),*],
                    entity: #v1::entity_meta::<<#model as #v1::sea_orm::ModelTrait>::Entity>,
                }
            }
        };
    }
}

// Emits: Source { module: module_path!(), file: file!(), line: line!() }
fn source(v1: &TokenStream) -> TokenStream {
    quote! {
        #v1::Source {
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
        }
    }
}

// Emits: Regime::Shared
//    or: Regime::DeviceOwned { owner: &["location_id", "device_id"] }
//    or: Regime::Hybrid { owner: &["device_id"] }
fn regime(regime: &Regime, v1: &TokenStream) -> TokenStream {
    match regime {
        Regime::Shared => quote!(#v1::Regime::Shared),
        Regime::DeviceOwned(path) => quote!(#v1::Regime::DeviceOwned { owner: &[#(#path),*] }),
        Regime::Hybrid(path) => quote!(#v1::Regime::Hybrid { owner: &[#(#path),*] }),
    }
}

// Emits: Identity::Column
//    or: Identity::Parents(&["tag_id", "entry_id"])
//    or: Identity::NaturalKey(&["namespace", "slug"])
fn identity(identity: &Identity, v1: &TokenStream) -> TokenStream {
    match identity {
        Identity::Column => quote!(#v1::Identity::Column),
        Identity::Parents(columns) => quote!(#v1::Identity::Parents(&[#(#columns),*])),
        Identity::NaturalKey(columns) => quote!(#v1::Identity::NaturalKey(&[#(#columns),*])),
    }
}

// Emits: FieldRule { column: "uses", skip: false, merge: MergeKind::Counter, group: None }
fn field_rule(rule: &Rule, v1: &TokenStream) -> TokenStream {
    let Rule { column, skip, .. } = rule;
    let merge = match rule.merge {
        Merge::LastWriter => quote!(LastWriter),
        Merge::Counter => quote!(Counter),
        Merge::Max => quote!(Max),
        Merge::Min => quote!(Min),
        Merge::Set => quote!(Set),
    };
    let group = option(rule.group.as_deref());
    quote! {
        #v1::FieldRule {
            column: #column,
            skip: #skip,
            merge: #v1::MergeKind::#merge,
            group: #group,
        }
    }
}

// Emits: ::core::option::Option::Some("…")
//    or: ::core::option::Option::None
fn option(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
