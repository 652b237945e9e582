//! Reads SQL text as SQLite keeps it in `sqlite_master`: a tokenizer, and the few places of CREATE TABLE and
//! CREATE INDEX that no pragma tells (CHECK, ON CONFLICT, generated columns, indexed expressions, WHERE). It
//! knows nothing of models and never runs anything.

use super::model::quote;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenKind {
    /// A bare keyword or identifier.
    Word,
    /// An identifier in `""`, backticks or `[]`.
    Quoted,
    /// A string, blob or number.
    Literal,
    /// One character of anything else.
    Symbol,
}

/// A piece of SQL; comments and white space are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    kind: TokenKind,
    text: &'a str,
    /// White space or a comment stood before it.
    gap: bool,
}

impl Token<'_> {
    fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// The identifier that the token is, without its quotes.
    fn identifier(&self) -> Option<String> {
        let inner = self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default();
        match (self.kind, self.text.chars().next()) {
            (TokenKind::Word, _) => Some(self.text.to_owned()),
            (TokenKind::Quoted, Some('"')) => Some(inner.replace("\"\"", "\"")),
            (TokenKind::Quoted, Some('`')) => Some(inner.replace("``", "`")),
            (TokenKind::Quoted, _) => Some(inner.to_owned()),
            _ => None,
        }
    }
}

/// Cuts SQL into tokens. What is not closed reaches to the end.
pub(super) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = sql;
    let mut gap = false;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped_length(rest, first);
        if skipped > 0 {
            rest = rest.get(skipped..).unwrap_or_default();
            gap = true;
            continue;
        }
        let (kind, length) = token_length(rest, first);
        let (text, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push(Token { kind, text, gap });
        rest = tail;
        gap = false;
    }
    out
}

/// Length of the white space or comment at the start of `rest`; 0 when there is none.
fn skipped_length(rest: &str, first: char) -> usize {
    if first.is_whitespace() {
        first.len_utf8()
    } else if rest.starts_with("--") {
        rest.find('\n').map_or(rest.len(), |at| at + 1)
    } else if rest.starts_with("/*") {
        rest.find("*/").map_or(rest.len(), |at| at + 2)
    } else {
        0
    }
}

fn token_length(rest: &str, first: char) -> (TokenKind, usize) {
    match first {
        '\'' => (TokenKind::Literal, closed(rest, '\'')),
        '"' | '`' => (TokenKind::Quoted, closed(rest, first)),
        '[' => (TokenKind::Quoted, rest.find(']').map_or(rest.len(), |at| at + 1)),
        'x' | 'X' if rest.get(1..2) == Some("'") => {
            (TokenKind::Literal, 1 + closed(rest.get(1..).unwrap_or_default(), '\''))
        }
        c if c.is_ascii_digit() => (TokenKind::Literal, run(rest, |c| c.is_ascii_alphanumeric() || c == '.')),
        c if word_character(c) => (TokenKind::Word, run(rest, word_character)),
        c => (TokenKind::Symbol, c.len_utf8()),
    }
}

fn word_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// Length of a piece that begins and ends with `mark`; a doubled mark inside stands for one.
fn closed(rest: &str, mark: char) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == mark {
            if characters.peek().is_some_and(|(_, next)| *next == mark) {
                characters.next();
            } else {
                return at + c.len_utf8();
            }
        }
    }
    rest.len()
}

/// Tokens as SQL again, without comments.
fn text(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    for token in tokens {
        if token.gap && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token.text);
    }
    out
}

/// What is between the parenthesis at `open` and the one that closes it, and the place after that.
fn group<'t, 'a>(tokens: &'t [Token<'a>], open: usize) -> (&'t [Token<'a>], usize) {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth -= 1;
            if depth == 0 {
                return (tokens.get(open + 1..at).unwrap_or_default(), at + 1);
            }
        }
    }
    (tokens.get(open + 1..).unwrap_or_default(), tokens.len())
}

/// Cuts at the commas that are in no parenthesis.
fn split<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0_i32;
    tokens
        .split(|token| {
            depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
            depth == 0 && token.is_symbol(",")
        })
        .collect()
}

/// What only the text of CREATE TABLE tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableText {
    /// The expressions of all CHECK constraints.
    pub(super) checks: Vec<String>,
    /// What stands after ON CONFLICT, in capitals.
    pub(super) on_conflict: Vec<String>,
    /// Generated columns and their expressions.
    pub(super) generated: Vec<(String, String)>,
}

/// Reads a CREATE TABLE.
pub(super) fn read_create_table(sql: &str) -> TableText {
    let tokens = tokens(sql);
    let mut out = TableText::default();
    let Some(open) = tokens.iter().position(|t| t.is_symbol("(")) else { return out };
    for definition in split(group(&tokens, open).0) {
        let Some(first) = definition.first() else { continue };
        let constraint =
            ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|w| first.is_word(w));
        let column = if constraint { None } else { first.identifier() };
        read_definition(definition, column.as_deref(), &mut out);
    }
    out
}

fn read_definition(definition: &[Token<'_>], column: Option<&str>, out: &mut TableText) {
    let mut at = usize::from(column.is_some());
    while let Some(token) = definition.get(at) {
        let next = definition.get(at + 1);
        let opens = next.is_some_and(|t| t.is_symbol("("));
        if token.is_symbol("(") {
            at = group(definition, at).1;
        } else if token.is_word("CHECK") && opens {
            let (inner, after) = group(definition, at + 1);
            out.checks.push(text(inner));
            at = after;
        } else if token.is_word("AS") && opens {
            let (inner, after) = group(definition, at + 1);
            out.generated.extend(column.map(|column| (column.to_owned(), text(inner))));
            at = after;
        } else if token.is_word("ON") && next.is_some_and(|t| t.is_word("CONFLICT")) {
            out.on_conflict.extend(definition.get(at + 2).map(|t| t.text.to_ascii_uppercase()));
            at += 3;
        } else {
            at += 1;
        }
    }
}

/// The terms (without ASC and DESC) and the WHERE of a CREATE INDEX.
pub(super) fn read_create_index(sql: &str) -> (Vec<String>, Option<String>) {
    let tokens = tokens(sql);
    let Some(open) = tokens.iter().position(|t| t.is_symbol("(")) else { return (Vec::new(), None) };
    let (inner, after) = group(&tokens, open);
    let terms = split(inner)
        .into_iter()
        .map(|term| {
            let direction = term.last().is_some_and(|t| t.is_word("ASC") || t.is_word("DESC"));
            text(term.get(..term.len() - usize::from(direction)).unwrap_or_default())
        })
        .collect();
    let condition = tokens
        .get(after)
        .filter(|t| t.is_word("WHERE"))
        .map(|_| text(tokens.get(after + 1..).unwrap_or_default()));
    (terms, condition)
}

/// Whether the token at `at` names a column, and which of `columns` it is.
fn column_at<'c>(tokens: &[Token<'_>], at: usize, columns: &'c [String]) -> Option<&'c String> {
    let name = tokens.get(at)?.identifier()?;
    let before = at.checked_sub(1).and_then(|n| tokens.get(n));
    let after = tokens.get(at + 1);
    let elsewhere = after.is_some_and(|t| t.is_symbol("(") || t.is_symbol("."))
        || before.is_some_and(|t| t.is_word("COLLATE") || t.is_word("AS"));
    if elsewhere { None } else { columns.iter().find(|c| c.eq_ignore_ascii_case(&name)) }
}

/// Those of `columns` that an expression mentions, in their order.
pub(super) fn columns_in(expression: &str, columns: &[String]) -> Vec<String> {
    let tokens = tokens(expression);
    let mentioned: Vec<&String> =
        (0..tokens.len()).filter_map(|at| column_at(&tokens, at, columns)).collect();
    columns.iter().filter(|column| mentioned.contains(column)).cloned().collect()
}

/// The expression over the NEW row of a trigger.
pub(super) fn over_new(expression: &str, columns: &[String]) -> String {
    let tokens = tokens(expression);
    let mut out = String::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.gap && !out.is_empty() {
            out.push(' ');
        }
        match column_at(&tokens, at, columns) {
            Some(column) => out.push_str(&format!("NEW.{}", quote(column))),
            None => out.push_str(token.text),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_read_through_strings_comments_and_parentheses() {
        let sql = "CREATE TABLE \"odd (name\" ( -- a comment, with ( and '\n\
            id INTEGER PRIMARY KEY ON CONFLICT REPLACE /* ) , */,\n\
            \"check\" text DEFAULT 'CHECK (no)' CHECK (\"check\" <> ')' AND length(\"check\") > 0 -- why\n),\n\
            [b c] int CONSTRAINT c1 CHECK (([b c]) IN (1, 2)) NOT NULL,\n\
            `sum` AS (id + 1) STORED,\n\
            CONSTRAINT both CHECK (id > 0) CHECK (x'2829' <> 1),\n\
            UNIQUE (id, \"check\") ON CONFLICT abort)";
        let read = read_create_table(sql);
        assert_eq!(
            read,
            TableText {
                checks: vec![
                    "\"check\" <> ')' AND length(\"check\") > 0".into(),
                    "([b c]) IN (1, 2)".into(),
                    "id > 0".into(),
                    "x'2829' <> 1".into(),
                ],
                on_conflict: vec!["REPLACE".into(), "ABORT".into()],
                generated: vec![("sum".into(), "id + 1".into())],
            }
        );
    }

    #[test]
    fn index_terms_and_condition_are_read() {
        let (terms, condition) = read_create_index(
            "CREATE UNIQUE INDEX \"i,x\" ON t (lower(name, 'a,b') DESC, kind COLLATE NOCASE ASC) WHERE kind IS NULL",
        );
        assert_eq!(terms, ["lower(name, 'a,b')", "kind COLLATE NOCASE"]);
        assert_eq!(condition.as_deref(), Some("kind IS NULL"));
    }

    #[test]
    fn columns_are_told_from_functions_strings_collations_and_tables() {
        let columns = ["lower".to_owned(), "name".to_owned(), "nocase".to_owned(), "t".to_owned()];
        let expression = "lower(t.\"NAME\" COLLATE nocase) = 'lower' AND CAST(name AS t) IS NOT NULL";
        assert_eq!(columns_in(expression, &columns), ["name"]);
        assert_eq!(
            over_new("lower(name COLLATE nocase) = 'lower'", &columns),
            "lower(NEW.\"name\" COLLATE nocase) = 'lower'"
        );
    }

    #[test]
    fn what_is_not_closed_ends() {
        for sql in [
            "CREATE TABLE t (a CHECK (a > 'x",
            "CREATE TABLE t (a \"b",
            "CREATE TABLE t (a [b",
            "(",
            "/*",
            "--",
            "))",
            "é'",
        ] {
            read_create_table(sql);
            read_create_index(sql);
        }
    }
}
