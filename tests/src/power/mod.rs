//! Disks that lose power. SQLite's files under a machine's folder stand on a disk that keeps unsynced writes apart from
//! what is durable; when the power goes, any part of them may be gone, sector by sector.
//!
//! [`plug_in`] makes a folder such a disk. The real file holds at every moment exactly what would survive at least; what
//! was written since the last sync lives in memory, where every connection of this process sees it. So nothing of the
//! store or the server has to know: they open their folders as ever.
//!
//! What is modelled: writes and truncations until they are synced, in any subset and torn at sectors; new files and
//! deletions until the folder is synced, which SQLite does with the first sync of a new journal; a full disk. What is
//! not: a disk that lies about a sync, or bytes beside those written (SQLite relies on neither, see
//! <https://sqlite.org/psow.html>).

mod disk;
mod vfs;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::world::chance::Chance;
use disk::Disk;

/// What was asked of a disk so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Syncs that were carried out.
    pub syncs: u64,
    /// Writes.
    pub writes: u64,
    /// Bytes of these writes.
    pub written_bytes: u64,
}

/// What of the unsynced writes is there when the power is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survives {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// Each sector of so many bytes by chance, whatever the order in which they were written.
    Sectors(usize),
}

/// A machine whose disk can lose its power. Dropping it leaves the folder as an ordinary one, everything written.
#[derive(Debug, Clone)]
pub struct Machine {
    folder: PathBuf,
    disk: Arc<Mutex<Disk>>,
}

/// From now on SQLite's files in `folder` stand on a disk that can lose its power.
///
/// # Panics
/// When the folder cannot be made, or SQLite has no file system.
#[must_use]
pub fn plug_in(folder: &Path) -> Machine {
    std::fs::create_dir_all(folder).expect("a folder");
    let folder = folder.canonicalize().expect("a folder");
    let disk = Arc::new(Mutex::new(Disk::default()));
    vfs::serve(&folder, &disk);
    Machine { folder, disk }
}

impl Machine {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked of the disk so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.disk().counts
    }

    /// The power goes when so many more syncs are done: the next is not carried out.
    pub fn cut_after_syncs(&self, syncs: u64) {
        let mut disk = self.disk();
        disk.cut_at_sync = Some(disk.counts.syncs + syncs);
    }

    /// The power goes when so many more writes are done: the next is not carried out.
    pub fn cut_after_writes(&self, writes: u64) {
        let mut disk = self.disk();
        disk.cut_at_write = Some(disk.counts.writes + writes);
    }

    /// The power goes now.
    pub fn cut(&self) {
        self.disk().off = true;
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.disk().off
    }

    /// Files may grow by so many more bytes, in all; `None`: as they like.
    pub fn room(&self, bytes: Option<u64>) {
        self.disk().room_bytes = bytes;
    }

    /// What `look` makes of a file's content as its connections see it; `None` where none ever opened it.
    #[must_use]
    pub fn seen<T>(&self, path: &Path, look: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let path = path.canonicalize().ok()?;
        self.disk().seen(&path).map(look)
    }

    /// The power is back, and of what was not synced this survives. All connections must have been closed.
    ///
    /// # Panics
    /// When a connection is open still, or the real disk fails.
    pub fn reboot(&self, survives: Survives, chance: &Chance) {
        self.disk().reboot(survives, chance).expect("the real disk works");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if Arc::strong_count(&self.disk) <= 2 {
            vfs::leave(&self.folder);
        }
    }
}
