//! The server goes on from an older copy of its data, and gets back what phones hold.
//!
//! Between the copy and the fall nobody enrols and nobody is revoked: that is no part of what phones bring back.

use tempfile::TempDir;

use super::Programme;

/// A copy of the server's data, and for how many days its server still goes on.
pub(crate) struct Copy {
    folder: TempDir,
    days_left: usize,
}

impl Programme {
    /// A copy is made of the server's data; some days later it is what the server goes on from.
    pub(crate) fn copy_server(&mut self) {
        let days_left = 1 + self.chance.below(3);
        let folder = self.world.backup_of_server();
        self.copy = Some(Copy { folder, days_left });
    }

    /// Whether who takes part has to stay as it is.
    pub(crate) fn is_settled(&self) -> bool {
        self.copy.is_some()
    }

    /// A day is over: the server may fall.
    pub(crate) fn fall(&mut self) {
        let Some(mut copy) = self.copy.take() else { return };
        copy.days_left -= 1;
        if copy.days_left == 0 {
            self.world.put_server_back(&copy.folder);
        } else {
            self.copy = Some(copy);
        }
    }

    /// The administrator closes a recovery that waits for phones on the road, and for one that never reports.
    pub(crate) fn close_recovery(&mut self) -> bool {
        let is_open = self.world.server().recovery().expect("the server's state").is_some();
        if is_open {
            self.world.server().close_recovery().expect("a recovery that is open");
            self.world.faults.count("recovery_closed");
        }
        is_open
    }
}
