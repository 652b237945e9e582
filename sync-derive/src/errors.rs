//! Collects mistakes, so that all of them are reported at once, each at its span.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors {
    found: Option<syn::Error>,
}

impl Errors {
    /// Notes a mistake at `place`.
    pub(crate) fn at(&mut self, place: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(place, message));
    }

    /// Notes a mistake that someone else described.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            None => self.found = Some(error),
        }
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// One `compile_error!` per mistake; nothing without a mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.found.map(|error| error.to_compile_error()).unwrap_or_default()
    }
}
