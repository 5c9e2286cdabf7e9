//! Disks of the world: each phone's and the server's can lose its power at any write, and be full.

use foras_server::Server;

use super::chance::Chance;
use super::{DeviceNumber, World};
use crate::power::Survives;

/// More writes than any device lives to make.
pub(super) const NEVER: u64 = 1 << 60;
/// Sizes of sectors of real disks, in bytes.
const SECTORS: [usize; 2] = [512, 4_096];

/// What survives of unsynced writes, by chance.
pub(super) fn survives(chance: &Chance) -> Survives {
    match chance.below(4) {
        0 => Survives::Nothing,
        1 => Survives::Everything,
        _ => Survives::Sectors(*chance.one_of(&SECTORS)),
    }
}

impl World {
    /// The phone's power goes when its disk was written so many more times, whatever it does then. It comes back by
    /// itself at the next [`World::mend`], and within a sync.
    pub fn phone_power_fails_after(&mut self, number: DeviceNumber, writes: u64) {
        self.device(number).machine().cut_after_writes(writes);
    }

    /// The phone's disk takes so many more bytes; `None`: as many as come.
    pub fn phone_room(&mut self, number: DeviceNumber, bytes: Option<u64>) {
        self.device(number).machine().room(bytes);
    }

    /// The power stays on. A phone that lost it starts again, with what its disk kept.
    ///
    /// # Panics
    /// When the app does not open what its disk kept.
    pub fn mend(&mut self, number: DeviceNumber) {
        self.device(number).machine().cut_after_writes(NEVER);
        if self.device(number).power_back() {
            self.settled(number);
        }
    }

    /// The server's power goes when its disk was written so many more times. It comes back when somebody was there.
    pub fn server_power_fails_after(&mut self, writes: u64) {
        self.machine.cut_after_writes(writes);
    }

    /// The server's disk takes so many more bytes; `None`: as many as come.
    pub fn server_room(&mut self, bytes: Option<u64>) {
        self.machine.room(bytes);
    }

    /// The server's power stays on. Where it was gone, the server starts again with what its disk kept.
    ///
    /// # Panics
    /// When the server does not open what its disk kept.
    pub fn mend_server(&mut self) {
        self.machine.cut_after_writes(NEVER);
        if !self.machine.is_off() {
            return;
        }
        self.faults.count("server_lost_power_at_a_write");
        let (now_ms, mut chance) = (self.truth.now_ms(), self.chance.clone());
        self.server = Server::open_in_memory(now_ms, &mut chance).expect("a stand-in");
        self.machine.reboot(survives(&self.chance), &self.chance);
        self.open_server();
    }
}
