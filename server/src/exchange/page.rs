//! Pages: consecutive entries of a log, checked once more against the audiences as they are now, and signed.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::proof;
use foras_record::role::Role;
use foras_wire::audience::AudienceName;
use foras_wire::id::Signature64;
use foras_wire::limits::PAGE_BYTES;
use foras_wire::page::{AuthorEntry, ChangeEntry, Entry, Page, RawEntry, WholeEntry};
use foras_wire::record::{RecordKey, RecordRef};
use foras_wire::sync::AnswerFrame;
use rusqlite::Connection;

use super::{Exchange, Sink, Withheld};
use crate::error::ServerError;
use crate::storage::logs::{self, Code, LogRow};
use crate::storage::records;

/// Raw bytes of pages after which an answer stops and says that there is more.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Rows that are read from a log at a time.
const ROWS: u32 = 256;
/// What an entry costs beside its body, about.
const ENTRY_BYTES: usize = 8;

/// Sends pages over one answer.
pub(super) struct Pager<'a> {
    exchange: &'a Exchange<'a>,
    /// Where the device stands in each log, in the order of the grant.
    pub(super) cursors: Vec<u64>,
    /// Records that left or came whole earlier in this answer.
    moved: BTreeSet<RecordKey>,
    /// Audiences that get no pages in this answer.
    withheld: &'a Withheld,
    /// Raw bytes that this answer may still bring.
    left: usize,
}

impl<'a> Pager<'a> {
    pub(super) fn new(exchange: &'a Exchange<'a>, cursors: Vec<u64>, withheld: &'a Withheld) -> Self {
        Self { exchange, cursors, moved: BTreeSet::new(), withheld, left: ANSWER_BYTES }
    }

    /// Whether something is held back until a recovery is closed.
    pub(super) fn holds_back(&self) -> bool {
        !self.withheld.held.is_empty()
    }

    /// Sends pages of every audience but those of `without`. Returns the heads of all, and whether some audience stops
    /// before its own; `None` when the receiver is gone.
    pub(super) fn give(
        &mut self,
        db: &Connection,
        without: &BTreeSet<usize>,
        sink: &mut Sink<'_>,
    ) -> Result<Option<(Vec<u64>, bool)>, ServerError> {
        let (mut heads, mut more) = (Vec::new(), false);
        for (index, audience) in self.exchange.caller.grant.audiences.iter().enumerate() {
            if self.withheld.held.contains(&index) {
                // What is held back looks like a log that does not move.
                heads.push(self.cursors.get(index).copied().unwrap_or(0));
                continue;
            }
            let head = logs::head(db, audience.as_str())?;
            heads.push(head);
            if self.withheld.compared.contains(&index) {
                continue;
            }
            if without.contains(&index) {
                more = true;
                continue;
            }
            let Some(at) = self.give_one(db, index, audience, head, sink)? else { return Ok(None) };
            more |= at < head;
        }
        Ok(Some((heads, more)))
    }

    /// Sends pages of one audience; where it stands then, or `None` when the receiver is gone.
    fn give_one(
        &mut self,
        db: &Connection,
        index: usize,
        audience: &AudienceName,
        head: u64,
        sink: &mut Sink<'_>,
    ) -> Result<Option<u64>, ServerError> {
        let mut at = self.cursors.get(index).copied().unwrap_or(0);
        while at < head && self.left > 0 {
            let (entries, bytes) = Composer::new(self.exchange, db, audience, &mut self.moved)?.compose(at)?;
            if entries.is_empty() {
                return Err(ServerError::Corrupt("a log has a gap"));
            }
            let number = u16::try_from(index).unwrap_or(u16::MAX);
            let mut page = Page { audience: number, from: at, entries, signature: Signature64([0; 64]) };
            let keys = &self.exchange.server.keys;
            proof::sign_page(&keys.key, &mut page, &keys.server, keys.epoch(), audience);
            at = page.to();
            self.left = self.left.saturating_sub(bytes);
            if !sink(AnswerFrame::Page(page)) {
                return Ok(None);
            }
        }
        if let Some(cursor) = self.cursors.get_mut(index) {
            *cursor = at;
        }
        Ok(Some(at))
    }
}

/// Makes the entries of one page.
struct Composer<'a> {
    exchange: &'a Exchange<'a>,
    db: &'a Connection,
    audience: &'a AudienceName,
    /// Records of this page; `None`: not of this audience any more.
    records: BTreeMap<RecordKey, Option<RecordRef>>,
    /// Records that left or came whole earlier in this answer. The receiver let go of its own changes with them, so these
    /// are sent in full.
    moved: &'a mut BTreeSet<RecordKey>,
    names: bool,
}

impl<'a> Composer<'a> {
    fn new(
        exchange: &'a Exchange<'a>,
        db: &'a Connection,
        audience: &'a AudienceName,
        moved: &'a mut BTreeSet<RecordKey>,
    ) -> Result<Self, ServerError> {
        // Migrants are told roles only.
        let names = exchange.caller.grant.role != Role::Migrant.code();
        Ok(Self { exchange, db, audience, records: BTreeMap::new(), moved, names })
    }

    /// Entries after position `from`, until a page is full, and their bytes.
    fn compose(mut self, from: u64) -> Result<(Vec<RawEntry>, usize), ServerError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        loop {
            let at = from + entries.len() as u64;
            let rows = logs::after(self.db, self.audience.as_str(), at, ROWS)?;
            let last = rows.len() < ROWS as usize;
            for row in rows {
                let entry = RawEntry::from(&self.entry(&row)?);
                bytes += entry.body.len() + ENTRY_BYTES;
                entries.push(entry);
                if bytes >= PAGE_BYTES {
                    return Ok((entries, bytes));
                }
            }
            if last {
                return Ok((entries, bytes));
            }
        }
    }

    fn entry(&mut self, row: &LogRow) -> Result<Entry, ServerError> {
        match row.code {
            Code::Stub => Ok(Entry::Stub),
            Code::Drop => {
                self.moved.insert(row.record);
                Ok(Entry::Drop(row.record))
            }
            Code::Author => self.author(&row.body),
            Code::Seen | Code::Change | Code::Whole => match self.record(&row.record)? {
                None => Ok(Entry::Stub),
                Some(_) if row.code == Code::Seen => read("seen", &row.body).map(Entry::Seen),
                Some(record) if row.code == Code::Change => self.change(record, row.ord),
                Some(record) => {
                    self.moved.insert(record.key);
                    self.whole(record, row)
                }
            },
        }
    }

    /// The record, if the audience holds it now.
    fn record(&mut self, key: &RecordKey) -> Result<Option<RecordRef>, ServerError> {
        if let Some(known) = self.records.get(key) {
            return Ok(*known);
        }
        let held = records::is_held(self.db, key, self.audience.as_str())?;
        let record = if held { records::get(self.db, key)? } else { None };
        self.records.insert(*key, record);
        Ok(record)
    }

    fn change(&self, record: RecordRef, ord: u64) -> Result<Entry, ServerError> {
        let change = records::change(self.db, &record.key, ord)?;
        let change = change.ok_or(ServerError::Corrupt("a log names a change that is not there"))?;
        if self.exchange.own.contains(&(record.key, change.hash)) && !self.moved.contains(&record.key) {
            return Ok(Entry::Known(record.key));
        }
        Ok(Entry::Change(ChangeEntry { record, chunk: change.chunk, received_ms: change.received_ms }))
    }

    fn whole(&self, record: RecordRef, row: &LogRow) -> Result<Entry, ServerError> {
        let chunks = records::chunks(self.db, &record.key, row.ord)?;
        let chunks = chunks.into_iter().map(Into::into).collect();
        Ok(Entry::Whole(WholeEntry { record, chunks, received_ms: row.at_ms }))
    }

    fn author(&self, body: &[u8]) -> Result<Entry, ServerError> {
        let author: AuthorEntry = read("author", body)?;
        let name = author.name.filter(|_| self.names);
        Ok(Entry::Author(AuthorEntry { name, ..author }))
    }
}

fn read<'b, T: minicbor::Decode<'b, ()>>(what: &'static str, body: &'b [u8]) -> Result<T, ServerError> {
    foras_wire::frame::from_cbor(what, body).map_err(|_| ServerError::Corrupt("an entry of a log does not read"))
}
