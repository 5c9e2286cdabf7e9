//! A transaction whose own statements are prepared once: an edit is a short one, and there are many.

use std::ops::Deref;

use rusqlite::Connection;

use crate::error::Error;

/// Dropped without [`Transaction::commit`], nothing was written.
pub(super) struct Transaction<'c> {
    connection: &'c Connection,
}

impl<'c> Transaction<'c> {
    pub(super) fn begin(connection: &'c Connection) -> Result<Self, Error> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self { connection })
    }

    /// Makes everything durable.
    pub(super) fn commit(self) -> Result<(), Error> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // Committed, or given up by SQLite itself: then there is none to end.
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
