//! The schema, as numbered migrations. A migration is never changed once it was released; a new one is added.

use rusqlite::Connection;

use crate::error::Error;

/// Marks a database as a store of ours: "Fora" (sqlite.org/pragma.html#pragma_application_id).
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"Fora");
/// Migrations in order; the first makes version 1.
const MIGRATIONS: [&str; 2] = [include_str!("migrations/001_store.sql"), include_str!("migrations/002_sync.sql")];
/// The newest version of the schema that this build knows.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

fn pragma(connection: &Connection, name: &str) -> Result<u32, Error> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

/// Refuses a database that is not ours, or of a newer build.
pub(super) fn check(connection: &Connection) -> Result<(), Error> {
    let found = pragma(connection, "user_version")?;
    let application = pragma(connection, "application_id")?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application, found, tables) != (0, 0, 0) {
        return Err(Error::NotAStore);
    }
    if found > VERSION {
        return Err(Error::TooOld { found, known: VERSION });
    }
    Ok(())
}

/// Brings the schema to [`VERSION`], in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let found = pragma(connection, "user_version")?;
    if found >= VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}
