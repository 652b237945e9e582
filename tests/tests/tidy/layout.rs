//! Where things stand: what opens a file, how long it may be, what `mod.rs` holds, in which order the runtime
//! declares its modules.

use crate::tree::{self, File};

/// Longest file, in lines.
const FILE_LINES: usize = 600;
/// Longest `mod.rs`, in lines.
const MOD_LINES: usize = 60;

fn opening(file: &File) -> Option<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("//!").is_some_and(|words| !words.trim().is_empty());
    (!said).then(|| format!("{}: does not open with `//!` and what it is for", file.path))
}

fn length(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    let limit = if file.name() == "mod.rs" { MOD_LINES } else { FILE_LINES };
    (lines > limit).then(|| format!("{}: {lines} lines, at most {limit}", file.path))
}

/// `mod.rs` declares and re-exports; anything else has a file of its own.
fn logic(file: &File) -> Vec<String> {
    if file.name() != "mod.rs" {
        return Vec::new();
    }
    let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let has_logic = |item: &syn::Item| match item {
        syn::Item::Mod(module) => module.content.is_some(),
        syn::Item::Use(_) => false,
        _ => true,
    };
    let found = parsed.items.iter().filter(|item| has_logic(item)).count();
    if found == 0 {
        Vec::new()
    } else {
        vec![format!("{}: {found} items that are not `mod` or `use`", file.path)]
    }
}

/// The modules of the runtime in the order in which data flows: what is declared, the database, out of the device,
/// into another, what holds it together.
const FLOW: &[&str] = &[
    "registration",
    "catalog",
    "connection",
    "store",
    "capture",
    "serve",
    "exchange",
    "ingest",
    "apply",
    "derived",
    "audit",
    "event",
    "engine",
    "space",
    "error",
    "host",
];

/// The modules that a file declares, in its order.
fn modules(file: &File) -> Vec<String> {
    let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let declared = parsed.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
        _ => None,
    });
    declared.collect()
}

#[test]
fn the_runtimes_modules_stand_in_the_order_in_which_data_flows() {
    assert_eq!(modules(&tree::read("sync-runtime/src/lib.rs")), FLOW);
}

#[test]
fn every_source_opens_with_what_it_is_for() {
    let found: Vec<String> = tree::sources().iter().filter_map(opening).collect();
    tree::none("every file says what it is for", &found);
}

#[test]
fn no_source_is_longer_than_its_limit() {
    let found: Vec<String> = tree::sources().iter().filter_map(length).collect();
    tree::none("long files are split", &found);
}

#[test]
fn no_mod_rs_has_logic() {
    let found: Vec<String> = tree::sources().iter().flat_map(logic).collect();
    tree::none("mod.rs declares and re-exports", &found);
}

#[cfg(test)]
mod planted {
    use super::*;

    #[test]
    fn a_file_without_words_is_found() {
        for bad in ["", "fn f() {}", "//!\n", "// comment"] {
            assert!(opening(&File::planted("a.rs", bad)).is_some(), "{bad:?}");
        }
        assert_eq!(opening(&File::planted("a.rs", "//! For trying.\n")), None);
    }

    #[test]
    fn modules_are_read_in_their_order() {
        let file = File::planted("lib.rs", "mod b;\n\npub mod a;\nuse a::c;\nmod inline { mod d {} }");
        assert_eq!(modules(&file), ["b", "a"]);
    }

    #[test]
    fn a_long_file_is_found() {
        assert!(length(&File::planted("a.rs", "\n".repeat(FILE_LINES + 1))).is_some());
        assert_eq!(length(&File::planted("a.rs", "\n".repeat(FILE_LINES))), None);
        assert!(length(&File::planted("a/mod.rs", "\n".repeat(MOD_LINES + 1))).is_some());
    }

    #[test]
    fn logic_in_mod_rs_is_found() {
        for bad in ["fn f() {}", "mod m { fn f() {} }", "const A: u8 = 1;", "pub struct S;", "m!();"] {
            assert_eq!(logic(&File::planted("a/mod.rs", bad)).len(), 1, "{bad}");
        }
        assert!(logic(&File::planted("a/mod.rs", "//! Words.\nmod m;\npub use m::*;")).is_empty());
        assert!(logic(&File::planted("a/b.rs", "fn f() {}")).is_empty());
    }
}
