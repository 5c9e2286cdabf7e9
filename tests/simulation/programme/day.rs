//! A day: everybody works and tries to sync, in any order and any weather.

use foras::Error;
use foras_tests::world::DeviceNumber;
use foras_tests::world::weather::Weather;

use super::Programme;

/// Edits of a device's day of work.
const EDITS: usize = 8;
/// Deeds after which somebody who finds nothing to do goes home.
const DEEDS_MAX: usize = 60;
/// Writes after which a power cut falls into most deeds and syncs.
const WRITES: usize = 24;
/// Bytes with which a disk is all but full.
const ROOM_BYTES: usize = 40_000;
/// What a sync may end with in such a world; anything else is a fault.
const TOLERATED: [&str; 6] = ["offline", "server_busy", "killed", "revoked", "storage_full", "storage_failed"];

impl Programme {
    pub(crate) fn day(&mut self, device_days: u64) {
        self.dawn();
        let mut waiting = Vec::new();
        for member in self.in_any_order() {
            if self.outcome.device_days == device_days {
                break;
            }
            let worked = self.work(member);
            self.outcome.device_days += u64::from(worked);
            if self.chance.percent(50) {
                self.attempt(member);
            } else {
                waiting.push(member);
            }
        }
        // The others meet at the end of the day, where there is a network.
        waiting.retain(|number| self.is_there(*number));
        self.world.sync_together(&waiting);
        for number in waiting {
            self.tolerate_end(number);
        }
        self.misfortunes();
        self.world.days_pass(1 + i64::try_from(self.chance.below(3)).unwrap_or(0));
    }

    fn dawn(&mut self) {
        self.world.weather = if self.chance.percent(70) { Weather::ROUGH } else { Weather::CALM };
        self.back_from_the_road();
        for member in &self.cast {
            let online = self.chance.percent(60);
            self.world.device(member.number).set_online(online && member.away_until_ms.is_none());
        }
    }

    fn in_any_order(&self) -> Vec<DeviceNumber> {
        self.shuffled(&self.cast.iter().map(|member| member.number).collect::<Vec<_>>())
    }

    pub(crate) fn is_there(&self, number: DeviceNumber) -> bool {
        self.cast.iter().any(|member| member.number == number)
    }

    /// Somebody works; whether it was a day's work.
    fn work(&mut self, number: DeviceNumber) -> bool {
        let mut edits = 0;
        for _ in 0..DEEDS_MAX {
            let Some(member) = self.cast.iter().find(|member| member.number == number).cloned() else { return false };
            if member.is_leaving {
                return false;
            }
            let troubled = self.disk_trouble(number);
            edits += usize::from(self.deed(&member));
            if troubled {
                self.world.phone_room(number, None);
                self.world.mend(number);
            }
            if edits == EDITS {
                return true;
            }
            if self.chance.percent(1) {
                self.world.device(number).kill();
            }
        }
        false
    }

    /// Tries to sync.
    pub(crate) fn attempt(&mut self, number: DeviceNumber) {
        let phone_troubled = self.disk_trouble(number);
        let server_troubled = self.server_disk_trouble();
        let _ = self.world.sync(number);
        if phone_troubled {
            self.world.phone_room(number, None);
            self.world.mend(number);
        }
        if server_troubled {
            self.world.server_room(None);
            self.world.mend_server();
        }
        self.tolerate_end(number);
    }

    fn tolerate_end(&mut self, number: DeviceNumber) {
        let last = self.world.device(number).last.take();
        if let Some(Err(stopped)) = &last {
            // A request that the network doubles twice running uses up the challenge that its answer should renew.
            let proof_used_up = matches!(&stopped.error, Error::Refused { code } if code == "unauthenticated");
            let code = stopped.error.code();
            assert!(
                proof_used_up || TOLERATED.contains(&code),
                "a sync in such weather ends with {code}: {}",
                stopped.error
            );
        }
        self.world.device(number).last = last;
    }

    /// Now and then a phone's power is about to go, or its disk to be full.
    pub(crate) fn disk_trouble(&mut self, number: DeviceNumber) -> bool {
        match self.chance.below(100) {
            0..=2 => {
                let writes = self.chance.below(WRITES) as u64;
                self.world.phone_power_fails_after(number, writes);
            }
            3 => {
                self.world.faults.count("phone_disk_full");
                let room = self.chance.below(ROOM_BYTES) as u64;
                self.world.phone_room(number, Some(room));
            }
            _ => return false,
        }
        true
    }

    /// As on a phone, at the server.
    fn server_disk_trouble(&mut self) -> bool {
        match self.chance.below(100) {
            0..=4 => {
                let writes = self.chance.below(4 * WRITES) as u64;
                self.world.server_power_fails_after(writes);
            }
            5 => {
                self.world.faults.count("server_disk_full");
                let room = self.chance.below(ROOM_BYTES) as u64;
                self.world.server_room(Some(room));
            }
            _ => return false,
        }
        true
    }
}
