//! One phone of the world: its folder, its app while that runs, and what is on the way to it.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::Path;

use foras::exchange::{Courier, Outward, Step, Stopped, SyncReport};
use foras::phone::{Clock, Phone};
use foras_server::Server;
use foras_sync::engine::Config;
use foras_sync::{Event, LinkFailure};
use tempfile::TempDir;

use super::canary::canaries_in;
use super::chance::Chance;
use super::clock::{TrueTime, WrongClock};
use super::disks;
use super::faults::Faults;
use super::network::{Arrival, Network, Request};
use super::weather::Weather;
use crate::power::{self, Machine, Survives};

/// What the world does to a device while it steps.
pub struct Around<'a> {
    /// The server.
    pub server: &'a Server,
    /// The network.
    pub network: &'a mut Network,
    /// The weather.
    pub weather: Weather,
    /// What time it really is.
    pub truth: &'a TrueTime,
}

/// One phone.
pub struct Device {
    /// What colleagues call its person; names the device in stories.
    pub name: String,
    /// How its last sync ended.
    pub last: Option<Result<SyncReport, Stopped>>,
    phone: Option<Phone>,
    machine: Machine,
    folder: TempDir,
    courier: Courier,
    clock: WrongClock,
    chance: Chance,
    online: bool,
    busy: bool,
    arrivals: VecDeque<Arrival>,
    kills: usize,
    faults: Faults,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name).field("online", &self.online).finish_non_exhaustive()
    }
}

/// A folder in memory where the system has one: a kill of the app loses nothing there either, and no disk is waited for.
pub(super) fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder for a phone")
}

pub(super) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

impl Device {
    /// A new phone, not enrolled.
    #[must_use]
    pub fn new(name: &str, truth: &TrueTime, chance: &Chance, faults: &Faults) -> Self {
        Self::in_folder(name.to_owned(), folder(), WrongClock::new(truth.clone()), chance.clone(), faults.clone())
    }

    fn in_folder(name: String, folder: TempDir, clock: WrongClock, chance: Chance, faults: Faults) -> Self {
        let mut device = Self {
            name,
            last: None,
            phone: None,
            machine: power::plug_in(folder.path()),
            folder,
            courier: Courier::new(Config::default()),
            clock,
            chance,
            online: true,
            busy: false,
            arrivals: VecDeque::new(),
            kills: 0,
            faults,
        };
        device.start();
        device
    }

    fn start(&mut self) {
        self.machine.cut_after_writes(disks::NEVER);
        let opened = Phone::open_with(self.folder.path(), Box::new(self.chance.clone()), Box::new(self.clock.clone()));
        self.phone = Some(opened.unwrap_or_else(|error| panic!("{} does not open: {error}", self.name)));
    }

    /// The app.
    pub fn phone(&mut self) -> &mut Phone {
        self.phone.as_mut().expect("the app runs")
    }

    /// The phone's disk.
    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Where the power was gone it is back: the app starts on what the disk kept. Whether it was gone.
    pub(super) fn power_back(&mut self) -> bool {
        if !self.machine.is_off() {
            return false;
        }
        self.faults.count(if self.busy { "power_lost_in_sync" } else { "power_lost_at_a_write" });
        self.restart(disks::survives(&self.chance));
        true
    }

    /// The device's clock.
    #[must_use]
    pub fn clock(&self) -> &WrongClock {
        &self.clock
    }

    /// Whether a network is there.
    pub fn set_online(&mut self, online: bool) {
        self.online = online;
    }

    /// Whether a sync is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// How often the app was killed in the middle of a sync.
    #[must_use]
    pub fn kills(&self) -> usize {
        self.kills
    }

    /// The app is killed, whatever it does, and started again.
    pub fn kill(&mut self) {
        self.faults.count(if self.busy { "killed_in_sync" } else { "killed" });
        self.kills += usize::from(self.busy);
        // Nothing is closed in order: the disk stops where it is, and keeps what the system was given.
        self.machine.cut();
        self.restart(Survives::Everything);
    }

    fn restart(&mut self, survives: Survives) {
        self.phone = None;
        if self.machine.is_off() {
            self.machine.reboot(survives, &self.chance);
        }
        self.courier = Courier::new(Config::default());
        self.arrivals.clear();
        self.busy = false;
        self.last = None;
        self.start();
    }

    /// Something happens to the folder while the app does not run; then it starts again.
    pub(super) fn while_closed<T>(&mut self, work: impl FnOnce(&Path) -> T) -> T {
        self.phone = None;
        let done = work(self.folder.path());
        self.kill();
        done
    }

    /// The folder as it lies on the disk, copied into another phone: a clone, or a backup to restore.
    #[must_use]
    pub fn copy(&mut self, name: &str) -> Self {
        self.phone = None;
        self.machine.reboot(Survives::Everything, &self.chance);
        let folder = folder();
        copy_folder(self.folder.path(), folder.path()).expect("a folder is copied");
        self.restart(Survives::Everything);
        let (clock, chance) = (self.clock.clone(), self.chance.clone());
        Self::in_folder(name.to_owned(), folder, clock, chance, self.faults.clone())
    }

    /// Canaries that stand in any file of the folder: what a thief of the phone could read.
    #[must_use]
    pub fn values_in_files(&self) -> BTreeSet<String> {
        let mut values = BTreeSet::new();
        for entry in fs::read_dir(self.folder.path()).expect("the folder") {
            let path = entry.expect("a file").path();
            let seen = self.machine.seen(&path, canaries_in);
            values.extend(seen.unwrap_or_else(|| canaries_in(&fs::read(path).expect("a file that reads"))));
        }
        values
    }

    /// Asks for a sync; [`Device::step`] carries it out.
    pub fn ask_for_sync(&mut self) {
        if !self.busy {
            self.busy = true;
            self.courier.tell(Event::SyncRequested, self.clock.now_ms(), self.chance.number());
        }
    }

    /// One step of a sync under way.
    pub fn step(&mut self, around: &mut Around<'_>) {
        self.one_step(around);
        self.power_back();
    }

    fn one_step(&mut self, around: &mut Around<'_>) {
        if self.chance.percent(around.weather.kill) {
            self.kill();
            return;
        }
        let (now_ms, entropy) = (self.clock.now_ms(), self.chance.number());
        let phone = self.phone.as_mut().expect("the app runs");
        match self.courier.step(phone.store_mut(), now_ms, entropy) {
            Step::Inward | Step::Outward(Outward::SetTimer { .. }) => {}
            Step::Outward(Outward::Send { credentials, body, .. }) => {
                let request = Request { credentials: *credentials, body };
                self.arrivals = if self.online {
                    let now_ms = around.truth.now_ms();
                    around.network.carry(around.server, request, around.weather, now_ms, &self.chance)
                } else {
                    self.faults.count("offline_sync");
                    [Arrival::Lost].into()
                };
            }
            Step::Outward(Outward::Finished(report)) => self.rest(Ok(report)),
            Step::Outward(Outward::Stopped(stopped)) => self.rest(Err(stopped)),
            Step::Rest => {
                let event = match self.arrivals.pop_front() {
                    Some(Arrival::Bytes(bytes)) => return self.courier.received(&bytes),
                    Some(Arrival::End) => Event::AnswerEnded,
                    Some(Arrival::Lost) => Event::LinkFailed(LinkFailure::Offline),
                    None => panic!("{} rests in the middle of a sync", self.name),
                };
                self.courier.tell(event, now_ms, entropy);
            }
        }
    }

    fn rest(&mut self, end: Result<SyncReport, Stopped>) {
        self.arrivals.clear();
        self.busy = false;
        self.last = Some(end);
    }
}
