//! A segment as the phone that receives it reads it: what its records say, with no change rebuilt. That its bytes are the
//! server's, a signature over them says; that its changes are sound is found out when a record is tried.

use std::collections::BTreeMap;

use foras_wire::error::WireError;
use foras_wire::frame::from_cbor;
use foras_wire::id::Actor;
use foras_wire::limits::SEGMENT_RECORDS_MAX;
use foras_wire::page::SeenEntry;
use foras_wire::record::{KindCode, RecordKey, RecordRef};

use crate::admission;
use crate::change::{ParsedChange, ParsedObject};
use crate::document::Content;
use crate::pack::{BAD, Body, Maker, SegmentAuthor};
use crate::packed::{self, ValuesRead};
use crate::projection::{self, View};

/// A segment without its changes' bytes.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// The records, each once, in the segment's order.
    pub records: Vec<ReceivedRecord>,
    /// Who wrote them, as far as the receiver may know.
    pub authors: BTreeMap<Actor, SegmentAuthor>,
}

/// A record of a segment.
#[derive(Debug, Clone)]
pub struct ReceivedRecord {
    /// The record.
    pub record: RecordRef,
    /// As [`crate::pack::SegmentRecord::moved`].
    pub moved: u64,
    /// The newest notice that a mission has it.
    pub seen: Option<SeenEntry>,
    /// When the server received the last of its changes, in milliseconds since 1970, server's clock.
    pub received_ms: i64,
    /// How many changes it has.
    pub changes: u32,
    /// Whether they write nothing but values at fields: then its columns can be read whenever somebody asks.
    pub is_plain: bool,
    /// What lists show of it; `None` where nobody asked, or where it has to be tried first.
    pub view: Option<View>,
}

impl Received {
    /// Reads a segment's content, and the columns of records of those kinds for which `wanted` says so. Changes of others are
    /// passed over.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are no segment, or over a limit: then it cannot be read for other kinds either.
    pub fn read(bytes: &[u8], maker: &Maker, wanted: impl Fn(KindCode) -> bool) -> Result<Self, WireError> {
        let body: Body = from_cbor("segment", bytes)?;
        let mut records = match records(&body, maker, &wanted, &wanted) {
            Ok(records) => records,
            // Who passes over changes counts too much rather than too little: reading all of them decides.
            Err(_) => records(&body, maker, &|_| true, &wanted)?,
        };
        let beside = body.beside(records.len())?;
        for (record, beside) in records.iter_mut().zip(beside) {
            let seen = beside.seen.map(|notice| notice.of(record.record.key, beside.moved)).transpose()?;
            (record.received_ms, record.moved, record.seen) = (beside.received_ms, beside.moved, seen);
        }
        Ok(Self { authors: body.authors()?, records })
    }

    /// How many changes it holds.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.records.iter().map(|record| u64::from(record.changes)).sum()
    }
}

/// The records of a segment's changes: of kinds that are `read` all is read, and of those that are `wanted` the columns are
/// made.
fn records(
    body: &Body,
    maker: &Maker,
    read: &dyn Fn(KindCode) -> bool,
    wanted: &dyn Fn(KindCode) -> bool,
) -> Result<Vec<ReceivedRecord>, WireError> {
    let mut reading = Reading::default();
    packed::read_values(&body.changes, maker, read, |place, record, _, change| {
        reading.change(place, record, change, wanted);
    })
    .map_err(|_| BAD)?;
    reading.close();
    let Reading { records, is_bad, .. } = reading;
    let mut keys: Vec<RecordKey> = records.iter().map(|one| one.record.key).collect();
    keys.sort_unstable();
    let is_twice = keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    if is_bad || is_twice { Err(BAD) } else { Ok(records) }
}

/// A segment that is being read.
#[derive(Default)]
struct Reading {
    records: Vec<ReceivedRecord>,
    /// The place of the last change's record.
    last: usize,
    /// Records from here on may have more changes: those of the last case, which stand mixed.
    open: usize,
    /// Of each of those: what its changes write, without hashes and bytes.
    values: Vec<Option<Vec<ParsedChange>>>,
    is_bad: bool,
}

impl Reading {
    /// A change of the record of this number.
    fn change(&mut self, place: usize, record: RecordRef, change: ValuesRead, wanted: &dyn Fn(KindCode) -> bool) {
        if self.last != place || self.records.is_empty() {
            let before = self.records.get(self.last).and_then(|before| before.record.case);
            if record.case.is_none() || before != record.case {
                self.close();
            }
            self.last = place;
            if place == self.records.len() && place < SEGMENT_RECORDS_MAX {
                self.values.push(wanted(record.key.kind).then(Vec::new));
                self.records.push(begun(record));
            }
        }
        let values = place.checked_sub(self.open).and_then(|at| self.values.get_mut(at));
        let told = self.records.get_mut(place);
        let (Some(told), Some(values)) = (told, values) else {
            self.is_bad = true;
            return;
        };
        told.changes = told.changes.saturating_add(1);
        match change {
            ValuesRead::Opaque => (told.is_plain, *values) = (false, None),
            ValuesRead::Skimmed { is_plain } => told.is_plain &= is_plain,
            ValuesRead::Whole(change) => {
                told.is_plain &=
                    change.ops.iter().all(|op| op.object == ParsedObject::Root) && change.bytes().is_empty();
                if let Some(values) = values {
                    values.push(change);
                }
            }
        }
    }

    /// The records so far have all their changes: what they write is not kept any longer than that.
    fn close(&mut self) {
        let open = self.records.iter_mut().skip(self.open);
        for (record, values) in open.zip(self.values.drain(..)) {
            let (Some(values), Ok(kind)) = (values, admission::check_record(&record.record)) else { continue };
            let ops = values.into_iter().flat_map(|change| change.ops);
            record.view = Content::of_ops(kind, ops).map(|content| projection::columns_of(kind, &content));
        }
        self.open = self.records.len();
    }
}

/// A record of which nothing was read yet.
const fn begun(record: RecordRef) -> ReceivedRecord {
    ReceivedRecord { record, moved: 0, seen: None, received_ms: 0, changes: 0, is_plain: true, view: None }
}
