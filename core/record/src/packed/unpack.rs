//! The receiver's side.

use foras_wire::id::{Actor, ChangeHash};
use foras_wire::limits::{CHANGE_BYTES_MAX, PACKED_BYTES_MAX, PACKED_ITEMS_MAX, PACKED_OPS_MAX};
use foras_wire::record::{KindCode, RecordRef};

use super::columns::{Column, Reader};
use super::deps::Deps;
use super::pack::form;
use super::told::Told;
use super::{Held, HeldChange, Item, PackedError, actors, hash_of, ops, records, skim};
use crate::change::encode::Unwritten;
use crate::change::{self, ParsedAction, ParsedChange, ParsedKey, ParsedOp, ParsedScalar};
use crate::kind::Kind;

/// The items that [`super::pack`] was given, each chunk rebuilt; what the receiver holds is named by its hash.
///
/// Nothing says that these are the sender's changes until a signature over their hashes was checked.
///
/// # Errors
/// [`PackedError::NotHeld`] when the list names what `held` does not hold; [`PackedError::TooLarge`] over
/// `PACKED_ITEMS_MAX` items, `PACKED_OPS_MAX` operations or `PACKED_BYTES_MAX` rebuilt bytes;
/// [`PackedError::Malformed`] for bytes that no [`super::pack`] wrote.
pub fn unpack(bytes: &[u8], held: &dyn Held) -> Result<Vec<Item>, PackedError> {
    unpack_after(&[], bytes, held)
}

/// As [`unpack`], of what [`super::pack_after`] packed.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_after(introduced: &[Actor], bytes: &[u8], held: &dyn Held) -> Result<Vec<Item>, PackedError> {
    let mut items = Vec::new();
    Unpacking::new(held, introduced, true).each(bytes, |record, item| {
        let (hash, chunk) = match item.told {
            ToldChange::Whole(change) => (change.hash, Some(change.into_bytes())),
            ToldChange::Opaque(hash, chunk) => (hash, Some(chunk)),
            ToldChange::Named(hash) => (hash, None),
            // Nothing is passed over where all is wanted.
            ToldChange::Skimmed { .. } => return,
        };
        items.push(Item { record, change_set: item.change_set, received_ms: item.received_ms, hash, chunk });
    })?;
    Ok(items)
}

/// A change of which the values alone were read.
#[derive(Debug, Clone)]
pub enum ValuesRead {
    /// What it does: its chunk is empty and its hash zero, and so are the hashes that it builds on.
    Whole(ParsedChange),
    /// It was passed over.
    Skimmed {
        /// Whether it writes nothing but values at fields.
        is_plain: bool,
    },
    /// This library cannot read it.
    Opaque,
}

/// What each change of a list does, with nothing rebuilt, for who needs the values only, and trusts the bytes by a signature
/// over them. Changes of records of a kind that is not `wanted` are passed over: they are as sound as if they were read.
/// `each` is given the record with its number in the list, when the server received the change, and the change.
///
/// # Errors
/// As [`unpack`]. Changes that the receiver would have to hold are [`PackedError::NotHeld`].
pub fn read_values(
    bytes: &[u8],
    held: &dyn Held,
    wanted: &dyn Fn(KindCode) -> bool,
    mut each: impl FnMut(usize, RecordRef, i64, ValuesRead),
) -> Result<(), PackedError> {
    let mut named = false;
    let unpacking = Unpacking { wanted: Some(wanted), ..Unpacking::new(held, &[], false) };
    unpacking.each(bytes, |record, item| {
        let read = match item.told {
            ToldChange::Whole(change) => ValuesRead::Whole(change),
            ToldChange::Skimmed { is_plain } => ValuesRead::Skimmed { is_plain },
            ToldChange::Opaque(..) => ValuesRead::Opaque,
            ToldChange::Named(_) => {
                named = true;
                return;
            }
        };
        each(item.place, record, item.received_ms, read);
    })?;
    if named { Err(PackedError::NotHeld) } else { Ok(()) }
}

struct Unpacking<'h> {
    told: Told<'h>,
    ops_left: usize,
    bytes_left: usize,
    /// Whether chunks are written again, and hashed.
    rebuild: bool,
    /// Changes of other kinds are passed over.
    wanted: Option<&'h dyn Fn(KindCode) -> bool>,
}

/// An item, as the list tells it.
struct ToldItem {
    /// The number of its record.
    place: usize,
    change_set: u32,
    received_ms: i64,
    told: ToldChange,
}

enum ToldChange {
    Whole(ParsedChange),
    Skimmed { is_plain: bool },
    Opaque(ChangeHash, Vec<u8>),
    Named(ChangeHash),
}

impl<'h> Unpacking<'h> {
    fn new(held: &'h dyn Held, introduced: &[Actor], rebuild: bool) -> Self {
        let told = Told::new(held, introduced);
        Self { told, ops_left: PACKED_OPS_MAX, bytes_left: PACKED_BYTES_MAX, rebuild, wanted: None }
    }

    fn each(mut self, bytes: &[u8], mut each: impl FnMut(RecordRef, ToldItem)) -> Result<(), PackedError> {
        let mut columns = Reader::new(bytes)?;
        if columns.items > PACKED_ITEMS_MAX as u64 {
            return Err(PackedError::TooLarge);
        }
        for _ in 0..columns.items {
            let (record, item) = self.item(&mut columns)?;
            each(record, item);
        }
        if columns.is_finished() { Ok(()) } else { Err(PackedError::Malformed) }
    }

    fn item(&mut self, columns: &mut Reader<'_>) -> Result<(RecordRef, ToldItem), PackedError> {
        let told = &mut self.told;
        let place = records::read(told, columns)?;
        let record = told.record(place).ok_or(PackedError::Malformed)?.record;
        let change_set = i64::from(told.change_set).checked_add(columns.signed(Column::Set)?);
        let change_set = change_set.and_then(|set| u32::try_from(set).ok()).ok_or(PackedError::Malformed)?;
        let received_ms = told.received_ms.wrapping_add(columns.signed(Column::Received)?);
        (told.place, told.change_set, told.received_ms) = (place, change_set, received_ms);
        let told = match columns.unsigned(Column::Form)? {
            form::REBUILT => {
                let kind = Kind::of_code(record.key.kind).ok_or(PackedError::Malformed)?;
                self.in_columns(columns, place, kind)?
            }
            form::RAW => self.raw(columns, place)?,
            form::NAMED => ToldChange::Named(self.named(columns, place)?),
            form::HASHED => ToldChange::Named(ChangeHash(columns.array(Column::Hash)?)),
            _ => return Err(PackedError::Malformed),
        };
        Ok((record, ToldItem { place, change_set, received_ms, told }))
    }

    fn raw(&mut self, columns: &mut Reader<'_>, place: usize) -> Result<ToldChange, PackedError> {
        let length = usize::try_from(columns.unsigned(Column::RawLength)?).map_err(|_| PackedError::Malformed)?;
        self.spend(length)?;
        let chunk = columns.take(Column::Raw, length)?.to_vec();
        if let Ok(parsed) = change::parse(&chunk) {
            self.told.note(place, &parsed);
            return Ok(ToldChange::Whole(parsed));
        }
        Ok(ToldChange::Opaque(hash_of(&chunk), chunk))
    }

    fn named(&mut self, columns: &mut Reader<'_>, place: usize) -> Result<ChangeHash, PackedError> {
        let likely = self.told.author;
        let actor = actors::read(&mut self.told, columns, Column::Actor, place, likely)?;
        let seq = columns.unsigned(Column::Seq)?;
        let change = self.told.change(place, &actor, seq).ok_or(PackedError::NotHeld)?;
        self.told.author = Some(actor);
        self.told.note_named(place, change);
        Ok(change.hash)
    }

    fn in_columns(&mut self, columns: &mut Reader<'_>, place: usize, kind: Kind) -> Result<ToldChange, PackedError> {
        let told = &mut self.told;
        let likely = told.author;
        let author = actors::read(told, columns, Column::Actor, place, likely)?;
        let deps = Deps::read(told, columns, place, kind, &author)?;
        let next_op = deps.next_op(kind).cast_signed();
        let start_op = next_op.wrapping_add(columns.signed(Column::StartOp)?).cast_unsigned();
        let time_s = told.time_s(place, &author, deps.seq, start_op).wrapping_add(columns.signed(Column::Time)?);
        let of = ops::Of { place, kind, author, start_op, is_first: deps.is_first() };
        if self.wanted.is_some_and(|wanted| !wanted(kind.code())) {
            let skimmed = skim::skim(told, columns, of, &mut self.ops_left)?;
            // As `ParsedChange::max_op` counts.
            let max_op = start_op.saturating_add(skimmed.op_count).saturating_sub(1);
            let known = HeldChange { actor: author, seq: deps.seq, hash: ChangeHash([0; 32]), max_op };
            told.note_header(place, known, start_op, time_s);
            self.spend(skimmed.bytes)?;
            return Ok(ToldChange::Skimmed { is_plain: skimmed.is_plain });
        }
        let ops = ops::read(told, columns, of, &mut self.ops_left)?;
        let change = self.change(kind, &deps, (author, start_op, time_s), ops)?;
        self.told.note_told(place, &change);
        Ok(ToldChange::Whole(change))
    }

    fn change(
        &mut self,
        kind: Kind,
        deps: &Deps,
        (author, start_op, time_s): (Actor, u64, i64),
        ops: Vec<ParsedOp>,
    ) -> Result<ParsedChange, PackedError> {
        let (seq, op_count) = (deps.seq, ops.len() as u64);
        if !self.rebuild {
            self.spend(ops.iter().map(told_bytes).sum())?;
            let (hash, deps, bytes) = (ChangeHash([0; 32]), Vec::new(), Vec::new());
            return Ok(ParsedChange { hash, actor: author, seq, start_op, op_count, time_s, deps, ops, bytes });
        }
        let hashes = deps.hashes(kind);
        let unwritten = Unwritten { deps: &hashes, actor: author, seq: deps.seq, start_op, time_s, ops: &ops };
        let chunk = unwritten.chunk();
        if chunk.len() > CHANGE_BYTES_MAX {
            return Err(PackedError::TooLarge);
        }
        self.spend(chunk.len())?;
        let hash = change::chunk_hash(&chunk).map_err(|_| PackedError::Malformed)?;
        Ok(ParsedChange { hash, actor: author, seq, start_op, op_count, time_s, deps: hashes, ops, bytes: chunk })
    }

    fn spend(&mut self, bytes: usize) -> Result<(), PackedError> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(PackedError::TooLarge)?;
        Ok(())
    }
}

/// About as many bytes as the operation takes where it is told by no more than a number.
fn told_bytes(op: &ParsedOp) -> usize {
    let key = if let ParsedKey::Field(key) = &op.key { key.len() } else { 0 };
    let value = if let ParsedAction::Put(ParsedScalar::Str(text)) = &op.action { text.len() } else { 0 };
    key + value + op.preds.len()
}
