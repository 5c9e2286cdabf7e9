//! The database. All SQL of the server stands in this module: a file for each thing that is kept.
//!
//! One connection writes, several read. WAL with `synchronous = FULL`: what is acknowledged is on the disk. The SQL is
//! portable: no sequences, triggers or row ids (see the first migration).

pub(crate) mod authors;
pub(crate) mod case_facts;
pub(crate) mod cursors;
pub(crate) mod devices;
pub(crate) mod digests;
pub(crate) mod facts;
pub(crate) mod invitations;
pub(crate) mod logs;
pub(crate) mod names;
pub(crate) mod packs;
pub(crate) mod proofs;
pub(crate) mod records;
pub(crate) mod settings;
pub(crate) mod tokens;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::ServerError;

/// Steps of the schema, oldest first; `user_version` counts those that were taken. A step that was released never
/// changes.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql"), include_str!("migrations/0002_sync.sql")];

/// How long a statement waits for another process's write, in milliseconds.
const BUSY_TIMEOUT_MS: u64 = 10_000;
/// Readers that are kept open between uses.
const IDLE_READERS_MAX: usize = 16;

/// The server's database.
#[derive(Debug)]
pub(crate) struct Database {
    writer: Mutex<Connection>,
    /// Where readers open it; `None`: in memory, and reads go through the writer.
    path: Option<PathBuf>,
    readers: Mutex<Vec<Connection>>,
    /// What SQLite said last about writes of others (see [`Database::was_written_elsewhere`]).
    others: AtomicI64,
}

impl Database {
    /// The database at `path`, made or brought up to date.
    pub(crate) fn open(path: &Path) -> Result<Self, ServerError> {
        // Made here, so that SQLite gives its other files the same permissions.
        drop(crate::folder::private_file(path)?);
        let mut writer = Connection::open(path)?;
        prepare(&writer)?;
        migrate(&mut writer)?;
        Ok(Self { path: Some(path.to_owned()), ..Self::of(writer) })
    }

    /// A database that is gone when dropped.
    pub(crate) fn in_memory() -> Result<Self, ServerError> {
        let mut writer = Connection::open_in_memory()?;
        prepare(&writer)?;
        migrate(&mut writer)?;
        Ok(Self::of(writer))
    }

    fn of(writer: Connection) -> Self {
        Self { writer: Mutex::new(writer), path: None, readers: Mutex::default(), others: AtomicI64::new(-1) }
    }

    /// Whether another process has written since this was last asked; true at first. All writes of this process go through
    /// one connection, and that connection's `data_version` counts the commits of others (sqlite.org/pragma.html).
    pub(crate) fn was_written_elsewhere(&self) -> Result<bool, ServerError> {
        let version: i64 = locked(&self.writer).query_row("PRAGMA data_version", [], |row| row.get(0))?;
        Ok(self.others.swap(version, Ordering::Relaxed) != version)
    }

    /// Runs `work` in one transaction, durable when this returns `Ok`.
    pub(crate) fn write<T, E: From<ServerError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut writer = locked(&self.writer);
        let transaction =
            writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(ServerError::from)?;
        let done = work(&transaction)?;
        transaction.commit().map_err(ServerError::from)?;
        Ok(done)
    }

    /// Runs `work` on one snapshot.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, ServerError>) -> Result<T, ServerError> {
        let Some(path) = &self.path else { return work(&locked(&self.writer)) };
        let idle = locked(&self.readers).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => {
                let reader = Connection::open(path)?;
                prepare(&reader)?;
                reader
            }
        };
        let snapshot = reader.transaction()?;
        let done = work(&snapshot);
        drop(snapshot);
        let mut readers = locked(&self.readers);
        if done.is_ok() && readers.len() < IDLE_READERS_MAX {
            readers.push(reader);
        }
        done
    }
}

/// A panic of another thread leaves rolled back transactions, never half of one: the lock may be taken again.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn prepare(connection: &Connection) -> Result<(), ServerError> {
    connection.busy_timeout(Duration::from_millis(BUSY_TIMEOUT_MS))?;
    // A statement is prepared once, whatever is bound to it.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    // Readers go on while one writes.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An acknowledgement outlives a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is dropped or erased leaves no bytes in free pages.
    connection.pragma_update(None, "secure_delete", "ON")?;
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), ServerError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let taken = usize::try_from(version).ok().filter(|taken| *taken <= MIGRATIONS.len());
    let taken = taken.ok_or(ServerError::TooNew(version))?;
    if taken == MIGRATIONS.len() {
        // Nothing is written: a list of devices works on a full disk too.
        return Ok(());
    }
    for step in MIGRATIONS.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    transaction.commit()?;
    Ok(())
}

/// A stored id or hash of `N` bytes.
pub(crate) fn fixed<const N: usize>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<[u8; N]> {
    row.get::<_, [u8; N]>(column)
}

/// A position or a number that SQLite keeps signed.
pub(crate) fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// As SQLite keeps it. Positions and counters never come near the limit.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
