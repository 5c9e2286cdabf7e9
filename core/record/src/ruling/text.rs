//! A ruling as it is stored: `12 valid`, or `13 void no_consent`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 40;

/// What the server decided about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It takes effect.
    Valid,
    /// It is kept and shown, and has no effect; the code says why. See [`super::reason`].
    Void(Cow<'static, str>),
}

/// The ruling of one event: its place in the order of rulings, and the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// Counts the rulings of a case from 1. Derived state follows this order.
    pub number: u64,
    /// The verdict.
    pub verdict: Verdict,
}

/// A text that is no ruling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a ruling is a number, and 'valid' or 'void' with a reason")]
pub struct BadRuling;

impl Verdict {
    /// Whether the event takes effect.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        matches!(self, Self::Valid)
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Valid => write!(f, "{} valid", self.number),
            Verdict::Void(reason) => write!(f, "{} void {reason}", self.number),
        }
    }
}

impl FromStr for Ruling {
    type Err = BadRuling;

    fn from_str(text: &str) -> Result<Self, BadRuling> {
        let mut words = text.split(' ');
        let number: u64 = words.next().and_then(|word| word.parse().ok()).ok_or(BadRuling)?;
        let verdict = match (words.next(), words.next()) {
            (Some("valid"), None) => Verdict::Valid,
            (Some("void"), Some(reason)) if is_reason(reason) => Verdict::Void(Cow::Owned(reason.to_owned())),
            _ => return Err(BadRuling),
        };
        let ruling = Self { number, verdict };
        // One text for one ruling: `+1 valid` and `01 valid` are none.
        if words.next().is_none() && ruling.to_string() == text { Ok(ruling) } else { Err(BadRuling) }
    }
}

fn is_reason(word: &str) -> bool {
    (1..=REASON_BYTES_MAX).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_ruling_is_read_as_written_and_nothing_else_is() {
        for text in ["1 valid", "12 void no_consent"] {
            assert_eq!(text.parse::<Ruling>().unwrap().to_string(), text);
        }
        for text in
            ["", "valid", "1", "1 void", "1 void No", "01 valid", "+1 valid", "1 valid x", "1  valid", "-1 valid"]
        {
            assert!(text.parse::<Ruling>().is_err(), "{text}");
        }
    }
}
