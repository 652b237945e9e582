//! The address of a plugin: a small URL type that shows no secrets. It must not know any particular scheme.

use crate::{ErrorKind, PluginError, Result};
use std::fmt;
use std::str::FromStr;

/// The longest URL that is read, in bytes.
const MAX_LENGTH: usize = 4096;

/// Parts of parameter names whose values are never shown.
const SECRET_WORDS: [&str; 7] = ["key", "token", "secret", "pass", "auth", "sig", "cred"];

/// A plugin URL: `scheme://[userinfo@]authority[/path][?name=value&…]`.
///
/// `Display` and `Debug` hide the userinfo and the values of parameters that look like secrets; [`Url::expose`] gives
/// everything. The path and parameters are percent-decoded.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    scheme: String,
    userinfo: Option<String>,
    authority: String,
    path: String,
    parameters: Vec<(String, String)>,
}

/// Whether `text` is a URL scheme in lower case: a letter, then letters, digits, `+`, `-`, `.`.
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .chars()
            .all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || matches!(next, '+' | '-' | '.'))
}

impl Url {
    /// Reads a URL; anything else is [`ErrorKind::Configuration`].
    pub fn parse(text: &str) -> Result<Self> {
        fits(text)?;
        if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err(invalid("it contains whitespace or control characters"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(invalid("it has no scheme; a URL looks like ws://host:port"));
        };
        let scheme = scheme.to_ascii_lowercase();
        if !is_scheme(&scheme) {
            return Err(invalid("what stands before :// is not a scheme"));
        }
        let (rest, fragment) = split_off(rest, '#');
        if fragment.is_some() {
            return Err(invalid("a fragment (#…) has no meaning here"));
        }
        let (rest, query) = split_off(rest, '?');
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (userinfo, authority) = match authority.rsplit_once('@') {
            Some((userinfo, authority)) => (Some(userinfo.to_owned()), authority),
            None => (None, authority),
        };
        let url = Self {
            scheme,
            userinfo,
            authority: decode(authority)?,
            path: decode(path)?,
            parameters: parse_query(query.unwrap_or_default())?,
        };
        // Written again it can be longer: what needed no escape may get one.
        fits(&url.expose())?;
        Ok(url)
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// What stands between `//` and the path, without userinfo: `host:port`, a name, or nothing.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host, without brackets when it is an IPv6 address.
    pub fn host(&self) -> &str {
        let host = self.split_port().0;
        host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
    }

    /// The port, when there is one; [`ErrorKind::Configuration`] when it is not a number up to 65,535.
    pub fn port(&self) -> Result<Option<u16>> {
        let Some(port) = self.split_port().1 else { return Ok(None) };
        let number = if port.bytes().all(|digit| digit.is_ascii_digit()) { port.parse().ok() } else { None };
        number.map(Some).ok_or_else(|| invalid(format!("{port:?} is not a port")))
    }

    /// The path with its leading `/`, or nothing.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Authority and path together: what the scheme makes of the address.
    pub fn rest(&self) -> String {
        format!("{}{}", self.authority, self.path)
    }

    /// The userinfo as written. A secret.
    pub fn userinfo(&self) -> Option<&str> {
        self.userinfo.as_deref()
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }

    /// All parameters in the order in which they were written.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// [`ErrorKind::Configuration`] unless every parameter is one of `known` and none stands twice.
    pub fn expect_parameters(&self, known: &[&str]) -> Result<()> {
        for (at, (name, _)) in self.parameters.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let exist = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let message = format!("unknown parameter {name:?} of {}://; there are: {exist}", self.scheme);
                return Err(PluginError::new(ErrorKind::Configuration, "configure", message));
            }
            if self.parameters.iter().take(at).any(|(earlier, _)| earlier == name) {
                let message = format!("parameter {name:?} stands twice");
                return Err(PluginError::new(ErrorKind::Configuration, "configure", message));
            }
        }
        Ok(())
    }

    /// A whole number from a parameter, `default` when it is absent, [`ErrorKind::Configuration`] when it is no number
    /// or outside `range`.
    pub fn number(&self, name: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
        let Some(text) = self.parameter(name) else { return Ok(default) };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => {
                let message =
                    format!("{name}={text} must be a number from {} to {}", range.start(), range.end());
                Err(PluginError::new(ErrorKind::Configuration, "configure", message))
            }
        }
    }

    /// The same URL with another authority, as a listener reports it.
    #[must_use]
    pub fn with_authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = authority.into();
        self
    }

    /// The same URL with another path.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same URL with one parameter more.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// The same URL without parameters.
    #[must_use]
    pub fn without_parameters(mut self) -> Self {
        self.parameters.clear();
        self
    }

    /// The whole URL, secrets included, in a form that [`Url::parse`] reads back.
    pub fn expose(&self) -> String {
        self.render(true)
    }

    fn split_port(&self) -> (&str, Option<&str>) {
        match self.authority.rsplit_once(':') {
            // The last colon of a bracketed IPv6 address without a port belongs to the address.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (&self.authority, None),
        }
    }

    fn render(&self, secrets: bool) -> String {
        let mut text = format!("{}://", self.scheme);
        match &self.userinfo {
            Some(userinfo) if secrets => text.push_str(&format!("{userinfo}@")),
            Some(_) => text.push_str("***@"),
            None => {}
        }
        encode(&self.authority, "[]:", &mut text);
        encode(&self.path, "/:", &mut text);
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            encode(name, "", &mut text);
            text.push('=');
            if secrets || !is_secret(name) {
                encode(value, "/:", &mut text);
            } else {
                text.push_str("***");
            }
        }
        text
    }
}

/// Whether a URL is short enough to be read.
fn fits(text: &str) -> Result<()> {
    if text.len() > MAX_LENGTH {
        return Err(invalid(format!("{} bytes, at most {MAX_LENGTH} are read", text.len())));
    }
    Ok(())
}

fn invalid(reason: impl Into<String>) -> PluginError {
    PluginError::new(ErrorKind::Configuration, "read URL", reason)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn parse_query(query: &str) -> Result<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(invalid("a parameter has no value; write name=value"));
        };
        parameters.push((decode(name)?, decode(value)?));
    }
    Ok(parameters)
}

/// Resolves `%XX`. What comes out must be UTF-8 without control characters.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit));
        match (high, low) {
            (Some(high), Some(low)) => bytes.push(high * 16 + low),
            _ => return Err(invalid("% must be followed by two hexadecimal digits")),
        }
    }
    match String::from_utf8(bytes) {
        Ok(decoded) if !decoded.chars().any(char::is_control) => Ok(decoded),
        Ok(_) => Err(invalid("a %XX stands for a control character")),
        Err(_) => Err(invalid("the %XX do not spell UTF-8")),
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends `text` with everything escaped but letters, digits, `-._~` and `also`.
fn encode(text: &str, also: &str, out: &mut String) {
    for letter in text.chars() {
        if letter.is_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~') || also.contains(letter) {
            out.push(letter);
        } else {
            let mut buffer = [0; 4];
            for byte in letter.encode_utf8(&mut buffer).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

impl FromStr for Url {
    type Err = PluginError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(false))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Url({})", self.render(false))
    }
}
