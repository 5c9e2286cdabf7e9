//! Lines of JSON from outside: bounded, in UTF-8, each an object whose keys stand once.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};

use foras_wire::limits::LINE_BYTES_MAX;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// One line's object, keys in order.
pub(crate) type Object = BTreeMap<String, Value>;

/// Why a line is no object that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadLine {
    /// More than [`LINE_BYTES_MAX`] bytes.
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// Not JSON.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// A key stands twice in one object: which of them is meant, nobody can tell.
    DuplicateKey,
}

impl BadLine {
    /// The stable code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TooLong => "line_too_long",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::DuplicateKey => "duplicate_key",
        }
    }
}

/// The lines of a file that hold something, with their numbers from 1. Keeps at most one line in memory.
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// The next line that is not blank, or `None` at the end.
    pub(crate) fn next_object(&mut self) -> io::Result<Option<(u64, Result<Object, BadLine>)>> {
        loop {
            let mut line = Vec::new();
            let mut too_long = false;
            if !self.read_line(&mut line, &mut too_long)? {
                return Ok(None);
            }
            self.number += 1;
            let bytes = if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
            if too_long {
                return Ok(Some((self.number, Err(BadLine::TooLong))));
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some((self.number, object(bytes))));
            }
        }
    }

    /// Reads up to the next end of line; of a line that is too long it keeps nothing. False at the end of the file.
    fn read_line(&mut self, line: &mut Vec<u8>, too_long: &mut bool) -> io::Result<bool> {
        let mut any = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            // A carriage return before the end of line is not counted as content.
            if line.len() + part.len() > LINE_BYTES_MAX + 1 {
                *too_long = true;
                line.clear();
            }
            if !*too_long {
                line.extend_from_slice(part);
            }
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.reader.consume(used);
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                *too_long |= line.len() > LINE_BYTES_MAX;
                return Ok(true);
            }
        }
    }
}

/// The object of one line.
pub(crate) fn object(bytes: &[u8]) -> Result<Object, BadLine> {
    if bytes.len() > LINE_BYTES_MAX {
        return Err(BadLine::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| BadLine::NotUtf8)?;
    match serde_json::from_str::<Strict>(text) {
        Ok(Strict(Value::Object(map))) => Ok(map.into_iter().collect()),
        Ok(_) => Err(BadLine::NotAnObject),
        Err(error) if error.to_string().starts_with(DUPLICATE) => Err(BadLine::DuplicateKey),
        Err(_) => Err(BadLine::NotJson),
    }
}

const DUPLICATE: &str = "a key stands twice";

/// A JSON value in which no object names a key twice; `serde_json` alone keeps the last in silence.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = serde_json::Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, Result<Object, BadLine>)> {
        // A small buffer, so that lines span several reads.
        let mut lines = Lines::new(io::BufReader::with_capacity(7, bytes));
        let mut all = Vec::new();
        while let Some(line) = lines.next_object().unwrap() {
            all.push(line);
        }
        all
    }

    #[test]
    fn lines_count_from_one_and_blank_ones_are_passed_over() {
        let read = read(b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":[1,{\"c\":null}]}");
        let numbers: Vec<_> = read.iter().map(|(number, line)| (*number, line.is_ok())).collect();
        assert_eq!(numbers, [(1, true), (4, true)]);
    }

    #[test]
    fn each_bad_line_has_its_code_and_stops_no_other() {
        let mut bytes =
            b"{\"a\":1,\"a\":2}\n[1]\n{\"a\":\n\xff\n{\"x\":{\"y\":1,\"y\":2}}\n{\"a\":1}{}\nnull\n".to_vec();
        bytes.extend(vec![b' '; LINE_BYTES_MAX + 5]);
        bytes.extend(b"\n{\"last\":true}\n");
        let codes: Vec<_> = read(&bytes).into_iter().map(|(_, line)| line.err().map_or("", BadLine::code)).collect();
        let expected = [
            "duplicate_key",
            "not_an_object",
            "not_json",
            "not_utf8",
            "duplicate_key",
            "not_json",
            "not_an_object",
            "line_too_long",
            "",
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn a_line_may_have_exactly_the_limit() {
        let text = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        assert!(read(text(LINE_BYTES_MAX).as_bytes())[0].1.is_ok());
        assert!(read(format!("{}\r\n", text(LINE_BYTES_MAX)).as_bytes())[0].1.is_ok());
        assert_eq!(read(text(LINE_BYTES_MAX + 1).as_bytes())[0].1, Err(BadLine::TooLong));
        assert_eq!(read(format!("{}\n{{}}", text(LINE_BYTES_MAX + 1)).as_bytes())[0].1, Err(BadLine::TooLong));
    }

    #[test]
    fn nesting_without_end_is_no_json() {
        let deep = format!("{{\"a\":{}", "[".repeat(60_000));
        assert_eq!(object(deep.as_bytes()), Err(BadLine::NotJson));
    }
}
