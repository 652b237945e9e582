//! Reads just enough SQL to know what a text would do to the connection: whether it writes, and whether it would
//! take transactions or settings out of our hands. It knows no grammar beyond the first words of each statement.

use crate::{Error, ErrorKind, Result};

/// Where a text must run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Access {
    /// On a reader.
    Read,
    /// It begins with `WITH`: a reader tries, and the writer takes over when it turns out to write.
    Perhaps,
    /// On the writer.
    Write,
}

/// Settings that an application may change; every other one belongs to the space.
const FREE_PRAGMAS: &[&str] = &[
    "DEFER_FOREIGN_KEYS",
    "USER_VERSION",
    "APPLICATION_ID",
    "RECURSIVE_TRIGGERS",
    "OPTIMIZE",
    "ANALYSIS_LIMIT",
    "CASE_SENSITIVE_LIKE",
];

/// Pragmas whose argument says what to look at.
const QUESTION_PRAGMAS: &[&str] = &[
    "TABLE_INFO",
    "TABLE_XINFO",
    "TABLE_LIST",
    "INDEX_INFO",
    "INDEX_XINFO",
    "INDEX_LIST",
    "FOREIGN_KEY_LIST",
    "FOREIGN_KEY_CHECK",
    "INTEGRITY_CHECK",
    "QUICK_CHECK",
];

/// Where `sql` must run, or why it must not.
pub(super) fn classify(sql: &str) -> Result<Access> {
    let mut tokens = Tokens { rest: sql.as_bytes() };
    let mut access = Access::Read;
    loop {
        let Some(statement) = read_statement(&mut tokens)? else { return Ok(access) };
        access = access.max(statement);
        // Most texts are one statement, and may be long: the rest is only read when there can be another one.
        if !tokens.rest.contains(&b';') {
            return Ok(access);
        }
        if !tokens.skip_statement() {
            return Ok(access);
        }
    }
}

/// Whether `sql` is one plain `INSERT INTO`, which never replaces rows whatever follows.
pub(super) fn inserts_only(sql: &str) -> bool {
    let start = b"INSERT INTO";
    sql.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
        && !sql.as_bytes().contains(&b';')
}

/// Whether `sql` may replace rows: it has the word somewhere.
pub(super) fn may_replace(sql: &str) -> bool {
    let word = b"REPLACE";
    sql.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Reads the first words of the next statement and, of a trigger, everything up to its last `END`.
fn read_statement(tokens: &mut Tokens<'_>) -> Result<Option<Access>> {
    let first = loop {
        match tokens.next() {
            None => return Ok(None),
            Some(Token::Semicolon) => {}
            Some(Token::Word(word)) => break word.to_ascii_uppercase(),
            Some(_) => return Ok(Some(Access::Write)),
        }
    };
    Ok(Some(match first.as_str() {
        "SELECT" | "VALUES" => Access::Read,
        "EXPLAIN" => {
            tokens.skip_trigger();
            Access::Read
        }
        "WITH" => Access::Perhaps,
        "PRAGMA" => read_pragma(tokens)?,
        "CREATE" => {
            tokens.skip_trigger();
            Access::Write
        }
        "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => {
            return Err(refused(
                &first,
                "the space owns its transactions; use begin(), commit() and rollback() of SeaORM, begin() on a \
                 transaction for a savepoint",
            ));
        }
        "ATTACH" | "DETACH" => {
            return Err(refused(
                &first,
                "two files do not commit together; open the other file with a connection of its own",
            ));
        }
        "VACUUM" => {
            return Err(refused(&first, "close the space and run it over a plain connection"));
        }
        _ => Access::Write,
    }))
}

/// `PRAGMA [schema.]name`, then nothing, `= value` or `(value)`.
fn read_pragma(tokens: &mut Tokens<'_>) -> Result<Access> {
    let mut name = String::new();
    let mut look = tokens.clone();
    loop {
        match look.next() {
            Some(Token::Word(word)) => name = word.to_ascii_uppercase(),
            Some(Token::Quoted(word)) => name = word.trim_matches(['"', '`', '[', ']']).to_ascii_uppercase(),
            Some(Token::Other(b'.')) => {}
            Some(Token::Other(b'=' | b'(')) => break,
            _ if FREE_PRAGMAS.contains(&name.as_str()) => return Ok(Access::Write),
            _ => return Ok(Access::Read),
        }
    }
    if QUESTION_PRAGMAS.contains(&name.as_str()) {
        return Ok(Access::Read);
    }
    if FREE_PRAGMAS.contains(&name.as_str()) {
        return Ok(Access::Write);
    }
    Err(refused(
        &format!("PRAGMA {} with a value", name.to_ascii_lowercase()),
        "the space sets its connections up itself and relies on it",
    ))
}

fn refused(what: &str, instead: &str) -> Error {
    Error::new(ErrorKind::Misuse, "run SQL", format!("{what} is refused: {instead}"))
}

/// One token, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A keyword or a bare name.
    Word(&'a str),
    /// A quoted name, with its quotes.
    Quoted(&'a str),
    /// `;`
    Semicolon,
    /// Any other character, string or number.
    Other(u8),
}

#[derive(Clone, Debug)]
struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    /// The next token; comments and white space are skipped as SQLite skips them.
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (first, after) = self.rest.split_first()?;
            match first {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.rest = after,
                // A byte order mark counts as white space at the start of a text.
                0xef if after.starts_with(&[0xbb, 0xbf]) => self.take(3),
                b'-' if after.first() == Some(&b'-') => self.take_through(b"\n"),
                b'/' if after.first() == Some(&b'*') => {
                    self.take(2);
                    self.take_through(b"*/");
                }
                b';' => {
                    self.rest = after;
                    return Some(Token::Semicolon);
                }
                b'\'' | b'"' | b'`' | b'[' => return Some(self.quoted(*first)),
                c if is_name(*c) => return Some(self.word()),
                other => {
                    self.rest = after;
                    return Some(Token::Other(*other));
                }
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn take_through(&mut self, end: &[u8]) {
        let at = self.rest.windows(end.len()).position(|window| window == end);
        self.take(at.map_or(self.rest.len(), |at| at + end.len()));
    }

    fn word(&mut self) -> Token<'a> {
        let length = self.rest.iter().position(|c| !is_name(*c)).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at(length);
        self.rest = after;
        match std::str::from_utf8(word) {
            Ok(word) => Token::Word(word),
            Err(_) => Token::Other(b'?'),
        }
    }

    /// A string or quoted name. A doubled quote ends one and begins the next, which comes to the same.
    fn quoted(&mut self, open: u8) -> Token<'a> {
        let close = if open == b'[' { b']' } else { open };
        let inner = self.rest.iter().skip(1).position(|c| *c == close);
        let (text, after) = self.rest.split_at(inner.map_or(self.rest.len(), |at| at + 2));
        self.rest = after;
        match std::str::from_utf8(text) {
            Ok(text) if open != b'\'' => Token::Quoted(text),
            _ => Token::Other(open),
        }
    }

    /// Goes behind the next `;`; whether there was one.
    fn skip_statement(&mut self) -> bool {
        loop {
            match self.next() {
                None => return false,
                Some(Token::Semicolon) => return true,
                Some(_) => {}
            }
        }
    }

    /// After `CREATE` or `EXPLAIN`: when a trigger follows, goes behind the `END` that closes its body, which is
    /// the one after a `;` (as `sqlite3_complete` has it).
    fn skip_trigger(&mut self) {
        let mut look = self.clone();
        loop {
            match look.next() {
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("TRIGGER") => break,
                Some(Token::Word(word))
                    if ["TEMP", "TEMPORARY", "QUERY", "PLAN", "CREATE"]
                        .iter()
                        .any(|skipped| word.eq_ignore_ascii_case(skipped)) => {}
                _ => return,
            }
        }
        let mut after_semicolon = false;
        while let Some(token) = look.next() {
            match token {
                Token::Word(word) if after_semicolon && word.eq_ignore_ascii_case("END") => break,
                token => after_semicolon = token == Token::Semicolon,
            }
        }
        *self = look;
    }
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c == b'$' || c >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(sql: &str) -> Option<Access> {
        classify(sql).ok()
    }

    #[test]
    fn first_word_says_where_a_statement_runs() {
        for sql in
            ["select 1", " \n\t SELECT 1;", "-- a\n/* b; c */ values (1)", "explain delete from t", "", ";;"]
        {
            assert_eq!(access(sql), Some(Access::Read), "{sql}");
        }
        assert_eq!(access("with a as (select 1) delete from t"), Some(Access::Perhaps));
        for sql in ["insert into t values (1)", "REPLACE into t values (1)", "drop table t", "(select 1)"] {
            assert_eq!(access(sql), Some(Access::Write), "{sql}");
        }
    }

    #[test]
    fn one_writing_statement_makes_a_script_a_write() {
        assert_eq!(access("select 1; delete from t; select 2"), Some(Access::Write));
        assert_eq!(access("select ';delete from t;'; select \"a;b\", [c;d], `e;f`"), Some(Access::Read));
    }

    #[test]
    fn keywords_that_take_transactions_or_files_away_are_refused() {
        for sql in [
            "BEGIN",
            "begin immediate",
            "COMMIT",
            "end",
            "END TRANSACTION",
            "rollback",
            "ROLLBACK TO x",
            "savepoint a",
            "release a",
            "ATTACH 'x' AS y",
            "detach y",
            "VACUUM",
            "vacuum into 'x'",
            "/* */ -- x\n COMMIT",
            "select 1; commit",
            "insert into t values ('a;b'); -- ;\n/*;*/ ROLLBACK",
            "\u{feff}COMMIT",
            "explain create trigger t after insert on a begin select 1; end; commit",
        ] {
            assert_eq!(classify(sql).map_err(|e| e.kind()), Err(ErrorKind::Misuse), "{sql}");
        }
    }

    #[test]
    fn a_trigger_body_is_one_statement() {
        let trigger = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN
            UPDATE a SET b = CASE WHEN 1 THEN ';END;' ELSE 2 END; DELETE FROM c; END";
        assert_eq!(access(trigger), Some(Access::Write));
        assert_eq!(access(&format!("{trigger}; select 1;")), Some(Access::Write));
        assert!(access(&format!("{trigger}; commit")).is_none());
        assert!(access("create table trigger_log (a); end").is_none());
    }

    #[test]
    fn pragmas_that_ask_run_on_a_reader_and_settings_are_refused() {
        for sql in
            ["pragma table_info(t)", "PRAGMA main.table_info('t')", "pragma foreign_keys", "pragma page_size"]
        {
            assert_eq!(access(sql), Some(Access::Read), "{sql}");
        }
        for sql in ["pragma defer_foreign_keys = on", "pragma user_version=3", "pragma optimize"] {
            assert_eq!(access(sql), Some(Access::Write), "{sql}");
        }
        for sql in [
            "pragma foreign_keys = off",
            "pragma main.synchronous(off)",
            "pragma journal_mode=delete",
            "pragma \"query_only\" = 1",
            "pragma writable_schema=1",
        ] {
            assert_eq!(classify(sql).map_err(|e| e.kind()), Err(ErrorKind::Misuse), "{sql}");
        }
    }

    #[test]
    fn unfinished_text_ends() {
        for sql in ["select 'a", "/* a", "-- a", "select [a", "create trigger x", "pragma", "pragma a."] {
            assert!(classify(sql).is_ok(), "{sql}");
        }
    }
}
