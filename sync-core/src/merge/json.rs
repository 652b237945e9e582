//! Canonical JSON texts, for the elements of sets: no blanks, object keys in order, strings with the fewest
//! escapes. Numbers stay the text that they are, so none loses digits.

/// A text is not the JSON that was expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not {expected} (at byte {at})")]
pub struct InvalidJson {
    /// What should stand there.
    pub expected: &'static str,
    /// Where.
    pub at: usize,
}

const MAX_DEPTH: usize = 64;

/// The canonical texts of an array's elements, ordered and without doubles.
pub(super) fn elements(array: &str) -> Result<Vec<String>, InvalidJson> {
    let mut parser = Parser { text: array, at: 0 };
    parser.blanks();
    parser.expect('[', "a JSON array")?;
    let mut all = Vec::new();
    parser.list(']', |parser| {
        let mut element = String::new();
        parser.value(&mut element, 1)?;
        all.push(element);
        Ok(())
    })?;
    parser.end()?;
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Whether a text is the canonical form of one JSON value.
pub(super) fn is_canonical(text: &str) -> bool {
    let mut parser = Parser { text, at: 0 };
    let mut out = String::with_capacity(text.len());
    parser.value(&mut out, 1).and_then(|()| parser.end()).is_ok() && out == text
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn error(&self, expected: &'static str) -> InvalidJson {
        InvalidJson { expected, at: self.at }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, c: char, expected: &'static str) -> Result<(), InvalidJson> {
        if self.peek() != Some(c) {
            return Err(self.error(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), InvalidJson> {
        self.blanks();
        if self.rest().is_empty() { Ok(()) } else { Err(self.error("the end of the JSON text")) }
    }

    /// Items with commas between them, up to `close`.
    fn list(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<(), InvalidJson>,
    ) -> Result<(), InvalidJson> {
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            self.blanks();
            match self.next() {
                Some(',') => {}
                Some(c) if c == close => return Ok(()),
                _ => return Err(self.error("a comma or the end of a JSON list")),
            }
        }
    }

    fn value(&mut self, out: &mut String, depth: usize) -> Result<(), InvalidJson> {
        if depth > MAX_DEPTH {
            return Err(self.error("JSON of at most 64 levels"));
        }
        self.blanks();
        match self.peek() {
            Some('"') => self.string(out),
            Some('[') => {
                self.at += 1;
                out.push('[');
                let mut first = true;
                self.list(']', |parser| {
                    if !std::mem::take(&mut first) {
                        out.push(',');
                    }
                    parser.value(out, depth + 1)
                })?;
                out.push(']');
                Ok(())
            }
            Some('{') => self.object(out, depth),
            Some('-' | '0'..='9') => self.number(out),
            _ => self.word(out),
        }
    }

    fn object(&mut self, out: &mut String, depth: usize) -> Result<(), InvalidJson> {
        self.at += 1;
        let mut members: Vec<(String, String)> = Vec::new();
        self.list('}', |parser| {
            parser.blanks();
            let (mut key, mut value) = (String::new(), String::new());
            parser.string(&mut key)?;
            parser.blanks();
            parser.expect(':', "a colon")?;
            parser.value(&mut value, depth + 1)?;
            members.push((key, value));
            Ok(())
        })?;
        members.sort_unstable();
        if members.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(self.error("a JSON object with different keys"));
        }
        out.push('{');
        for (at, (key, value)) in members.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(key);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Ok(())
    }

    fn word(&mut self, out: &mut String) -> Result<(), InvalidJson> {
        for word in ["null", "true", "false"] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                out.push_str(word);
                return Ok(());
            }
        }
        Err(self.error("a JSON value"))
    }

    fn digits(&mut self) -> Result<(), InvalidJson> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.at += count;
        if count == 0 { Err(self.error("a digit")) } else { Ok(()) }
    }

    fn number(&mut self, out: &mut String) -> Result<(), InvalidJson> {
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        if self.peek() == Some('0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some('.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        out.push_str(self.text.get(start..self.at).unwrap_or_default());
        Ok(())
    }

    fn string(&mut self, out: &mut String) -> Result<(), InvalidJson> {
        self.expect('"', "a JSON string")?;
        out.push('"');
        loop {
            match self.next() {
                Some('"') => break,
                Some('\\') => {
                    let c = self.escape()?;
                    push_escaped(out, c);
                }
                Some(c) if c >= ' ' => push_escaped(out, c),
                _ => return Err(self.error("the rest of a JSON string")),
            }
        }
        out.push('"');
        Ok(())
    }

    fn escape(&mut self) -> Result<char, InvalidJson> {
        Ok(match self.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let high = self.hex4()?;
                let code = if (0xd800..0xdc00).contains(&high) {
                    self.expect('\\', "the second half of a character")?;
                    self.expect('u', "the second half of a character")?;
                    let low = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(self.error("the second half of a character"));
                    }
                    0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                } else {
                    high
                };
                char::from_u32(code).ok_or_else(|| self.error("a character"))?
            }
            _ => return Err(self.error("an escape")),
        })
    }

    fn hex4(&mut self) -> Result<u32, InvalidJson> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|c| c.to_digit(16)).ok_or_else(|| self.error("four digits"))?;
            code = code * 16 + digit;
        }
        Ok(code)
    }
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push(c),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]
mod tests {
    use super::*;

    #[test]
    fn elements_are_canonical_and_keep_every_digit() {
        let text =
            r#" [ "b" , "a\u0041\ud83d\ude00\/" , {"z":1.50,"a":[ ]}, 12345678901234567890123, null, "b" ] "#;
        let expected = ["\"aA😀/\"", "\"b\"", "12345678901234567890123", "null", "{\"a\":[],\"z\":1.50}"];
        assert_eq!(elements(text).unwrap(), expected);
        assert!(expected.iter().all(|text| is_canonical(text)));
    }

    #[test]
    fn other_texts_are_refused() {
        let deep = "[".repeat(100_000);
        for text in
            ["", "1", "[1", "[1,]", "[1]x", "[01]", "[tru]", "[\"\\ud800\"]", "[{\"a\":1,\"a\":2}]", &deep]
        {
            assert!(elements(text).is_err(), "{text:.20}");
        }
        for text in ["[ ]", "\"\\u0041\"", "1 ", "{\"b\":1,\"a\":2}"] {
            assert!(!is_canonical(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_serde_json_on_what_is_json(text in "[\\[\\]{}\",:0-9a\\\\tru e.-]{0,12}") {
            let ours = elements(&text).is_ok();
            let theirs = serde_json::from_str::<Vec<serde_json::Value>>(&text);
            let doubled = text.contains('{');
            proptest::prop_assert!(ours == theirs.is_ok() || (doubled && !ours), "{text}");
        }

        #[test]
        fn strings_survive(text in proptest::prelude::any::<String>()) {
            let element = serde_json::to_string(&text).unwrap();
            let all = elements(&format!("[{element}]")).unwrap();
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&all[0]).unwrap(), text);
            proptest::prop_assert!(is_canonical(&all[0]));
        }
    }
}
