//! A server put back to an older copy of its data folder, and rows that a phone's disk lost.

use std::collections::BTreeSet;

use foras_record::kind::Kind;
use tempfile::TempDir;

use super::canary::Pile;
use super::device::{copy_folder, folder};
use super::{DeviceNumber, World};

impl World {
    /// The server's data folder, as a backup keeps it.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn backup_of_server(&mut self) -> TempDir {
        let copy = folder();
        self.without_server(|data| copy_folder(data, copy.path()).expect("a backup"));
        copy
    }

    /// The server goes on from the backup: what it took since is gone, but for what phones hold and bring again.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn put_server_back(&mut self, backup: &TempDir) {
        self.faults.count("server_put_back");
        let (before, deposits) = (self.kept_by_server(), self.deposits_kept());
        self.without_server(|data| {
            for entry in std::fs::read_dir(data).expect("the data folder") {
                std::fs::remove_file(entry.expect("a file").path()).expect("an old file");
            }
            copy_folder(backup.path(), data).expect("the backup's files");
        });
        // Nobody keeps a deposit once the server has it: it has no sender.
        self.oracle.deposits_unsure += deposits - self.deposits_kept();
        self.oracle.owed.extend(before.difference(&self.kept_by_server()).cloned());
        self.recount_owed();
    }

    /// Of what the server lost, whatever no device holds any more either is gone.
    pub(super) fn recount_owed(&mut self) {
        if self.oracle.owed.is_empty() {
            return;
        }
        let everybody: Vec<_> = self.devices().collect();
        let mut held = self.values_held(&everybody);
        held.extend(self.kept_by_server());
        let (owed, gone) = std::mem::take(&mut self.oracle.owed).into_iter().partition(|value| held.contains(value));
        self.oracle.owed = owed;
        self.oracle.gone.extend::<BTreeSet<String>>(gone);
    }

    /// Values that stand in any file of these devices.
    pub(super) fn values_held(&mut self, numbers: &[DeviceNumber]) -> BTreeSet<String> {
        numbers.iter().flat_map(|number| self.device(*number).values_in_files()).collect()
    }

    /// Values in what the server keeps, admitted or aside.
    fn kept_by_server(&self) -> BTreeSet<String> {
        let piles = ["change", "quarantine"].map(|table| Pile::of(self.chunks_of(table)));
        piles.iter().flat_map(|pile| pile.canaries().iter().cloned()).collect()
    }

    /// Deposits that the server keeps.
    pub(super) fn deposits_kept(&self) -> usize {
        let content = self.server().content_by_audience().expect("the server's content");
        let programmes = content.iter().filter(|(audience, _)| audience.class() == "programme");
        programmes.flat_map(|(_, records)| records.keys()).filter(|key| key.kind == Kind::Feedback.code()).count()
    }

    /// A phone's disk loses the rows that `sql` deletes; its app starts anew.
    ///
    /// # Panics
    /// When the store cannot be opened.
    pub fn lose_rows(&mut self, number: DeviceNumber, sql: &str) -> usize {
        self.device(number).while_closed(|folder| {
            let database = rusqlite::Connection::open(folder.join("foras.db")).expect("the phone's store");
            database.execute(sql, []).expect("rows to lose")
        })
    }
}
