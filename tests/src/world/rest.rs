//! Coming to rest: the weather calms down, and devices sync until nothing moves any more.

use std::collections::{BTreeMap, BTreeSet};

use foras_wire::id::DeviceId;

use super::clock::MINUTE_MS;
use super::weather::Weather;
use super::{DeviceNumber, World, laws};

/// Rounds of syncs after which a world that still moves is taken to move for ever.
const ROUNDS_MAX: usize = 40;

impl World {
    /// The weather calms down, everybody is online, and syncs until nothing moves any more. Then the laws hold.
    ///
    /// # Panics
    /// When a law is broken, or the world never rests.
    pub fn run_until_quiescent(&mut self) {
        let everybody: Vec<_> = self.devices().collect();
        if let Err(why) = self.rest(&everybody) {
            panic!("{why}");
        }
        laws::assert_all(self);
    }

    /// The weather calms down, these devices are online, and sync until nothing moves among them any more. The others
    /// stay as they are.
    ///
    /// # Errors
    /// In words, when a device cannot sync in calm weather, or the world never rests.
    ///
    /// # Panics
    /// When a phone does not open.
    pub fn rest(&mut self, among: &[DeviceNumber]) -> Result<(), String> {
        self.weather = Weather::CALM;
        self.server_room(None);
        self.mend_server();
        self.server_writes(true);
        for number in among {
            self.phone_room(*number, None);
            self.mend(*number);
        }
        self.network.settle(&self.server, self.truth.now_ms(), &self.chance);
        for number in among {
            self.device(*number).set_online(true);
        }
        let clones = self.clones();
        for _ in 0..ROUNDS_MAX {
            let recovering = self.server.recovery().is_ok_and(|recovery| recovery.is_some());
            self.sync_together(among);
            self.truth.advance(MINUTE_MS);
            // A recovery that closes gives the missions what was held back.
            let mut moved = recovering && self.server.recovery().is_ok_and(|recovery| recovery.is_none());
            for number in among {
                moved |= self.moved(*number, clones.contains(number))?;
            }
            if !moved {
                return Ok(());
            }
        }
        let mut restless = Vec::new();
        for number in among {
            if self.moved(*number, clones.contains(number))? {
                let ended = self.ended(*number);
                restless.push(format!("{}: {ended:?}", self.device(*number).name));
            }
        }
        Err(format!("the world does not rest: {restless:?}"))
    }

    /// Devices that share one enrolment: each new token of one ends the others', so that they go on proving themselves anew.
    fn clones(&mut self) -> BTreeSet<DeviceNumber> {
        let mut sharing: BTreeMap<DeviceId, BTreeSet<DeviceNumber>> = BTreeMap::new();
        for number in self.devices() {
            let device = self.phone(number).store().identity().map(|identity| identity.grant().device);
            sharing.entry(device.unwrap_or(DeviceId([0; 16]))).or_default().insert(number);
        }
        sharing.into_values().filter(|numbers| numbers.len() > 1).flatten().collect()
    }

    /// Whether a device's last sync moved anything. One that the server refuses for good moves no more.
    fn moved(&mut self, number: DeviceNumber, is_clone: bool) -> Result<bool, String> {
        match self.ended(number) {
            // More than one round trip: something was said, or compared; or a clone had to prove itself.
            Ok(report) => Ok(report.sent > 0
                || report.received > 0
                || report.pending > 0
                || (report.round_trips > 1 && !is_clone)),
            Err(code) if code == "revoked" => Ok(false),
            Err(code) => {
                let device = self.device(number);
                let why =
                    device.last.as_ref().and_then(|last| last.as_ref().err()).map(|stopped| stopped.error.to_string());
                Err(format!("{} cannot sync in calm weather: {}", device.name, why.unwrap_or(code)))
            }
        }
    }
}
