//! A segment as the phone that receives it reads it: what its records say, with no change rebuilt. That its bytes are the
//! server's, a signature over them says; that its changes are sound is found out when a record is tried.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::error::WireError;
use foras_wire::frame::from_cbor;
use foras_wire::id::Actor;
use foras_wire::limits::SEGMENT_RECORDS_MAX;
use foras_wire::page::SeenEntry;
use foras_wire::record::{RecordKey, RecordRef};

use crate::admission;
use crate::change::{ParsedChange, ParsedObject};
use crate::document::Content;
use crate::pack::{BAD, Body, Maker, SegmentAuthor, notices, position, read_signed};
use crate::packed;
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
    /// The position where it first stands in the log.
    pub first: u64,
    /// The last position at which the points' side wrote it; 0: never.
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
    /// Reads a segment's content, and the columns of those records for which `wanted` says so.
    ///
    /// # Errors
    /// [`WireError`] when the bytes are no segment, or over a limit.
    pub fn read(bytes: &[u8], maker: &Maker, wanted: impl Fn(&RecordRef) -> bool) -> Result<Self, WireError> {
        let body: Body = from_cbor("segment", bytes)?;
        let mut reading = Reading { places: &body.places, ..Reading::default() };
        packed::read_values(&body.changes, maker, |record, received_ms, change| {
            reading.change(record, received_ms, change, &wanted);
        })
        .map_err(|_| BAD)?;
        reading.close();
        let Reading { mut records, places, is_bad, .. } = reading;
        if is_bad || !places.is_empty() {
            return Err(BAD);
        }
        for notice in notices(&body.seen)? {
            let record = records.get_mut(notice.at).ok_or(BAD)?;
            record.seen = Some(notice.of(record.record.key, record.first)?);
        }
        Ok(Self { authors: body.authors()?, records })
    }

    /// How many changes it holds.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.records.iter().map(|record| u64::from(record.changes)).sum()
    }
}

/// A segment that is being read.
#[derive(Default)]
struct Reading<'b> {
    records: Vec<ReceivedRecord>,
    keys: BTreeSet<RecordKey>,
    /// What the changes of the last record write, without hashes and bytes.
    values: Option<Vec<ParsedChange>>,
    places: &'b [u8],
    before: i64,
    is_bad: bool,
}

impl Reading<'_> {
    fn change(
        &mut self,
        record: RecordRef,
        received_ms: i64,
        change: Option<ParsedChange>,
        wanted: &impl Fn(&RecordRef) -> bool,
    ) {
        if self.records.last().is_none_or(|last| last.record != record) {
            self.close();
            self.values = wanted(&record).then(Vec::new);
            match self.begin(record) {
                Ok(begun) => self.records.push(begun),
                Err(_) => self.is_bad = true,
            }
        }
        let Some(last) = self.records.last_mut() else { return };
        last.changes = last.changes.saturating_add(1);
        last.received_ms = last.received_ms.max(received_ms);
        let Some(change) = change else {
            (last.is_plain, self.values) = (false, None);
            return;
        };
        last.is_plain &= change.ops.iter().all(|op| op.object == ParsedObject::Root) && change.bytes().is_empty();
        if let Some(values) = &mut self.values {
            values.push(change);
        }
    }

    /// The last record has all its changes: what they write is not kept any longer than that.
    fn close(&mut self) {
        let (Some(last), Some(values)) = (self.records.last_mut(), self.values.take()) else { return };
        let Ok(kind) = admission::check_record(&last.record) else { return };
        last.view = Content::of_changes(kind, &values).map(|content| projection::columns_of(kind, content));
    }

    fn begin(&mut self, record: RecordRef) -> Result<ReceivedRecord, WireError> {
        self.before = self.before.wrapping_add(read_signed(&mut self.places)?);
        let moved = position(self.before.wrapping_add(read_signed(&mut self.places)?))?;
        let first = position(self.before)?;
        if !self.keys.insert(record.key) || self.records.len() >= SEGMENT_RECORDS_MAX {
            return Err(BAD);
        }
        let (seen, view) = (None, None);
        Ok(ReceivedRecord { record, first, moved, seen, received_ms: 0, changes: 0, is_plain: true, view })
    }
}
