//! Pages: consecutive entries of a log, checked once more against the audiences as they are now, packed and signed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foras_record::packed;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::audience::AudienceName;
use foras_wire::id::{ChangeHash, RecordId, Signature64};
use foras_wire::limits::PAGE_BYTES;
use foras_wire::page::{self, AuthorEntry, ChangeEntry, Entry, KnownEntry, Page, WholeEntry};
use foras_wire::record::{RecordKey, RecordRef};
use foras_wire::sync::AnswerFrame;
use rusqlite::Connection;

use super::held::Follower;
use super::{Exchange, Sink, Withheld};
use crate::error::ServerError;
use crate::ready::{Place, ReadyPage};
use crate::storage::logs::{self, Code, LogRow};
use crate::storage::records::{self, StoredChange};

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
            let ready = ready(self.exchange, db, audience, at)?;
            let page = if ready.changes.is_disjoint(&self.exchange.own) && !self.exchange.request.plain {
                ready.page.clone()
            } else {
                own(self.exchange, db, audience, &ready, &self.moved)?
            };
            let page = Page { audience: u16::try_from(index).unwrap_or(u16::MAX), ..page };
            self.moved.extend(ready.moved.iter().copied());
            at = page.to();
            self.left = self.left.saturating_sub(ready.bytes);
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

/// The page from `from` on as it is for everybody who has nothing of it already.
fn ready(
    exchange: &Exchange<'_>,
    db: &Connection,
    audience: &AudienceName,
    from: u64,
) -> Result<Arc<ReadyPage>, ServerError> {
    // Migrants are told roles only.
    let names = exchange.caller.grant.role != Role::Migrant.code();
    let place = Place { audience: audience.as_str().to_owned(), from, names, epoch: exchange.server.keys.epoch() };
    let (head, drops) = (logs::head(db, audience.as_str())?, logs::drops(db, audience.as_str())?);
    if let Some(ready) = exchange.server.ready.get(&place, head, drops)
        && all_held(db, audience, &ready.told)?
    {
        return Ok(ready);
    }
    let Composed { entries, bytes, is_full } = Composer::new(db, audience, names).compose(from)?;
    if entries.is_empty() {
        return Err(ServerError::Corrupt("a log has a gap"));
    }
    let keys = &exchange.server.keys;
    let body = packed::page::packed(&entries, Some(&Follower::new(db, keys, audience.as_str(), from)));
    let mut page = Page { audience: 0, from, count: count(&entries), signature: Signature64([0; 64]), body };
    proof::sign_page(&keys.key, &mut page, &page::root(&entries), &keys.server, keys.epoch(), audience);
    let ready =
        Arc::new(ReadyPage { page, bytes, changes: changes(&entries), moved: moved(&entries), told: told(&entries) });
    let head = if is_full { None } else { Some(head) };
    exchange.server.ready.keep(place, head, drops, Arc::clone(&ready));
    Ok(ready)
}

/// Whether the audience still holds every record that a page tells of: checked whenever the page is given.
fn all_held(db: &Connection, audience: &AudienceName, told: &BTreeSet<RecordKey>) -> Result<bool, ServerError> {
    for key in told {
        if !records::is_held(db, key, audience.as_str())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The same page for this device: what it just sent is only named. Or with everything in full.
fn own(
    exchange: &Exchange<'_>,
    db: &Connection,
    audience: &AudienceName,
    ready: &ReadyPage,
    moved: &BTreeSet<RecordKey>,
) -> Result<Page, ServerError> {
    let names = exchange.caller.grant.role != Role::Migrant.code();
    let Composed { mut entries, .. } = Composer::new(db, audience, names).compose(ready.page.from)?;
    entries.truncate(ready.page.count as usize);
    if exchange.request.plain {
        return Ok(Page { body: packed::page::packed(&entries, None), ..ready.page.clone() });
    }
    let mut moved = moved.clone();
    for entry in &mut entries {
        match entry {
            Entry::Whole(whole) => drop(moved.insert(whole.record.key)),
            Entry::Drop(key) => drop(moved.insert(*key)),
            Entry::Change(ChangeEntry { record, hash, received_ms, .. }) => {
                let (record, hash, received_ms) = (*record, *hash, *received_ms);
                if exchange.own.contains(&(record.key, hash)) && !moved.contains(&record.key) {
                    *entry = Entry::Known(KnownEntry { record, hash, received_ms });
                }
            }
            _ => {}
        }
    }
    let follower = Follower::new(db, &exchange.server.keys, audience.as_str(), ready.page.from);
    Ok(Page { body: packed::page::packed(&entries, Some(&follower)), ..ready.page.clone() })
}

fn count(entries: &[Entry]) -> u32 {
    u32::try_from(entries.len()).unwrap_or(u32::MAX)
}

fn changes(entries: &[Entry]) -> BTreeSet<(RecordKey, ChangeHash)> {
    let change = |entry: &Entry| match entry {
        Entry::Change(change) => Some((change.record.key, change.hash)),
        _ => None,
    };
    entries.iter().filter_map(change).collect()
}

/// Records of which something is told.
fn told(entries: &[Entry]) -> BTreeSet<RecordKey> {
    let told = |entry: &Entry| match entry {
        Entry::Change(change) => Some(change.record.key),
        Entry::Whole(whole) => Some(whole.record.key),
        Entry::Seen(seen) => Some(seen.key),
        _ => None,
    };
    entries.iter().filter_map(told).collect()
}

/// Records that left or came whole. The receiver lets go of its own changes with them, so later ones are sent in full.
fn moved(entries: &[Entry]) -> Vec<RecordKey> {
    let moved = |entry: &Entry| match entry {
        Entry::Whole(whole) => Some(whole.record.key),
        Entry::Drop(key) => Some(*key),
        _ => None,
    };
    entries.iter().filter_map(moved).collect()
}

/// Entries of one page, and their raw bytes.
struct Composed {
    entries: Vec<Entry>,
    bytes: usize,
    /// More rows would not change it.
    is_full: bool,
}

/// Makes the entries of one page.
struct Composer<'a> {
    db: &'a Connection,
    audience: &'a AudienceName,
    /// Records of this page; `None`: not of this audience any more.
    records: BTreeMap<RecordKey, Option<RecordRef>>,
    names: bool,
}

impl<'a> Composer<'a> {
    fn new(db: &'a Connection, audience: &'a AudienceName, names: bool) -> Self {
        Self { db, audience, records: BTreeMap::new(), names }
    }

    /// Entries after position `from`, until a page is full.
    fn compose(mut self, from: u64) -> Result<Composed, ServerError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        loop {
            let at = from + entries.len() as u64;
            let rows = logs::after(self.db, self.audience.as_str(), at, ROWS)?;
            let last = rows.len() < ROWS as usize;
            for row in rows {
                let entry = self.entry(&row)?;
                bytes += raw_bytes(&entry) + ENTRY_BYTES;
                entries.push(entry);
                if bytes >= PAGE_BYTES {
                    return Ok(Composed { entries, bytes, is_full: true });
                }
            }
            if last {
                return Ok(Composed { entries, bytes, is_full: false });
            }
        }
    }

    fn entry(&mut self, row: &LogRow) -> Result<Entry, ServerError> {
        match row.code {
            Code::Stub => Ok(Entry::Stub),
            Code::Drop => Ok(Entry::Drop(row.record)),
            Code::Author => self.author(&row.body),
            Code::Seen | Code::Change | Code::Whole => match self.record(&row.record)? {
                None => Ok(Entry::Stub),
                Some(_) if row.code == Code::Seen => read("seen", &row.body).map(Entry::Seen),
                Some(record) if row.code == Code::Change => self.change(record, row.ord),
                Some(record) => self.whole(record, row),
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
        let StoredChange { hash, chunk, received_ms, .. } = change;
        Ok(Entry::Change(ChangeEntry { record, hash, chunk, received_ms }))
    }

    fn whole(&self, record: RecordRef, row: &LogRow) -> Result<Entry, ServerError> {
        let changes = records::hashed_chunks(self.db, &record.key, row.ord)?;
        Ok(Entry::Whole(WholeEntry { record, changes, received_ms: row.at_ms }))
    }

    fn author(&self, body: &[u8]) -> Result<Entry, ServerError> {
        let author: AuthorEntry = read("author", body)?;
        let name = author.name.filter(|_| self.names);
        Ok(Entry::Author(AuthorEntry { name, ..author }))
    }
}

/// What an entry would take without packing, about.
fn raw_bytes(entry: &Entry) -> usize {
    match entry {
        Entry::Change(change) => change.chunk.len() + RecordId::LEN * 2,
        Entry::Whole(whole) => whole.changes.iter().map(|(_, chunk)| chunk.len()).sum::<usize>() + RecordId::LEN * 2,
        Entry::Stub => 0,
        _ => RecordId::LEN * 2,
    }
}

fn read<'b, T: minicbor::Decode<'b, ()>>(what: &'static str, body: &'b [u8]) -> Result<T, ServerError> {
    foras_wire::frame::from_cbor(what, body).map_err(|_| ServerError::Corrupt("an entry of a log does not read"))
}
