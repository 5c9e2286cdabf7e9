//! Values that can be found again wherever their bytes go: each names the one edit that wrote it.

use std::collections::BTreeSet;

use memchr::memmem;

const MARK: &[u8] = b"value-";
/// Digits after the mark, and the full stop that ends them.
const DIGITS: usize = 5;
const BYTES: usize = MARK.len() + DIGITS + 1;

/// The canary of this number, such as `value-00017.`.
#[must_use]
pub fn canary(number: usize) -> String {
    format!("value-{number:05}.")
}

fn is_canary(bytes: &[u8]) -> bool {
    let (Some(digits), Some(b'.')) = (bytes.get(MARK.len()..BYTES - 1), bytes.get(BYTES - 1)) else { return false };
    bytes.starts_with(MARK) && digits.iter().all(u8::is_ascii_digit)
}

/// Every canary in `bytes`.
#[must_use]
pub fn canaries_in(bytes: &[u8]) -> BTreeSet<String> {
    let canary = |at: usize| bytes.get(at..at + BYTES).filter(|text| is_canary(text));
    let found = memmem::find_iter(bytes, MARK).filter_map(canary);
    found.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
}

/// A pile of bytes in which values are looked for.
#[derive(Debug, Default)]
pub struct Pile {
    canaries: BTreeSet<String>,
    bytes: Vec<Vec<u8>>,
}

impl Pile {
    /// A pile of these.
    #[must_use]
    pub fn of(bytes: Vec<Vec<u8>>) -> Self {
        Self { canaries: bytes.iter().flat_map(|bytes| canaries_in(bytes)).collect(), bytes }
    }

    /// Whether the value stands somewhere in it.
    #[must_use]
    pub fn has(&self, value: &str) -> bool {
        if value.len() == BYTES && is_canary(value.as_bytes()) {
            return self.canaries.contains(value);
        }
        self.bytes.iter().any(|bytes| memmem::find(bytes, value.as_bytes()).is_some())
    }

    /// Every canary in it.
    #[must_use]
    pub fn canaries(&self) -> &BTreeSet<String> {
        &self.canaries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_any_bytes_and_nothing_else_is() {
        let text = format!("..{}value-0001x.valuevalue-00002.", canary(1));
        let pile = Pile::of(vec![text.into_bytes(), b"a doctor".to_vec()]);
        assert_eq!(pile.canaries().len(), 2);
        assert!(pile.has("value-00001.") && pile.has("value-00002.") && pile.has("doctor"));
        assert!(!pile.has("value-00003.") && !pile.has("nurse"));
    }
}
