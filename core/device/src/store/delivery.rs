//! How far a record's last edit has come.

use foras_wire::record::RecordKey;
use rusqlite::{OptionalExtension, Row, params};

use super::Store;
use super::fold::Asked;
use crate::error::Error;

/// How far a record has come, always known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Durable here, not sent.
    Saved,
    /// On its way in a request.
    Sending,
    /// Written by another device, handed over by a phone: shown as provisional until the server has it.
    Carried,
    /// On the server, durably.
    Server {
        /// When, in milliseconds since 1970, server's clock; `None` where the server told only that it is.
        at_ms: Option<i64>,
    },
    /// On a device of the mission.
    Seen {
        /// The mission's country, ISO 3166-1 alpha-2.
        country: String,
        /// When, in milliseconds since 1970, server's clock.
        at_ms: i64,
    },
    /// On the server, which has not ruled yet.
    Awaiting,
    /// Something written here was not admitted; see [`Store::refused`].
    Refused {
        /// The stable code.
        code: String,
    },
}

impl Delivery {
    /// The stable code of the state.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Sending => "sending",
            Self::Carried => "carried",
            Self::Server { .. } => "server",
            Self::Seen { .. } => "seen",
            Self::Awaiting => "awaiting",
            Self::Refused { .. } => "refused",
        }
    }
}

impl Store {
    /// How far the record has come. Of a record that was refused whole, its refusal.
    ///
    /// # Errors
    /// [`Error::NotFound`], or a failure of the storage.
    pub fn delivery(&self, key: &RecordKey) -> Result<Delivery, Error> {
        self.looking(Asked::Record(key), || {
            if let Some(code) = self.refusal_of(key)? {
                return Ok(Delivery::Refused { code });
            }
            let words = params![key.kind.0, key.id.as_bytes()];
            let mut statement = self.connection.prepare_cached("SELECT seq FROM outbox WHERE kind = ?1 AND id = ?2")?;
            let unsent = statement.query_map(words, |row| row.get::<_, i64>(0))?.collect::<Result<Vec<_>, _>>()?;
            if !unsent.is_empty() {
                let sending = unsent.iter().all(|seq| self.sending.contains(&seq.cast_unsigned()));
                return Ok(if sending { Delivery::Sending } else { Delivery::Saved });
            }
            if self.is_provisional(key)? {
                return Ok(Delivery::Carried);
            }
            self.of_row(key)
        })
    }

    fn refusal_of(&self, key: &RecordKey) -> Result<Option<String>, Error> {
        let sql = "SELECT code FROM refused WHERE kind = ?1 AND id = ?2 AND settled = 0 \
                   ORDER BY code = 'set_refused', seq DESC LIMIT 1";
        let words = params![key.kind.0, key.id.as_bytes()];
        Ok(self.connection.prepare_cached(sql)?.query_row(words, |row| row.get(0)).optional()?)
    }

    /// Whether [`Store::delivery`] may say of any record what its row does not: something is refused, unsent or carried.
    pub(super) fn is_any_apart(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM refused WHERE settled = 0) \
                   OR EXISTS (SELECT 1 FROM carried)";
        Ok(self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// Of a record without unsent work.
    fn of_row(&self, key: &RecordKey) -> Result<Delivery, Error> {
        let sql = format!("SELECT {ARRIVED} FROM record WHERE kind = ?1 AND id = ?2");
        let words = params![key.kind.0, key.id.as_bytes()];
        let found = self.connection.prepare_cached(&sql)?.query_row(words, |row| arrived(row, 0));
        found.optional()?.ok_or(Error::NotFound)
    }
}

/// What a record's row says of its delivery, for [`arrived`].
pub(super) const ARRIVED: &str = "record.awaiting, record.server_ms, record.seen_ms, record.seen_by, EXISTS \
    (SELECT 1 FROM holding WHERE record = record.row AND position > 0 AND seen >= position)";

/// How far a record without unsent work has come: the columns of [`ARRIVED`] from `at` on.
pub(super) fn arrived(row: &Row<'_>, at: usize) -> rusqlite::Result<Delivery> {
    let (awaiting, server_ms): (i64, i64) = (row.get(at)?, row.get(at + 1)?);
    Ok(if awaiting > 0 {
        Delivery::Awaiting
    } else if row.get(at + 4)? {
        Delivery::Seen { country: row.get(at + 3)?, at_ms: row.get(at + 2)? }
    } else {
        Delivery::Server { at_ms: (server_ms > 0).then_some(server_ms) }
    })
}
