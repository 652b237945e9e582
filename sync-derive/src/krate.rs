//! Finds the crate through which the output reaches the registration's types.

use std::env;

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Path;

/// Where to look when nothing is said: the facade re-exports the runtime, so it comes first.
const CANDIDATES: [&str; 2] = ["sync-kit", "sync-runtime"];

/// Path of the contract's first version: `<crate>::__private::v1`.
pub(crate) fn contract(explicit: Option<&Path>) -> Result<TokenStream, syn::Error> {
    let root = match explicit {
        Some(path) => quote!(#path),
        None => find()?,
    };
    Ok(quote!(#root::__private::v1))
}

fn find() -> Result<TokenStream, syn::Error> {
    for package in CANDIDATES {
        match crate_name(package) {
            Ok(FoundCrate::Itself) => return Ok(inside(package)),
            Ok(FoundCrate::Name(name)) => {
                let name = Ident::new(&name, Span::call_site());
                return Ok(quote!(::#name));
            }
            // Not among the dependencies, or no manifest at all (another build tool): try the next, then say so.
            Err(_) => {}
        }
    }
    Err(syn::Error::new(
        Span::call_site(),
        "found neither `sync-kit` nor `sync-runtime` among the dependencies; add one, or say where it is \
         re-exported: `#[sync(crate = \"path::to::it\")]`",
    ))
}

/// The package's own targets: the library (and its unit tests) is `crate`, everything else names it.
fn inside(package: &str) -> TokenStream {
    let name = package.replace('-', "_");
    let in_library = env::var("CARGO_CRATE_NAME").is_ok_and(|compiled| compiled == name)
        && env::var_os("UNSTABLE_RUSTDOC_TEST_PATH").is_none();
    if in_library {
        return quote!(crate);
    }
    let name = Ident::new(&name, Span::call_site());
    quote!(::#name)
}
