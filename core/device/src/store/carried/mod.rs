//! What other devices wrote and this one takes along to the server: kept as its authors signed it, shown as provisional.
//!
//! | file | what it is about |
//! |---|---|
//! | `keep` | taking a push in: its signatures, its changes |
//! | `apply` | one change set into its records, by the rules that the server applies |
//! | `place` | which audiences a record has or will have, as far as this device can know |
//! | `offer`, `hand_over` | what another device could be given, and the pushes that give it |
//! | `outgoing` | what the server is given, and what became of it |
//! | `leave` | taking changes out of their records again, with all that builds on them |

mod apply;
mod hand_over;
mod keep;
pub(super) mod leave;
mod offer;
mod outgoing;
mod place;

use foras_wire::id::{ChangeHash, RecordId};
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, rows};
use crate::error::Error;

pub use hand_over::Parcel;
pub use keep::{Handed, Kept};
pub use offer::{Choice, Shareable};
pub(super) use outgoing::arrived;

/// Not shown to this device, or let go of: a leaf.
const HIDDEN: i64 = 0;
/// Kept, and not in its record: something that it builds on has not come.
const WAITING: i64 = 1;
/// In its record, as provisional.
const APPLIED: i64 = 2;
/// On the server.
const SETTLED: i64 = 3;
/// Not admitted by the server. It is remembered, so that no other phone brings it back.
const REFUSED: i64 = 4;
/// On its way to the server only: its record left this device.
const AWAY: i64 = 5;

/// A change of a carried push.
#[derive(Debug, Clone)]
pub(super) struct CarriedItem {
    pub(super) row: i64,
    pub(super) carried: i64,
    position: i64,
    pub(super) change_set: i64,
    state: i64,
    pub(super) record: RecordRef,
    pub(super) hash: ChangeHash,
    chunk: Vec<u8>,
}

const COLUMNS: &str =
    "SELECT row, carried, position, change_set, state, kind, id, case_id, generation, hash, chunk FROM carried_item";

impl CarriedItem {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            row: row.get(0)?,
            carried: row.get(1)?,
            position: row.get(2)?,
            change_set: row.get(3)?,
            state: row.get(4)?,
            record: rows::record_ref(row, 5)?,
            hash: ChangeHash(rows::array(row, 9)?),
            chunk: row.get(10)?,
        })
    }

    fn one(connection: &Connection, row: i64) -> Result<Option<Self>, Error> {
        let sql = format!("{COLUMNS} WHERE row = ?1 AND state <> 0");
        Ok(connection.prepare_cached(&sql)?.query_row([row], Self::read).optional()?)
    }

    /// Shown changes of one push, in order.
    fn of_push(connection: &Connection, carried: i64) -> Result<Vec<Self>, Error> {
        let sql = format!("{COLUMNS} WHERE carried = ?1 AND state <> 0 ORDER BY position");
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_map([carried], Self::read)?.collect::<Result<_, _>>()?)
    }

    /// Changes of one set that stand in their records.
    fn applied_of_set(connection: &Connection, carried: i64, change_set: i64) -> Result<Vec<Self>, Error> {
        let sql = format!("{COLUMNS} WHERE carried = ?1 AND change_set = ?2 AND state = 2 ORDER BY position");
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_map([carried, change_set], Self::read)?.collect::<Result<_, _>>()?)
    }

    /// Changes that stand in this record and that the server does not have yet.
    pub(super) fn applied_of_record(connection: &Connection, key: &RecordKey) -> Result<Vec<Self>, Error> {
        let sql = format!("{COLUMNS} WHERE kind = ?1 AND id = ?2 AND state = 2 ORDER BY row");
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_map(params![key.kind.0, key.id.as_bytes()], Self::read)?.collect::<Result<_, _>>()?)
    }
}

/// Whether the change stands in its record and the server did not have it yet.
pub(super) fn is_applied(connection: &Connection, key: &RecordKey, hash: &ChangeHash) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM carried_item WHERE kind = ?1 AND id = ?2 AND hash = ?3 AND state = 2)";
    let words = params![key.kind.0, key.id.as_bytes(), hash.as_bytes()];
    Ok(connection.prepare_cached(sql)?.query_row(words, |row| row.get(0))?)
}

/// The record leaves this device: what others wrote of it still goes to the server, and nowhere else.
pub(super) fn send_away(connection: &Connection, key: &RecordKey) -> Result<(), Error> {
    let sql = "UPDATE carried_item SET state = ?3 WHERE kind = ?1 AND id = ?2 AND state IN (1, 2)";
    connection.prepare_cached(sql)?.execute(params![key.kind.0, key.id.as_bytes(), AWAY])?;
    Ok(())
}

/// The person of this case was erased: nothing of it is carried any more.
pub(super) fn erase(connection: &Connection, case: &RecordId) -> Result<(), Error> {
    let sql = "UPDATE carried_item SET state = 0, kind = 0, id = x'', case_id = x'', hash = x'', chunk = x'' \
               WHERE case_id = ?1";
    connection.prepare_cached(sql)?.execute([case.as_bytes()])?;
    let sql = "DELETE FROM carried WHERE NOT EXISTS \
               (SELECT 1 FROM carried_item WHERE carried_item.carried = carried.row AND state IN (1, 2, 4, 5))";
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn set_state(connection: &Connection, item: i64, state: i64) -> Result<(), Error> {
    connection.prepare_cached("UPDATE carried_item SET state = ?2 WHERE row = ?1")?.execute([item, state])?;
    Ok(())
}

/// Lets go of the bytes of settled sets, and of pushes of which nothing is left to tell.
fn tidy(connection: &Connection, carried: i64) -> Result<(), Error> {
    let sql = "UPDATE carried_item SET chunk = x'' WHERE carried = ?1 AND state IN (3, 4) AND chunk <> x'' AND NOT EXISTS \
               (SELECT 1 FROM carried_item AS mate WHERE mate.carried = ?1 AND mate.state IN (1, 2, 5) \
               AND mate.change_set = carried_item.change_set)";
    connection.prepare_cached(sql)?.execute([carried])?;
    let sql = "DELETE FROM carried WHERE row = ?1 AND NOT EXISTS \
               (SELECT 1 FROM carried_item WHERE carried = ?1 AND state IN (1, 2, 4, 5))";
    connection.prepare_cached(sql)?.execute([carried])?;
    Ok(())
}

impl Store {
    /// Changes of other devices that wait for the server.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn carried(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM carried_item WHERE state IN (1, 2, 5)";
        let count: i64 = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    /// Whether the record shows changes of other devices that the server does not have yet.
    pub(super) fn is_provisional(&self, key: &RecordKey) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM carried_item WHERE kind = ?1 AND id = ?2 AND state = 2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![key.kind.0, key.id.as_bytes()], |row| row.get(0))?)
    }
}
