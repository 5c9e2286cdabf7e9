//! The columns that hold a change's operations, each encoded as runs.
//!
//! automerge rebuilds a change from its operations when it saves and loads. Runs written in any other way than its own
//! would come back as other bytes with another hash, and the document would not load again. So only its own way is read.

use std::collections::BTreeMap;

use super::ChangeError;
use super::reader::Reader;

/// The columns of a change: `id << 4 | type`, as automerge 0.12 writes them. Bit 3, deflate, is never set.
pub(super) mod spec {
    pub(in crate::change) const OBJECT_ACTOR: u64 = 0x01;
    pub(in crate::change) const OBJECT_COUNTER: u64 = 0x02;
    pub(in crate::change) const KEY_ACTOR: u64 = 0x11;
    pub(in crate::change) const KEY_COUNTER: u64 = 0x13;
    pub(in crate::change) const KEY_STRING: u64 = 0x15;
    pub(in crate::change) const INSERT: u64 = 0x34;
    pub(in crate::change) const ACTION: u64 = 0x42;
    pub(in crate::change) const VALUE_META: u64 = 0x56;
    pub(in crate::change) const VALUE: u64 = 0x57;
    pub(in crate::change) const PRED_COUNT: u64 = 0x70;
    pub(in crate::change) const PRED_ACTOR: u64 = 0x71;
    pub(in crate::change) const PRED_COUNTER: u64 = 0x73;
    pub(in crate::change) const EXPAND: u64 = 0x94;
    pub(in crate::change) const MARK_NAME: u64 = 0xa5;

    pub(in crate::change) const ALL: [u64; 14] = [
        OBJECT_ACTOR,
        OBJECT_COUNTER,
        KEY_ACTOR,
        KEY_COUNTER,
        KEY_STRING,
        INSERT,
        ACTION,
        VALUE_META,
        VALUE,
        PRED_COUNT,
        PRED_ACTOR,
        PRED_COUNTER,
        EXPAND,
        MARK_NAME,
    ];
}

/// The bytes of each column that is there.
pub(super) struct Columns<'a>(BTreeMap<u64, &'a [u8]>);

impl<'a> Columns<'a> {
    /// Reads the table of columns and then their bytes.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, ChangeError> {
        let count = reader.unsigned()?;
        if count > spec::ALL.len() as u64 {
            return Err(ChangeError::BadColumn);
        }
        let mut table: Vec<(u64, usize)> = Vec::new();
        for _ in 0..count {
            let spec = reader.unsigned()?;
            let len = usize::try_from(reader.unsigned()?).map_err(|_| ChangeError::Truncated)?;
            let ascends = table.last().is_none_or(|(last, _)| *last < spec);
            if len == 0 || !ascends || !spec::ALL.contains(&spec) {
                return Err(ChangeError::BadColumn);
            }
            table.push((spec, len));
        }
        let mut columns = BTreeMap::new();
        for (spec, len) in table {
            columns.insert(spec, reader.take(len)?);
        }
        Ok(Self(columns))
    }

    /// The bytes of a column; none when it is absent.
    pub(super) fn bytes(&self, spec: u64) -> &'a [u8] {
        self.0.get(&spec).copied().unwrap_or_default()
    }
}

/// What was read last, because automerge joins equal neighbours.
enum Last<T> {
    Nothing,
    Nulls,
    Run(T),
    Literals(T),
}

impl<T: PartialEq> Last<T> {
    fn is_value(&self, value: &T) -> bool {
        matches!(self, Self::Run(last) | Self::Literals(last) if last == value)
    }
}

/// Reads the runs of one column: at most `max` values, else `over`. Lengths are checked before a run is expanded.
pub(super) fn values<'a, T: Clone + PartialEq>(
    bytes: &'a [u8],
    max: usize,
    over: ChangeError,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, ChangeError>,
) -> Result<Vec<Option<T>>, ChangeError> {
    let mut reader = Reader::new(bytes);
    let mut out = Vec::new();
    let mut last = Last::Nothing;
    while !reader.is_empty() {
        let count = reader.signed()?;
        let len = if count == 0 { reader.unsigned()? } else { count.unsigned_abs() };
        let len = usize::try_from(len).map_err(|_| over)?;
        if len > max.saturating_sub(out.len()) {
            return Err(over);
        }
        last = match count {
            0 => {
                if len == 0 || matches!(last, Last::Nulls) {
                    return Err(ChangeError::BadColumn);
                }
                out.resize(out.len() + len, None);
                Last::Nulls
            }
            1 => return Err(ChangeError::BadColumn),
            2.. => {
                let value = read(&mut reader)?;
                if last.is_value(&value) {
                    return Err(ChangeError::BadColumn);
                }
                out.resize(out.len() + len, Some(value.clone()));
                Last::Run(value)
            }
            _ => {
                if matches!(last, Last::Literals(_)) {
                    return Err(ChangeError::BadColumn);
                }
                for _ in 0..len {
                    let value = read(&mut reader)?;
                    if last.is_value(&value) {
                        return Err(ChangeError::BadColumn);
                    }
                    out.push(Some(value.clone()));
                    last = Last::Literals(value);
                }
                last
            }
        };
    }
    Ok(out)
}

/// Reads a column that holds exactly `len` values and no null.
pub(super) fn required<'a, T: Clone + PartialEq>(
    bytes: &'a [u8],
    len: usize,
    read: impl FnMut(&mut Reader<'a>) -> Result<T, ChangeError>,
) -> Result<Vec<T>, ChangeError> {
    let all: Option<Vec<T>> = values(bytes, len, ChangeError::BadColumn, read)?.into_iter().collect();
    all.filter(|all| all.len() == len).ok_or(ChangeError::BadColumn)
}

/// Reads a column that holds `len` values or nulls. A column of nulls alone is left out by automerge.
pub(super) fn optional<'a, T: Clone + PartialEq>(
    bytes: &'a [u8],
    len: usize,
    read: impl FnMut(&mut Reader<'a>) -> Result<T, ChangeError>,
) -> Result<Vec<Option<T>>, ChangeError> {
    if bytes.is_empty() {
        return Ok(vec![None; len]);
    }
    let all = values(bytes, len, ChangeError::BadColumn, read)?;
    if all.len() != len || all.iter().all(Option::is_none) {
        return Err(ChangeError::BadColumn);
    }
    Ok(all)
}

/// Turns the differences of a delta column into the numbers themselves; a null keeps the last number.
pub(super) fn sums(deltas: Vec<Option<i64>>) -> Result<Vec<Option<u64>>, ChangeError> {
    let mut sum: i64 = 0;
    let mut absolute = |delta: Option<i64>| {
        let Some(delta) = delta else { return Ok(None) };
        sum = sum.checked_add(delta).ok_or(ChangeError::BadColumn)?;
        u64::try_from(sum).map(Some).map_err(|_| ChangeError::BadOperation)
    };
    deltas.into_iter().map(&mut absolute).collect()
}

/// Reads a boolean column of `len` values: lengths of alternating runs, the first of them false and perhaps empty.
pub(super) fn booleans(bytes: &[u8], len: usize) -> Result<Vec<bool>, ChangeError> {
    let mut reader = Reader::new(bytes);
    let mut out = Vec::new();
    let mut value = false;
    while !reader.is_empty() {
        let first = reader.rest().len() == bytes.len();
        let run = usize::try_from(reader.unsigned()?).map_err(|_| ChangeError::BadColumn)?;
        if run > len - out.len() || (run == 0 && !first) {
            return Err(ChangeError::BadColumn);
        }
        out.resize(out.len() + run, value);
        value = !value;
    }
    if out.len() == len { Ok(out) } else { Err(ChangeError::BadColumn) }
}
