//! How far a record's last edit has come.

use foras_wire::record::RecordKey;
use rusqlite::{OptionalExtension, params};

use super::Store;
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
        self.arrived(key)
    }

    fn refusal_of(&self, key: &RecordKey) -> Result<Option<String>, Error> {
        let sql = "SELECT code FROM refused WHERE kind = ?1 AND id = ?2 AND settled = 0 \
                   ORDER BY code = 'set_refused', seq DESC LIMIT 1";
        let words = params![key.kind.0, key.id.as_bytes()];
        Ok(self.connection.prepare_cached(sql)?.query_row(words, |row| row.get(0)).optional()?)
    }

    /// Of a record without unsent work.
    fn arrived(&self, key: &RecordKey) -> Result<Delivery, Error> {
        let sql = "SELECT awaiting, server_ms, seen_ms, seen_by, EXISTS \
                   (SELECT 1 FROM holding WHERE record = record.row AND position > 0 AND seen >= position) \
                   FROM record WHERE kind = ?1 AND id = ?2";
        let words = params![key.kind.0, key.id.as_bytes()];
        let found = self.connection.prepare_cached(sql)?.query_row(words, |row| {
            let (awaiting, server_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok(if awaiting > 0 {
                Delivery::Awaiting
            } else if row.get(4)? {
                Delivery::Seen { country: row.get(3)?, at_ms: row.get(2)? }
            } else {
                Delivery::Server { at_ms: (server_ms > 0).then_some(server_ms) }
            })
        });
        found.optional()?.ok_or(Error::NotFound)
    }
}
