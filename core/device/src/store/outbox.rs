//! What waits to go out: own changes, grouped and signed, and deposits.

use foras_record::{packed, proof};
use foras_sync::work::{OutgoingPush, Work};
use foras_wire::id::{ChangeHash, Incarnation, Nonce, RecordId, Signature64};
use foras_wire::limits;
use foras_wire::push::{Push, PushItem};
use foras_wire::record::{RecordKey, RecordRef};
use foras_wire::sync::Deposit;
use rusqlite::{Connection, params};

use super::identity::Identity;
use super::meta::{self, name};
use super::{Changed, Store, commit, entropy, held, page, rows};
use crate::error::Error;

/// Longest deposit, in bytes.
const DEPOSIT_BYTES_MAX: usize = 2 * 1024;

/// How much waits to go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    /// Changes that the server has not acknowledged.
    pub changes: u64,
    /// Their size, in bytes before compression.
    pub bytes: u64,
    /// When the oldest of them was saved, in milliseconds since 1970, device's clock; `None` when there is none.
    pub oldest_ms: Option<i64>,
    /// Deposits that the server has not acknowledged.
    pub deposits: u64,
}

/// How much one request may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkLimits {
    /// Changes at most; a single larger change set goes alone.
    pub changes_max: usize,
    /// Raw bytes of changes after which the request is closed.
    pub bytes: usize,
    /// Deposits at most.
    pub deposits_max: usize,
    /// Tell changes in full, without naming what the server holds.
    pub plain: bool,
}

impl Default for WorkLimits {
    fn default() -> Self {
        Self {
            changes_max: limits::PUSH_CHANGES_MAX,
            bytes: limits::PUSH_BYTES,
            deposits_max: limits::DEPOSITS_MAX,
            plain: false,
        }
    }
}

/// A signed push, and the outbox rows of its changes.
type Outgoing = (Push, Vec<u64>);

struct Queued {
    row: u64,
    change_set: i64,
    incarnation: Incarnation,
    grant_revision: u64,
    hash: ChangeHash,
    item: PushItem,
}

impl Store {
    /// What the next request carries: cursors, signed pushes and deposits. Change sets are never split.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn work(&self, limits: &WorkLimits) -> Result<Work, Error> {
        let identity = self.enrolled()?;
        let (queued, more_changes) = self.queued(limits)?;
        if !queued.is_empty() {
            // Records are named by as many bytes as tell them from all others of their kind. Where the disk is full, the server
            // says that a name was too short, and all is told in full.
            match self.unfold_all() {
                Ok(()) | Err(Error::StorageFull) => {}
                Err(error) => return Err(error),
            }
        }
        let (deposits, more_deposits) = self.deposits(limits.deposits_max)?;
        let (carried, more_carried) = self.outgoing_carried(limits)?;
        Ok(Work {
            epoch: identity.epoch,
            grant_revision: identity.grant.revision,
            cursors: page::cursors(&self.connection, identity)?,
            nonce: meta::get_array(&self.connection, name::NONCE)?.map(Nonce),
            pushes: self.packed(identity, pushes(identity, queued), limits.plain),
            plain: limits.plain,
            deposits,
            packs: self.packs(identity)?,
            carried,
            reconcile: self.sketches(identity)?,
            offers: self.offers(identity, limits)?,
            introduction: self.introduction()?.map(Box::new),
            more: more_changes || more_deposits || more_carried,
        })
    }

    /// The signed pushes, as they travel.
    fn packed(&self, identity: &Identity, pushes: Vec<Outgoing>, plain: bool) -> Vec<OutgoingPush> {
        let rows = held::Rows::new(&self.connection, identity);
        let held: Option<&dyn packed::Held> = if plain { None } else { Some(&rows) };
        let author = identity.public_key();
        let pack = |(push, rows)| OutgoingPush { push: packed::push::packed(&push, &author, held), rows };
        pushes.into_iter().map(pack).collect()
    }

    fn queued(&self, limits: &WorkLimits) -> Result<(Vec<Queued>, bool), Error> {
        let Some((through, more)) = self.last_set(limits)? else { return Ok((Vec::new(), false)) };
        let sql = "SELECT seq, change_set, kind, id, case_id, generation, hash, incarnation, grant_revision, chunk \
                   FROM outbox WHERE seq < ?1 AND change_set <= ?2 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let queued = statement.query_map([past_set(through), through], |row| {
            Ok(Queued {
                row: row.get::<_, i64>(0)?.cast_unsigned(),
                change_set: row.get(1)?,
                hash: ChangeHash(rows::array(row, 6)?),
                incarnation: Incarnation(rows::array(row, 7)?),
                grant_revision: row.get::<_, i64>(8)?.cast_unsigned(),
                item: PushItem { record: rows::record_ref(row, 2)?, change_set: 0, chunk: row.get(9)? },
            })
        })?;
        Ok((queued.collect::<Result<_, _>>()?, more))
    }

    /// The last change set that fits one request, and whether others wait behind it. Sets are numbered in the order
    /// in which they were made.
    fn last_set(&self, limits: &WorkLimits) -> Result<Option<(i64, bool)>, Error> {
        let sql = "SELECT change_set, length(chunk) FROM outbox ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut queued = statement.query([])?;
        // The set before the one under way, if there is one: it is the last that surely fits.
        let (mut fits, mut set, mut changes, mut bytes) = (None, None, 0_usize, 0_usize);
        while let Some(one) = queued.next()? {
            let of: i64 = one.get(0)?;
            if set != Some(of) {
                (fits, set) = (set, Some(of));
            }
            changes += 1;
            bytes = bytes.saturating_add(one.get::<_, i64>(1)?.try_into().unwrap_or(usize::MAX));
            if let Some(fits) = fits
                && (changes > limits.changes_max || bytes > limits.bytes)
            {
                return Ok(Some((fits, true)));
            }
        }
        Ok(set.map(|last| (last, false)))
    }

    fn deposits(&self, most: usize) -> Result<(Vec<Deposit>, bool), Error> {
        let mut statement = self.connection.prepare_cached("SELECT id, body FROM deposit ORDER BY seq LIMIT ?1")?;
        let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
        let found = statement
            .query_map([limit], |row| Ok(Deposit { id: RecordId(rows::array(row, 0)?), body: row.get(1)? }))?;
        let mut deposits = found.collect::<Result<Vec<_>, _>>()?;
        let more = deposits.len() > most;
        deposits.truncate(most);
        Ok((deposits, more))
    }

    /// These outbox rows travel now: their records show as sending until they are settled or the link fails.
    pub fn mark_sending(&mut self, outbox_rows: impl IntoIterator<Item = u64>) {
        self.sending.extend(outbox_rows);
        self.observers.tell(&Changed::delivery());
    }

    /// Nothing travels any more: what was not settled shows as saved again.
    pub fn mark_link_down(&mut self) {
        self.vouched.clear();
        if !std::mem::take(&mut self.sending).is_empty() {
            self.observers.tell(&Changed::delivery());
        }
    }

    /// Hands `body` in without a sender, durably; the server gets it beside the next push. Gives its random id.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::Misuse`] over 2 KiB, or a failure of the storage.
    pub fn deposit(&mut self, body: &str) -> Result<RecordId, Error> {
        let id = RecordId(entropy::bytes(&mut *self.entropy)?);
        self.deposit_as(id, body)?;
        Ok(id)
    }

    /// As [`Store::deposit`], under an id derived by the caller: the same id counts once.
    ///
    /// # Errors
    /// As [`Store::deposit`].
    pub fn deposit_as(&mut self, id: RecordId, body: &str) -> Result<(), Error> {
        self.enrolled()?;
        keep_deposit(&self.connection, id, body)?;
        self.observers.tell(&Changed::delivery());
        Ok(())
    }

    /// How much waits to go out.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn pending(&self) -> Result<Pending, Error> {
        let sql = "SELECT count(*), coalesce(sum(length(chunk)), 0), min(saved_ms), (SELECT count(*) FROM deposit) FROM outbox";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| {
            Ok(Pending {
                changes: row.get::<_, i64>(0)?.cast_unsigned(),
                bytes: row.get::<_, i64>(1)?.cast_unsigned(),
                oldest_ms: row.get(2)?,
                deposits: row.get::<_, i64>(3)?.cast_unsigned(),
            })
        })?)
    }
}

/// A number that no row of a change set reaches: a set is numbered by its first row, and its rows follow one another.
pub(super) const fn past_set(change_set: i64) -> i64 {
    change_set.saturating_add(limits::PUSH_CHANGES_MAX as i64)
}

/// Keeps a deposit until the server has it.
pub(super) fn keep_deposit(connection: &Connection, id: RecordId, body: &str) -> Result<(), Error> {
    if body.len() > DEPOSIT_BYTES_MAX {
        return Err(Error::Misuse("a deposit holds at most 2 KiB"));
    }
    let sql = "INSERT INTO deposit (id, body) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![id.as_bytes(), body])?;
    Ok(())
}

/// Consecutive changes of one incarnation and grant revision make one push.
fn pushes(identity: &Identity, queued: Vec<Queued>) -> Vec<Outgoing> {
    let mut groups: Vec<Vec<Queued>> = Vec::new();
    for one in queued {
        match groups.last_mut() {
            Some(group)
                if group.last().is_some_and(|last| {
                    (last.incarnation, last.grant_revision) == (one.incarnation, one.grant_revision)
                }) =>
            {
                group.push(one);
            }
            _ => groups.push(vec![one]),
        }
    }
    groups.into_iter().filter_map(|group| push(identity, group)).collect()
}

fn push(identity: &Identity, group: Vec<Queued>) -> Option<Outgoing> {
    let first = group.first()?;
    let (incarnation, grant_revision) = (first.incarnation, first.grant_revision);
    let mut push =
        Push { incarnation, grant_revision, items: Vec::with_capacity(group.len()), signature: Signature64([0; 64]) };
    let (mut hashes, mut outbox_rows, mut last, mut set) = (Vec::new(), Vec::new(), first.change_set, 0);
    for mut one in group {
        if one.change_set != last {
            (last, set) = (one.change_set, set + 1);
        }
        one.item.change_set = set;
        hashes.push(one.hash);
        outbox_rows.push(one.row);
        push.items.push(one.item);
    }
    proof::sign_push(&identity.key, &mut push, identity.server.id, identity.epoch, &hashes);
    Some((push, outbox_rows))
}

/// The server has this change; true when it still waited here.
pub(super) fn delete_arrived(connection: &Connection, key: &RecordKey, hash: &ChangeHash) -> Result<bool, Error> {
    let sql = "DELETE FROM outbox WHERE kind = ?1 AND id = ?2 AND hash = ?3";
    let words = params![key.kind.0, key.id.as_bytes(), hash.as_bytes()];
    Ok(connection.prepare_cached(sql)?.execute(words)? > 0)
}

/// An own change that the server lost.
pub(super) struct Again<'a> {
    pub(super) record: &'a RecordRef,
    pub(super) hash: &'a ChangeHash,
    pub(super) incarnation: Incarnation,
    pub(super) chunk: &'a [u8],
}

/// Queues an own change once more, as a change set of its own.
pub(super) fn again(connection: &Connection, identity: &Identity, again: &Again<'_>, now_ms: i64) -> Result<(), Error> {
    let sql = "INSERT INTO outbox \
               (seq, change_set, kind, id, case_id, generation, hash, incarnation, grant_revision, saved_ms, chunk, again) \
               VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)";
    connection.prepare_cached(sql)?.execute(params![
        commit::next_set(connection)?.cast_signed(),
        again.record.key.kind.0,
        again.record.key.id.as_bytes(),
        rows::case_bytes(again.record),
        again.record.generation,
        again.hash.as_bytes(),
        again.incarnation.as_bytes(),
        identity.grant.revision.cast_signed(),
        now_ms,
        again.chunk,
    ])?;
    Ok(())
}

/// Whether anything of the record waits to go out.
pub(super) fn waits(connection: &Connection, key: &RecordKey) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE kind = ?1 AND id = ?2)";
    Ok(connection.prepare_cached(sql)?.query_row(params![key.kind.0, key.id.as_bytes()], |row| row.get(0))?)
}

/// Whether more changes wait than one request carries.
pub(super) fn is_long(connection: &Connection) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM outbox LIMIT 1 OFFSET ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([limits::PUSH_CHANGES_MAX as i64], |row| row.get(0))?)
}

/// This row was settled.
pub(super) fn delete(connection: &Connection, row: u64) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM outbox WHERE seq = ?1")?.execute([row.cast_signed()])?;
    Ok(())
}
