//! Columns of bytes, and how they stand behind one another.
//!
//! A list is: version, number of items, which columns there are, their lengths, the same of the fields' values, and then the
//! bytes. Numbers are LEB128 of any length up to ten bytes; signed ones are folded so that small ones are short.

use std::collections::BTreeMap;
use std::ffi::CStr;

use super::PackedError;

/// The form of packed lists that this build writes and reads.
const VERSION: u8 = 1;

/// An id has so many bytes.
const NAME_BYTES_MAX: usize = 16;

/// A column. Its number is its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Record,
    RecordKind,
    RecordForm,
    Name,
    NameLength,
    Generation,
    Id,
    Set,
    Received,
    Form,
    Actor,
    ActorId,
    Epoch,
    Seq,
    Deps,
    DepActor,
    DepSeq,
    Hash,
    StartOp,
    Time,
    Shape,
    OpCount,
    Op,
    Key,
    KeyText,
    Member,
    MemberId,
    Preds,
    PredActor,
    PredCounter,
    Text,
    PlaceActor,
    PlaceCounter,
    RawLength,
    Raw,
}

const COLUMNS: usize = Column::Raw as usize + 1;

/// Columns of numbers end before their zeros; columns of other bytes hold every one.
const fn is_numbers(at: usize) -> bool {
    !matches!(at, _ if at == Column::Id as usize
        || at == Column::Name as usize
        || at == Column::ActorId as usize
        || at == Column::Hash as usize
        || at == Column::Op as usize
        || at == Column::KeyText as usize
        || at == Column::MemberId as usize
        || at == Column::Raw as usize)
}

/// The values of one field stand together: a kind's code and the field's number in the kind.
pub(super) type FieldStream = (u16, u16);

pub(super) fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

const fn folded(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unfolded(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Columns that are being written.
#[derive(Debug, Default)]
pub(super) struct Writer {
    columns: BTreeMap<usize, Vec<u8>>,
    fields: BTreeMap<FieldStream, Vec<u8>>,
}

impl Writer {
    pub(super) fn unsigned(&mut self, column: Column, value: u64) {
        unsigned(self.columns.entry(column as usize).or_default(), value);
    }

    pub(super) fn signed(&mut self, column: Column, value: i64) {
        self.unsigned(column, folded(value));
    }

    pub(super) fn bytes(&mut self, column: Column, bytes: &[u8]) {
        self.columns.entry(column as usize).or_default().extend_from_slice(bytes);
    }

    /// The first `len` bytes of an id.
    pub(super) fn name(&mut self, id: &[u8], len: usize) {
        let name = id.get(..len).unwrap_or(id);
        self.unsigned(Column::NameLength, name.len() as u64);
        self.bytes(Column::Name, name);
    }

    pub(super) fn field_unsigned(&mut self, field: FieldStream, value: u64) {
        unsigned(self.fields.entry(field).or_default(), value);
    }

    pub(super) fn field_bytes(&mut self, field: FieldStream, bytes: &[u8]) {
        self.fields.entry(field).or_default().extend_from_slice(bytes);
    }

    /// The list's bytes.
    pub(super) fn finish(mut self, items: usize) -> Vec<u8> {
        for (at, bytes) in self.columns.iter_mut().filter(|(at, _)| is_numbers(**at)) {
            debug_assert!(*at < COLUMNS);
            let kept = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(kept);
        }
        self.columns.retain(|_, bytes| !bytes.is_empty());
        let mut out = vec![VERSION];
        unsigned(&mut out, items as u64);
        unsigned(&mut out, self.columns.keys().fold(0, |map, at| map | 1 << at));
        for bytes in self.columns.values() {
            unsigned(&mut out, bytes.len() as u64);
        }
        unsigned(&mut out, self.fields.len() as u64);
        for ((kind, field), bytes) in &self.fields {
            unsigned(&mut out, u64::from(*kind));
            unsigned(&mut out, u64::from(*field));
            unsigned(&mut out, bytes.len() as u64);
        }
        out.extend(self.columns.into_values().flatten());
        out.extend(self.fields.into_values().flatten());
        out
    }
}

/// Bytes that are being read.
#[derive(Debug, Clone, Copy, Default)]
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, len: usize) -> Result<&'b [u8], PackedError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(PackedError::Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    fn until_nul(&mut self) -> Result<&'b [u8], PackedError> {
        let text = CStr::from_bytes_until_nul(self.0).map_err(|_| PackedError::Malformed)?;
        let bytes = text.to_bytes();
        self.0 = self.0.get(bytes.len() + 1..).unwrap_or_default();
        Ok(bytes)
    }

    fn unsigned(&mut self) -> Result<u64, PackedError> {
        // Most numbers are small.
        if let Some((byte, rest)) = self.0.split_first().filter(|(byte, _)| **byte < 0x80) {
            self.0 = rest;
            return Ok(u64::from(*byte));
        }
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let [byte] = *self.take(1)? else { return Err(PackedError::Malformed) };
            if shift == 63 && byte > 1 {
                return Err(PackedError::Malformed);
            }
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
    }

    fn length(&mut self) -> Result<usize, PackedError> {
        usize::try_from(self.unsigned()?).map_err(|_| PackedError::Malformed)
    }
}

/// Columns that are being read.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    /// How many items the list says that it has.
    pub(super) items: u64,
    columns: [Rest<'b>; COLUMNS],
    fields: Fields<'b>,
}

/// The values of fields, by their streams.
#[derive(Debug)]
struct Fields<'b> {
    all: Vec<Rest<'b>>,
    places: BTreeMap<FieldStream, usize>,
    /// Of streams that our own kinds have, the place in `all`, from 1.
    near: Box<[u16; NEAR_KINDS * NEAR_FIELDS]>,
}

/// Codes of kinds, and numbers of fields, below these are looked up by number.
const NEAR_KINDS: usize = 16;
const NEAR_FIELDS: usize = 32;

fn near((kind, field): FieldStream) -> Option<usize> {
    let (kind, field) = (usize::from(kind), usize::from(field));
    (kind < NEAR_KINDS && field < NEAR_FIELDS).then_some(kind * NEAR_FIELDS + field)
}

impl<'b> Fields<'b> {
    /// As they stand, each stream once.
    fn of(streams: impl Iterator<Item = Result<(FieldStream, Rest<'b>), PackedError>>) -> Result<Self, PackedError> {
        let mut fields =
            Self { all: Vec::new(), places: BTreeMap::new(), near: Box::new([0; NEAR_KINDS * NEAR_FIELDS]) };
        for stream in streams {
            let (field, rest) = stream?;
            if fields.places.insert(field, fields.all.len()).is_some() {
                return Err(PackedError::Malformed);
            }
            fields.all.push(rest);
            if let Some(slot) = near(field).and_then(|at| fields.near.get_mut(at)) {
                *slot = u16::try_from(fields.all.len()).unwrap_or(0);
            }
        }
        Ok(fields)
    }

    fn get(&mut self, field: FieldStream) -> Option<&mut Rest<'b>> {
        let place = match near(field).and_then(|at| self.near.get(at)).copied() {
            Some(place) if place > 0 => usize::from(place) - 1,
            _ => *self.places.get(&field)?,
        };
        self.all.get_mut(place)
    }
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Result<Self, PackedError> {
        let mut rest = Rest(bytes);
        if rest.take(1)? != [VERSION] {
            return Err(PackedError::Malformed);
        }
        let items = rest.unsigned()?;
        let map = rest.unsigned()?;
        if map >> COLUMNS != 0 {
            return Err(PackedError::Malformed);
        }
        let there: Vec<usize> = (0..COLUMNS).filter(|at| map >> at & 1 == 1).collect();
        let lengths = there.iter().map(|_| rest.length()).collect::<Result<Vec<_>, _>>()?;
        let mut fields = Vec::new();
        for _ in 0..rest.unsigned()? {
            // Each takes three bytes at least: the announced number allocates nothing.
            let number = |value: u64| u16::try_from(value).map_err(|_| PackedError::Malformed);
            let field = (number(rest.unsigned()?)?, number(rest.unsigned()?)?);
            fields.push((field, rest.length()?));
        }
        let mut columns = [Rest::default(); COLUMNS];
        for (at, length) in there.into_iter().zip(lengths) {
            let column = columns.get_mut(at).ok_or(PackedError::Malformed)?;
            *column = Rest(rest.take(length)?);
        }
        let fields = Fields::of(fields.into_iter().map(|(field, length)| Ok((field, Rest(rest.take(length)?)))))?;
        if rest.0.is_empty() { Ok(Self { items, columns, fields }) } else { Err(PackedError::Malformed) }
    }

    fn column(&mut self, column: Column) -> Result<&mut Rest<'b>, PackedError> {
        self.columns.get_mut(column as usize).ok_or(PackedError::Malformed)
    }

    /// The next number of a column of numbers; zero after its end.
    pub(super) fn unsigned(&mut self, column: Column) -> Result<u64, PackedError> {
        let numbers = self.column(column)?;
        if numbers.0.is_empty() { Ok(0) } else { numbers.unsigned() }
    }

    pub(super) fn signed(&mut self, column: Column) -> Result<i64, PackedError> {
        self.unsigned(column).map(unfolded)
    }

    pub(super) fn take(&mut self, column: Column, len: usize) -> Result<&'b [u8], PackedError> {
        self.column(column)?.take(len)
    }

    pub(super) fn array<const N: usize>(&mut self, column: Column) -> Result<[u8; N], PackedError> {
        self.take(column, N)?.try_into().map_err(|_| PackedError::Malformed)
    }

    pub(super) fn name(&mut self) -> Result<&'b [u8], PackedError> {
        let len = usize::try_from(self.unsigned(Column::NameLength)?).map_err(|_| PackedError::Malformed)?;
        if (1..=NAME_BYTES_MAX).contains(&len) { self.take(Column::Name, len) } else { Err(PackedError::Malformed) }
    }

    pub(super) fn until_nul(&mut self, column: Column) -> Result<&'b [u8], PackedError> {
        self.column(column)?.until_nul()
    }

    fn field(&mut self, field: FieldStream) -> Result<&mut Rest<'b>, PackedError> {
        self.fields.get(field).ok_or(PackedError::Malformed)
    }

    pub(super) fn field_unsigned(&mut self, field: FieldStream) -> Result<u64, PackedError> {
        self.field(field)?.unsigned()
    }

    pub(super) fn field_take(&mut self, field: FieldStream, len: usize) -> Result<&'b [u8], PackedError> {
        self.field(field)?.take(len)
    }

    pub(super) fn field_until_nul(&mut self, field: FieldStream) -> Result<&'b [u8], PackedError> {
        self.field(field)?.until_nul()
    }

    /// The next character of a text.
    pub(super) fn field_char(&mut self, field: FieldStream) -> Result<&'b str, PackedError> {
        let rest = self.field(field)?;
        let len = match rest.0.first() {
            Some(0x00..=0x7f) => 1,
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xff) => 4,
            _ => return Err(PackedError::Malformed),
        };
        std::str::from_utf8(rest.take(len)?).map_err(|_| PackedError::Malformed)
    }

    /// Whether every byte was used.
    pub(super) fn is_finished(&self) -> bool {
        self.columns.iter().chain(&self.fields.all).all(|rest| rest.0.is_empty())
    }
}
