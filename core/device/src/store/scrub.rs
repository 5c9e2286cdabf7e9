//! No byte of what was dropped stays in any file of the store.
//!
//! `secure_delete` overwrites deleted rows within the database. The journal still holds pages as they were, so it is
//! written back and cut to nothing. Nothing else is ever written: sorting spills to memory.

use super::Store;
use super::meta::{self, name};
use crate::error::Error;

impl Store {
    /// Ends the traces of what was dropped, where something was. Called at the end of each sync and at opening.
    ///
    /// # Errors
    /// A failure of the storage; the next call tries again.
    pub fn scrub(&mut self) -> Result<(), Error> {
        if meta::get(&self.connection, name::SCRUB)?.is_none() {
            return Ok(());
        }
        self.truncate_journal()?;
        meta::remove(&self.connection, name::SCRUB)
    }

    fn truncate_journal(&self) -> Result<(), Error> {
        // Answers busy, pages in the journal, pages written back. In another journal mode it does nothing.
        let busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 { Ok(()) } else { Err(Error::InUse) }
    }
}
