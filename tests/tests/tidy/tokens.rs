//! Patterns over Rust's tokens, so that text in strings and comments is not mistaken for code, and code inside
//! macros is seen.

use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A place where a pattern was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) line: usize,
    pub(crate) what: &'static str,
}

/// A step of a pattern.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// This word.
    Word(&'static str),
    /// This character.
    Sign(char),
    /// `()` with nothing inside.
    Unit,
    /// Any group of parentheses, brackets or braces.
    Group,
}

/// The tokens of a source file.
pub(crate) fn of(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap_or_else(|error| panic!("not Rust: {error}"))
}

/// Every place where the steps follow each other, at any depth.
pub(crate) fn find(tokens: TokenStream, what: &'static str, steps: &[Step]) -> Vec<Found> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let here =
        tokens.windows(steps.len()).filter(|window| window.iter().zip(steps).all(|(t, s)| fits(t, *s)));
    let mut found: Vec<Found> = here
        .filter_map(|window| window.first())
        .map(|first| Found { line: first.span().start().line, what })
        .collect();
    for token in tokens {
        if let TokenTree::Group(group) = token {
            found.extend(find(group.stream(), what, steps));
        }
    }
    found
}

fn fits(token: &TokenTree, step: Step) -> bool {
    match (token, step) {
        (TokenTree::Ident(word), Step::Word(wanted)) => word == wanted,
        (TokenTree::Punct(sign), Step::Sign(wanted)) => sign.as_char() == wanted,
        (TokenTree::Group(group), Step::Unit) => {
            group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
        }
        (TokenTree::Group(_), Step::Group) => true,
        _ => false,
    }
}

/// Every statement at any depth that ends with the steps and neither binds, assigns nor returns what it computes.
pub(crate) fn find_dropped(tokens: TokenStream, what: &'static str, steps: &[Step]) -> Vec<Found> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let parts: Vec<&[TokenTree]> =
        tokens.split(|token| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';')).collect();
    // What stands after the last semicolon is the value of the block.
    for part in parts.iter().rev().skip(1) {
        let kept = part.iter().any(|token| fits(token, Step::Sign('=')) || fits(token, Step::Word("return")));
        let Some(end) = part.len().checked_sub(steps.len()).and_then(|at| part.get(at..)) else { continue };
        if !kept && end.iter().zip(steps).all(|(token, step)| fits(token, *step)) {
            found.extend(end.first().map(|first| Found { line: first.span().start().line, what }));
        }
    }
    for token in &tokens {
        if let TokenTree::Group(group) = token {
            found.extend(find_dropped(group.stream(), what, steps));
        }
    }
    found
}

/// The content of every attribute, outer and inner, at any depth, with its line.
pub(crate) fn attributes(tokens: TokenStream) -> Vec<(usize, TokenStream)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut hash = false;
    for token in tokens {
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => hash = true,
            TokenTree::Punct(sign) if sign.as_char() == '!' && hash => {}
            TokenTree::Group(group) => {
                if hash && group.delimiter() == Delimiter::Bracket {
                    found.push((group.span_open().start().line, group.stream()));
                } else {
                    found.extend(attributes(group.stream()));
                }
                hash = false;
            }
            _ => hash = false,
        }
    }
    found
}
