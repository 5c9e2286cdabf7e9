//! A server put back to an older copy of its data folder, and rows that a phone's disk lost.

use tempfile::TempDir;

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

    /// The server goes on from the backup: what it took since is gone.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn put_server_back(&mut self, backup: &TempDir) {
        self.faults.count("server_put_back");
        self.without_server(|data| {
            for entry in std::fs::read_dir(data).expect("the data folder") {
                std::fs::remove_file(entry.expect("a file").path()).expect("an old file");
            }
            copy_folder(backup.path(), data).expect("the backup's files");
        });
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
