//! Codes of ten characters, to say over the phone: the first four find the invitation, the other six are the secret.

use crate::entropy::{Entropy, draw};
use crate::error::ServerError;

/// Characters of a code.
pub(crate) const CODE_CHARS: usize = 10;
/// Characters that find the invitation; they are no secret.
pub(crate) const LOOKUP_CHARS: usize = 4;
/// How long a code may be used: 15 minutes.
pub(crate) const CODE_MS: i64 = 15 * 60 * 1000;
/// Wrong codes after which the right one is dead too. Five tries at six characters: one in 200 million.
pub(crate) const TRIES_MAX: u32 = 5;

/// Crockford's alphabet: no letter that is mistaken for a digit, or for another letter.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A new code.
pub(crate) fn new(entropy: &mut dyn Entropy) -> Result<String, ServerError> {
    let bytes: [u8; CODE_CHARS] = draw(entropy)?;
    Ok(bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 31))).copied().map(char::from).collect())
}

/// The code that somebody meant: upper case, without spaces and hyphens, `O` for 0 and `I` or `L` for 1.
pub(crate) fn meant(said: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(said).ok()?;
    let code: String = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    let known = |c: char| u8::try_from(c).is_ok_and(|c| ALPHABET.contains(&c));
    (code.len() == CODE_CHARS && code.chars().all(known)).then_some(code)
}

/// Slows down guessing of codes over all invitations. It never touches enrolled devices, nor invitations by QR code,
/// whose secrets nobody guesses: a whole point shares one address.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// Wrong codes that may still come at once.
    left: u32,
    filled_ms: i64,
}

/// Wrong codes at once, before guessing is slowed down.
const BURST: u32 = 30;
/// One more wrong code is allowed each ten seconds.
const REFILL_MS: i64 = 10_000;

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { left: BURST, filled_ms: 0 }
    }

    /// Whether a code may be tried now.
    pub(crate) fn allows(&mut self, now_ms: i64) -> bool {
        let more = u32::try_from((now_ms - self.filled_ms).max(0) / REFILL_MS).unwrap_or(u32::MAX);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(BURST);
            self.filled_ms = now_ms;
        }
        self.left > 0
    }

    /// Counts a wrong code.
    pub(crate) fn count(&mut self) {
        self.left = self.left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_code_is_understood_however_it_is_said() {
        let code = new(&mut SeededEntropy::new(7)).unwrap();
        assert_eq!(code.len(), CODE_CHARS);
        assert_eq!(meant(code.as_bytes()), Some(code.clone()));
        assert_eq!(meant(code.to_lowercase().as_bytes()), Some(code.clone()));
        assert_eq!(meant(format!("{} {}-{}", &code[..3], &code[3..7], &code[7..]).as_bytes()), Some(code));
        assert_eq!(meant(b"OIL0000000"), Some("0110000000".to_owned()));
        for wrong in
            [&b""[..], b"123456789", b"12345678901", b"UUUUUUUUUU", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"]
        {
            assert_eq!(meant(wrong), None);
        }
    }

    #[test]
    fn guessing_is_slowed_down_and_recovers() {
        let mut throttle = Throttle::new();
        let start = 1_000_000_000;
        for _ in 0..BURST {
            assert!(throttle.allows(start));
            throttle.count();
        }
        assert!(!throttle.allows(start));
        assert!(throttle.allows(start + REFILL_MS));
    }
}
