//! Finds the crate through which the output reaches the registration's types.

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
            // The package's own tests, examples and doctests name it like everyone else. So do the unit tests of its
            // library, for which it says `extern crate self as …`: nothing tells a merged doctest from the library.
            Ok(FoundCrate::Itself) => return Ok(named(&package.replace('-', "_"))),
            Ok(FoundCrate::Name(name)) => return Ok(named(&name)),
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

fn named(name: &str) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    quote!(::#name)
}
