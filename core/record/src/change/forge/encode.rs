//! Numbers and columns as automerge encodes them.

/// Appends an unsigned LEB128 number.
pub fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed LEB128 number.
pub fn signed(out: &mut Vec<u8>, mut value: i64) {
    while !(-0x40..0x40).contains(&value) {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Appends a length and that many bytes.
pub(super) fn prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}

/// Writes values as runs: repeated values once, single ones in literal runs, nulls counted.
fn encode<T: PartialEq>(values: &[Option<T>], write: impl Fn(&mut Vec<u8>, &T)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut literals: Vec<&T> = Vec::new();
    let flush = |out: &mut Vec<u8>, literals: &mut Vec<&T>| {
        if !literals.is_empty() {
            signed(out, -(literals.len() as i64));
        }
        for literal in literals.drain(..) {
            write(out, literal);
        }
    };
    for run in values.chunk_by(PartialEq::eq) {
        match run {
            [Some(single)] => literals.push(single),
            [Some(value), ..] => {
                flush(&mut out, &mut literals);
                signed(&mut out, run.len() as i64);
                write(&mut out, value);
            }
            _ => {
                flush(&mut out, &mut literals);
                signed(&mut out, 0);
                unsigned(&mut out, run.len() as u64);
            }
        }
    }
    flush(&mut out, &mut literals);
    out
}

/// Unsigned numbers as runs.
pub(super) fn runs(values: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    encode(&values.collect::<Vec<_>>(), |out, value| unsigned(out, *value))
}

/// Unsigned numbers as runs; nothing when all are null.
pub(super) fn runs_unless_null(values: impl Iterator<Item = Option<u64>> + Clone) -> Vec<u8> {
    if values.clone().all(|value| value.is_none()) { Vec::new() } else { runs(values) }
}

/// Strings as runs; nothing when all are null.
pub(super) fn strings(values: impl Iterator<Item = Option<Vec<u8>>>) -> Vec<u8> {
    let values: Vec<_> = values.collect();
    if values.iter().all(Option::is_none) { Vec::new() } else { encode(&values, |out, value| prefixed(out, value)) }
}

/// The differences of numbers as runs; nothing when all are null.
pub(super) fn deltas(values: impl Iterator<Item = Option<u64>>) -> Vec<u8> {
    let mut last = 0;
    let mut deltas = Vec::new();
    for value in values {
        deltas.push(value.map(|value| (value as i64).wrapping_sub(std::mem::replace(&mut last, value as i64))));
    }
    if deltas.iter().all(Option::is_none) { Vec::new() } else { encode(&deltas, |out, value| signed(out, *value)) }
}

/// Lengths of alternating runs, the first of them false.
pub(super) fn booleans(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let values: Vec<bool> = values.collect();
    let mut out = Vec::new();
    if values.first() == Some(&true) {
        unsigned(&mut out, 0);
    }
    for run in values.chunk_by(PartialEq::eq) {
        unsigned(&mut out, run.len() as u64);
    }
    out
}
