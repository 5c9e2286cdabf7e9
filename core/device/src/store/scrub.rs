//! No byte of what was dropped stays in any file of the store.
//!
//! `secure_delete` overwrites deleted rows within the database, but not what pages held before they were split or merged:
//! SQLite rebuilds such a page and leaves the room between its cells as it was (`rebuildPage` in its `btree.c`). So the
//! database is written anew. The journal still holds pages as they were: it is written back and cut to nothing. Nothing
//! else is ever written: sorting and rewriting spill to memory.

use super::Store;
use super::meta::{self, name};
use crate::error::Error;

impl Store {
    /// Ends the traces of what was dropped, where something was. Called at the end of each sync and at opening.
    ///
    /// On a full disk the database cannot be written anew; the next call tries again, and the store works meanwhile.
    ///
    /// # Errors
    /// A failure of the storage; the next call tries again.
    pub fn scrub(&mut self) -> Result<(), Error> {
        if meta::get(&self.connection, name::SCRUB)?.is_none() {
            return Ok(());
        }
        let anew = self.connection.execute_batch("VACUUM").map_err(Error::from);
        self.truncate_journal()?;
        match anew {
            Ok(()) => meta::remove(&self.connection, name::SCRUB),
            Err(Error::StorageFull) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn truncate_journal(&self) -> Result<(), Error> {
        // Answers busy, pages in the journal, pages written back. In another journal mode it does nothing.
        let busy: i64 = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 { Ok(()) } else { Err(Error::InUse) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use rusqlite::params;

    use super::super::entropy::SystemEntropy;
    use super::*;

    /// Numbers that look random and are the same each time (Numerical Recipes, 7.1).
    struct Numbers(u32);

    impl Numbers {
        fn below(&mut self, bound: u32) -> u32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) % bound
        }
    }

    fn words_in_files(dir: &Path) -> BTreeSet<String> {
        let files = fs::read_dir(dir).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        let words = |bytes: Vec<u8>| {
            let found = bytes.windows(13).filter(|window| window.starts_with(b"canary-"));
            found.map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>()
        };
        files.flat_map(words).collect()
    }

    /// Rows of many lengths, some written longer later, a third deleted: pages of the database are split and merged.
    fn work_and_delete(store: &Store, numbers: &mut Numbers) -> Vec<String> {
        let body =
            |row: u32, numbers: &mut Numbers| format!("canary-{row:05}.{}", "x".repeat(numbers.below(1_200) as usize));
        for row in 0..400_u32 {
            let sql = "INSERT INTO deposit (seq, id, body) VALUES (?1, ?2, ?3)";
            store.connection.execute(sql, params![row, row.to_be_bytes(), body(row, numbers)]).unwrap();
            if numbers.below(10) < 3 {
                let row = numbers.below(row + 1);
                let sql = "UPDATE deposit SET body = ?2 WHERE seq = ?1";
                store.connection.execute(sql, params![row, body(row, numbers)]).unwrap();
            }
        }
        let mut gone = Vec::new();
        for row in (0..400_u32).filter(|_| numbers.below(3) == 0) {
            store.connection.execute("DELETE FROM deposit WHERE seq = ?1", [row]).unwrap();
            gone.push(format!("canary-{row:05}."));
        }
        gone
    }

    #[test]
    fn pages_that_were_split_keep_nothing_of_what_was_deleted() {
        for seed in 0..3 {
            let dir = tempfile::tempdir().unwrap();
            let mut store = Store::open_with(dir.path(), Box::new(SystemEntropy)).unwrap();
            let gone = work_and_delete(&store, &mut Numbers(seed));
            meta::put(&store.connection, name::SCRUB, &[1]).unwrap();
            store.scrub().unwrap();
            let words = words_in_files(dir.path());
            assert!(gone.len() > 100 && !words.is_empty(), "the search finds what is there");
            let left: Vec<_> = gone.iter().filter(|word| words.contains(*word)).collect();
            assert!(left.is_empty(), "seed {seed}: {left:?}");
        }
    }
}
