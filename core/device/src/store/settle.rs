//! What became of pushed changes.
//!
//! Durable ones leave the outbox. A change that the server did not take leaves its record, and so does what builds on it,
//! with the change sets that those belong to. What was refused stays as field edits; what merely stood behind it is
//! written anew under another incarnation.

use std::collections::{BTreeMap, BTreeSet};

use foras_sync::work::{Fate, Settlement};
use foras_wire::id::{Actor, ChangeHash, Incarnation, PublicKey};
use foras_wire::record::{RecordKey, RecordRef};
use foras_wire::sync::DepositAck;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::identity::Identity;
use super::lease::Contact;
use super::meta::{self, name};
use super::writing::Writing;
use super::{Changed, Store, arrival, carried, outbox, reissue, rows};
use crate::error::Error;

/// The incarnation is used by somebody else too: a copy of this store. All of its unsent work is written anew.
const SHARED_INCARNATION: [&str; 2] = ["seq_reused", "frozen"];
/// Refusals that only follow from another one, and do not come again once the change is written anew.
const FOLLOWS: [&str; 3] = ["depends_on_refused", "seq_gap", "own_change_left_out"];

/// What a settlement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// Changes that are on the server, durably.
    pub durable: u32,
    /// Changes that stay in the outbox.
    pub kept: u32,
    /// Changes that were refused; their edits are kept.
    pub refused: u32,
    /// Changes that the server keeps for a supervisor.
    pub quarantined: u32,
    /// Changes that left with a refused one, and were written anew.
    pub reissued: u32,
}

/// Why a change leaves its record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// To be written anew.
    Reissue,
    /// It went along with a refused one of its change set.
    SetRefused,
    /// The server keeps it for a supervisor.
    Quarantined(String),
    /// Refused with this code.
    Refused(String),
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub(super) struct OutboxRow {
    pub(super) seq: u64,
    pub(super) change_set: u64,
    pub(super) record: RecordRef,
    pub(super) hash: ChangeHash,
    pub(super) incarnation: Incarnation,
    pub(super) chunk: Vec<u8>,
    /// The server had acknowledged it once, and lost it: others may have built on it.
    pub(super) again: bool,
}

const COLUMNS: &str =
    "SELECT seq, change_set, kind, id, case_id, generation, hash, incarnation, chunk, again FROM outbox";

impl OutboxRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            change_set: row.get::<_, i64>(1)?.cast_unsigned(),
            record: rows::record_ref(row, 2)?,
            hash: ChangeHash(rows::array(row, 6)?),
            incarnation: Incarnation(rows::array(row, 7)?),
            chunk: row.get(8)?,
            again: row.get(9)?,
        })
    }

    fn one(connection: &Connection, seq: u64) -> Result<Option<Self>, Error> {
        let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE seq = ?1"))?;
        Ok(statement.query_row([seq.cast_signed()], Self::read).optional()?)
    }

    fn of_set(connection: &Connection, change_set: u64) -> Result<Vec<Self>, Error> {
        let mut statement = connection
            .prepare_cached(&format!("{COLUMNS} WHERE seq >= ?1 AND seq < ?2 AND change_set = ?1 ORDER BY seq"))?;
        let set = change_set.cast_signed();
        Ok(statement.query_map([set, outbox::past_set(set)], Self::read)?.collect::<Result<_, _>>()?)
    }

    pub(super) fn later(connection: &Connection, key: &RecordKey, seq: u64) -> Result<Vec<Self>, Error> {
        let sql = format!("{COLUMNS} WHERE kind = ?1 AND id = ?2 AND seq > ?3 ORDER BY seq");
        let mut statement = connection.prepare_cached(&sql)?;
        let words = params![key.kind.0, key.id.as_bytes(), seq.cast_signed()];
        Ok(statement.query_map(words, Self::read)?.collect::<Result<_, _>>()?)
    }

    /// The incarnation of this actor, if unsent work is by it.
    pub(super) fn incarnation_of(
        connection: &Connection,
        key: &PublicKey,
        actor: &Actor,
    ) -> Result<Option<Incarnation>, Error> {
        let mut statement = connection.prepare_cached("SELECT DISTINCT incarnation FROM outbox")?;
        let all = statement.query_map([], |row| rows::array(row, 0).map(Incarnation))?;
        let all = all.collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().find(|incarnation| Actor::of(key, incarnation) == *actor))
    }

    pub(super) fn of_incarnation(connection: &Connection, incarnation: &Incarnation) -> Result<Vec<Self>, Error> {
        let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE incarnation = ?1 ORDER BY seq"))?;
        Ok(statement.query_map([incarnation.as_bytes()], Self::read)?.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// Keeps what became of pushed changes, in one transaction. Rows that are settled already are passed over.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::BadAnswer`] when the server refuses what it built on, or a failure of the
    /// storage. Nothing is then settled, and the next answer tells again.
    pub fn settle(&mut self, settlements: &[Settlement], now_ms: i64) -> Result<Settled, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let fresh = self.fresh_incarnation()?;
        let mut writing = self.writing(now_ms)?;
        let mut settled = Settled::default();
        let (mut direct, mut vouched) = (BTreeMap::new(), BTreeSet::new());
        for Settlement { row, fate } in settlements {
            let Some(found) = OutboxRow::one(writing.connection(), *row)? else { continue };
            writing.changed.note(&found.record);
            match fate {
                Fate::Durable => {
                    vouched.insert(found.record.key);
                    leave_durable(&mut writing, &identity, &found)?;
                    settled.durable += 1;
                }
                Fate::Kept => settled.kept += 1,
                // What stood once, and others saw, does not leave its record.
                _ if found.again => {
                    leave_durable(&mut writing, &identity, &found)?;
                    settled.refused += 1;
                }
                Fate::Quarantined { code } => drop(direct.insert(*row, (found, Exit::Quarantined(code.clone())))),
                Fate::Refused { code } => drop(direct.insert(*row, (found, Exit::Refused(code.clone())))),
                Fate::SetRefused => drop(direct.insert(*row, (found, Exit::SetRefused))),
            }
        }
        settled.kept += keep_waiting_sets(&mut direct);
        let mut born = None;
        if !direct.is_empty() {
            let leaving = with_followers(writing.connection(), direct)?;
            let (leaving, others) = carried::leave::with_all(&mut writing, leaving, Vec::new())?;
            born = reissue::expel(&mut writing, &identity.reborn(fresh), leaving, &others, &mut settled)?;
        }
        let changed = writing.commit()?;
        self.vouched.extend(vouched);
        self.sending.retain(|row| !settlements.iter().any(|settlement| settlement.row == *row));
        if let Some(identity) = born {
            self.identity = Some(identity.into());
        }
        self.observers.tell(&changed);
        self.scrub()?;
        Ok(settled)
    }

    /// Keeps what became of deposits. A refused one is gone: it has no author whom to show it to.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn settle_deposits(&mut self, acks: &[DepositAck]) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for ack in acks {
            transaction.prepare_cached("DELETE FROM deposit WHERE id = ?1")?.execute([ack.id.as_bytes()])?;
        }
        transaction.commit()?;
        self.observers.tell(&Changed::delivery());
        Ok(())
    }
}

/// The server holds the change. Where its record left the device meanwhile, nothing of it stays; where the record left and
/// came back without it, it is part of it again.
fn leave_durable(writing: &mut Writing<'_>, identity: &Identity, row: &OutboxRow) -> Result<(), Error> {
    let connection = writing.connection();
    outbox::delete(connection, row.seq)?;
    let Some((held, _)) = rows::find(connection, &row.record.key)? else {
        return meta::put(connection, name::SCRUB, &[1]);
    };
    let contact: Option<Contact> = meta::get_cbor(connection, name::CONTACT)?;
    let server_ms = contact.map_or(0, |contact| contact.server_ms);
    let sql = "UPDATE record SET server_ms = max(server_ms, ?2) WHERE row = ?1";
    connection.prepare_cached(sql)?.execute(params![held.0, server_ms])?;
    if rows::has_change(connection, held, &row.hash)? {
        writing.acknowledged(held, &row.record, &row.hash)?;
    } else {
        arrival::admit(writing, identity, &row.record, &[(row.chunk.clone(), 0)])?;
    }
    Ok(())
}

/// Every row that has to leave when `direct` do, in the order of the outbox.
///
/// An own change builds on every earlier own change of its record, and a change set is admitted whole.
pub(super) fn with_followers(
    connection: &Connection,
    direct: BTreeMap<u64, (OutboxRow, Exit)>,
) -> Result<Vec<(OutboxRow, Exit)>, Error> {
    let mut leaving = direct;
    let shared = leaving.values().filter(|(_, exit)| refused_with(exit, &SHARED_INCARNATION));
    let shared: BTreeSet<Incarnation> = shared.map(|(row, _)| row.incarnation).collect();
    for incarnation in &shared {
        for row in OutboxRow::of_incarnation(connection, incarnation)? {
            let entry = leaving.entry(row.seq).or_insert((row, Exit::Reissue));
            if !matches!(entry.1, Exit::Quarantined(_)) {
                entry.1 = Exit::Reissue;
            }
        }
    }
    lift_followers(&mut leaving);
    let mut open: Vec<u64> = leaving.keys().copied().collect();
    while let Some(seq) = open.pop() {
        let Some((row, _)) = leaving.get(&seq) else { continue };
        let mut followers = OutboxRow::later(connection, &row.record.key, seq)?;
        followers.extend(OutboxRow::of_set(connection, row.change_set)?);
        for follower in followers {
            let seq = follower.seq;
            leaving.entry(seq).or_insert_with(|| {
                open.push(seq);
                (follower, Exit::Reissue)
            });
        }
    }
    level_sets(&mut leaving);
    Ok(leaving.into_values().collect())
}

/// A set that merely waits for something is not refused: none of its changes was.
fn keep_waiting_sets(direct: &mut BTreeMap<u64, (OutboxRow, Exit)>) -> u32 {
    let refused = |exit: &Exit| matches!(exit, Exit::Refused(_) | Exit::Quarantined(_));
    let refused: BTreeSet<u64> =
        direct.values().filter(|(_, exit)| refused(exit)).map(|(row, _)| row.change_set).collect();
    let before = direct.len();
    direct.retain(|_, (row, _)| refused.contains(&row.change_set));
    u32::try_from(before - direct.len()).unwrap_or(u32::MAX)
}

fn refused_with(exit: &Exit, codes: &[&str]) -> bool {
    matches!(exit, Exit::Refused(code) if codes.contains(&code.as_str()))
}

/// Change sets whose refusals only follow from others are written anew.
fn lift_followers(leaving: &mut BTreeMap<u64, (OutboxRow, Exit)>) {
    let lasting = |exit: &Exit| match exit {
        Exit::Refused(_) => !refused_with(exit, &FOLLOWS),
        Exit::Quarantined(_) => true,
        Exit::SetRefused | Exit::Reissue => false,
    };
    let refused: BTreeSet<u64> =
        leaving.values().filter(|(_, exit)| lasting(exit)).map(|(row, _)| row.change_set).collect();
    let follows: BTreeSet<u64> = leaving
        .values()
        .filter(|(_, exit)| refused_with(exit, &FOLLOWS) || *exit == Exit::Reissue)
        .map(|(row, _)| row.change_set)
        .collect();
    for (row, exit) in leaving.values_mut() {
        if follows.contains(&row.change_set) && !refused.contains(&row.change_set) {
            *exit = Exit::Reissue;
        }
    }
}

/// A set of which some change was refused goes whole: nothing of it is written anew.
fn level_sets(leaving: &mut BTreeMap<u64, (OutboxRow, Exit)>) {
    let refused: BTreeSet<u64> =
        leaving.values().filter(|(_, exit)| *exit != Exit::Reissue).map(|(row, _)| row.change_set).collect();
    for (row, exit) in leaving.values_mut() {
        if *exit == Exit::Reissue && refused.contains(&row.change_set) {
            *exit = Exit::SetRefused;
        }
    }
}
