//! The server goes on from an older copy of its data, and gets back what phones hold. Its administrator says so at once, as
//! `foras recovery begin` does: a server that nobody tells may rule under numbers that it used before, until a phone proves
//! that it fell.
//!
//! Between the copy and the fall nobody enrols and nobody is revoked: that is no part of what phones bring back. Until the
//! programme has come to rest again no phone is copied or put back: under a number that the server lost, a copy may have
//! written something else. Until then logs are followed by pages, too: what came in a pack cannot be proven to a server that
//! lost it, and what the server itself ruled nobody pushes again.

use foras_server::PackSizes;
use foras_tests::world::{SMALL_PACKS, World};
use tempfile::TempDir;

use super::Programme;

/// How far it has come.
pub(crate) enum Fall {
    /// It is among the cards.
    Ahead,
    /// A copy was made; for so many days the server still goes on.
    Copied { folder: TempDir, days_left: usize },
    /// The server goes on from the copy; in so many days the programme comes to rest.
    Fallen { days_left: usize },
    /// What phones held was brought.
    Over,
}

/// Most days from the copy to the fall, and from there to a rest.
const DAYS_MAX: usize = 3;

/// Logs of any length are followed by pages.
const NO_PACKS: PackSizes = PackSizes { log_max: 1_000_000, ..SMALL_PACKS };

impl Programme {
    /// The server will fall.
    pub(crate) fn expect_fall(&mut self) {
        self.world.set_packs(NO_PACKS);
    }

    /// A copy is made of the server's data; some days later it is what the server goes on from.
    pub(crate) fn copy_server(&mut self) {
        let days_left = 1 + self.chance.below(DAYS_MAX);
        self.fall = Fall::Copied { folder: self.world.backup_of_server(), days_left };
    }

    /// Whether who takes part has to stay as it is.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.fall, Fall::Copied { .. })
    }

    /// Whether phones may be copied and put back.
    pub(crate) fn may_copy(&self) -> bool {
        matches!(self.fall, Fall::Over)
    }

    /// A day is over.
    pub(crate) fn fall(&mut self) {
        match &mut self.fall {
            Fall::Copied { days_left, .. } | Fall::Fallen { days_left } if *days_left > 1 => *days_left -= 1,
            Fall::Copied { folder, .. } => {
                self.world.put_server_back(folder);
                let now_ms = self.world.truth.now_ms();
                self.world.server().begin_recovery(now_ms).expect("a recovery begins");
                self.backups.clear();
                self.fall = Fall::Fallen { days_left: 1 + self.chance.below(DAYS_MAX) };
            }
            Fall::Fallen { .. } => self.rest(),
            Fall::Ahead | Fall::Over => {}
        }
    }

    /// Everybody who is there was heard.
    pub(crate) fn brought(&mut self) {
        if matches!(self.fall, Fall::Fallen { .. }) {
            self.fall = Fall::Over;
            self.world.set_packs(SMALL_PACKS);
        }
    }
}

/// The administrator closes a recovery that waits for phones on the road, and for one that never reports. Whether there was
/// one.
pub(crate) fn close_recovery(world: &World) -> bool {
    let is_open = world.server().recovery().expect("the server's state").is_some();
    if is_open {
        world.server().close_recovery().expect("a recovery that is open");
        world.faults.count("recovery_closed");
    }
    is_open
}
