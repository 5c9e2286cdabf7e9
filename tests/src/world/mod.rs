//! The simulated world: a server and any number of phones in one process, sans IO but their files, from one seed.
//!
//! Stories read as the programme's own: an outreach worker in Oujda is offline for nine days, a clone of her phone comes
//! to life, an answer is cut in the middle of a page. After every quiescence the laws of sync hold ([`laws`]). The world
//! prints its seed when a story fails; `FORAS_SEED` replays it.

pub mod canary;
pub mod chance;
pub mod clock;
pub mod device;
mod disks;
pub mod faults;
pub mod hostile;
mod keeping;
pub mod laws;
pub mod meet;
pub mod network;
pub mod oracle;
pub mod people;
pub mod put_back;
mod rest;
pub mod scenario;
pub mod weather;

use std::collections::BTreeSet;
use std::path::Path;

use foras::exchange::SyncReport;
use foras::phone::Phone;
use foras_record::place::Place;
use foras_record::role::Role;
use foras_server::{Invite, PackSizes, Server};
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::id::RecordId;
use foras_wire::invitation::Invitation;
use tempfile::TempDir;

use chance::Chance;
use clock::{DAY_MS, TrueTime};
use device::{Around, Device};
use faults::Faults;
use network::Network;
use oracle::Oracle;
use weather::Weather;

use crate::power::{self, Machine};

/// When the world begins: 1 October 2026, in milliseconds since 1970.
const BEGINNING_MS: i64 = 1_790_812_800_000;

/// Packs in a world of few records: they come soon, in several segments of several pieces.
pub const SMALL_PACKS: PackSizes =
    PackSizes { log_max: 10, first_bytes: 4 * 1024, later_bytes: 12 * 1024, piece_bytes: 256 };

/// Names a device of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceNumber(pub usize);

/// A server, phones, and what is between them.
#[derive(Debug)]
pub struct World {
    /// What everything random comes from.
    pub chance: Chance,
    /// What time it really is.
    pub truth: TrueTime,
    /// What has been acknowledged to people.
    pub oracle: Oracle,
    /// How rough it is now.
    pub weather: Weather,
    /// How often each fault struck.
    pub faults: Faults,
    seed: u64,
    server: Server,
    machine: Machine,
    folder: TempDir,
    network: Network,
    devices: Vec<Option<Device>>,
    packs: PackSizes,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the world's seed was {}; replay it with FORAS_SEED={}", self.seed, self.seed);
        }
    }
}

impl World {
    /// A world of `seed`, with a server and nobody in it.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (chance, truth, faults) = (Chance::new(seed), TrueTime::new(BEGINNING_MS), Faults::default());
        let folder = device::folder();
        let machine = power::plug_in(folder.path());
        let server = Server::open_with(folder.path(), truth.now_ms(), &mut chance.clone()).expect("a server");
        server.set_address("http://world.invalid", None).expect("an address");
        server.set_pack_sizes(SMALL_PACKS);
        Self {
            chance,
            truth,
            oracle: Oracle::default(),
            weather: Weather::CALM,
            seed,
            server,
            machine,
            folder,
            network: Network::new(faults.clone()),
            faults,
            devices: Vec::new(),
            packs: SMALL_PACKS,
        }
    }

    /// From now on packs are of these sizes.
    pub fn set_packs(&mut self, packs: PackSizes) {
        self.packs = packs;
        self.server.set_pack_sizes(packs);
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The server's data folder.
    #[must_use]
    pub fn server_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Every device that is there.
    pub fn devices(&self) -> impl Iterator<Item = DeviceNumber> + use<> {
        let there: Vec<_> = (0..self.devices.len()).filter(|at| self.devices[*at].is_some()).collect();
        there.into_iter().map(DeviceNumber)
    }

    fn add(&mut self, device: Device) -> DeviceNumber {
        self.devices.push(Some(device));
        DeviceNumber(self.devices.len() - 1)
    }

    /// A device.
    pub fn device(&mut self, number: DeviceNumber) -> &mut Device {
        self.devices.get_mut(number.0).and_then(Option::as_mut).expect("a device of this world")
    }

    /// A device's app.
    pub fn phone(&mut self, number: DeviceNumber) -> &mut Phone {
        self.device(number).phone()
    }

    /// Somebody joins: invited, and enrolled on a new phone.
    pub fn join(&mut self, name: &str, role: Role, places: &[&str], case: Option<RecordId>) -> DeviceNumber {
        let places: BTreeSet<Place> = places.iter().map(|place| place.parse().expect("a place")).collect();
        let invite = Invite { role, places, case, name: Some(name.to_owned()) };
        let now_ms = self.truth.now_ms();
        let invited = self.server.invite(&invite, now_ms, &mut self.chance.clone()).expect("an invitation");
        let invitation: Invitation = invited.invitation.parse().expect("an invitation that reads");
        let mut device = Device::new(name, &self.truth, &self.chance, &self.faults);
        let store = device.phone().store_mut();
        let request = store.enrol_request(&invitation.secret).expect("a request");
        let answer = self.server.enrol(&to_cbor(&request), now_ms, &mut self.chance.clone()).expect("an enrolment");
        let answer = from_cbor("enrolment", &answer).expect("an answer that reads");
        let key = invitation.server_key;
        store.complete_enrolment(&answer, &invitation.server_url, Some(&key), now_ms).expect("an enrolled phone");
        self.add(device)
    }

    /// Time passes for everybody.
    pub fn days_pass(&mut self, days: i64) {
        self.truth.advance(days * DAY_MS);
    }

    /// A clone of a phone comes to life: same folder, same key.
    pub fn clone_of(&mut self, number: DeviceNumber, name: &str) -> DeviceNumber {
        let copy = self.device(number).copy(name);
        self.add(copy)
    }

    /// The folder of a phone, as it lies now, to restore later.
    pub fn backup_of(&mut self, number: DeviceNumber) -> Device {
        let name = self.device(number).name.clone();
        self.device(number).copy(&name)
    }

    /// A phone's folder is what it was at the backup.
    pub fn restore(&mut self, number: DeviceNumber, backup: Device) {
        *self.device(number) = backup;
        self.recount_owed();
    }

    /// A phone is no more, and what only it held is gone with it.
    pub fn destroy(&mut self, number: DeviceNumber) {
        let chunks = self.chunks_to_send(number);
        self.oracle.gone.extend(chunks.iter().flat_map(|chunk| canary::canaries_in(chunk)));
        let pending = self.phone(number).store().pending().expect("the outbox");
        self.oracle.deposits_unsure += usize::try_from(pending.deposits).unwrap_or(usize::MAX);
        self.oracle.shows.remove(&number);
        self.devices[number.0] = None;
        self.recount_owed();
    }

    /// One sync of one device, to its end, in the weather that is.
    ///
    /// # Errors
    /// The code of what stopped it.
    pub fn sync(&mut self, number: DeviceNumber) -> Result<SyncReport, String> {
        self.device(number).ask_for_sync();
        while self.device(number).is_busy() {
            self.step(number);
        }
        self.ended(number)
    }

    fn ended(&mut self, number: DeviceNumber) -> Result<SyncReport, String> {
        match &self.device(number).last {
            Some(Ok(report)) => Ok(*report),
            Some(Err(stopped)) => Err(stopped.error.code().to_owned()),
            None => Err("killed".to_owned()),
        }
    }

    fn step(&mut self, number: DeviceNumber) {
        let (weather, truth) = (self.weather, &self.truth);
        let mut around = Around { server: &self.server, network: &mut self.network, weather, truth };
        if let Some(Some(device)) = self.devices.get_mut(number.0) {
            device.step(&mut around);
            if !device.is_busy() {
                self.settled(number);
            }
        }
        if self.chance.percent(self.weather.stale) {
            self.network.deliver_stale(&self.server, self.truth.now_ms(), &self.chance);
        }
        if self.machine.is_off() {
            self.mend_server();
        }
    }

    /// The first steps of a sync; whether it was over by then.
    pub fn sync_for_steps(&mut self, number: DeviceNumber, steps: usize) -> bool {
        self.device(number).ask_for_sync();
        for _ in 0..steps {
            if !self.device(number).is_busy() {
                return true;
            }
            self.step(number);
        }
        !self.device(number).is_busy()
    }

    /// A sync whose first answer is cut after so many bytes; gives the answer's whole length.
    pub fn cut_next_answer(&mut self, number: DeviceNumber, bytes: usize) -> usize {
        self.network.cut_next(bytes);
        // It ends well where the cut came after something was settled.
        let _ = self.sync(number);
        self.network.last_answer_bytes()
    }

    /// From now on every answer is cut after so many bytes; or none is.
    pub fn cut_each_answer(&mut self, bytes: Option<usize>) {
        self.network.cut_each(bytes);
    }

    /// The body of the last request that a phone sent, as somebody beside the wire has it.
    #[must_use]
    pub fn overheard(&self) -> Option<Vec<u8>> {
        self.network.overheard()
    }

    /// The server stops and starts again on its folder.
    pub fn restart_server(&mut self) {
        self.faults.count("server_restarted");
        self.without_server(|_| ());
    }

    /// Something happens to the data folder while the server does not run; then it starts again.
    pub(super) fn without_server(&mut self, work: impl FnOnce(&Path)) {
        let (now_ms, mut chance) = (self.truth.now_ms(), self.chance.clone());
        self.server = Server::open_in_memory(now_ms, &mut chance).expect("a stand-in");
        work(self.folder.path());
        self.open_server();
    }

    fn open_server(&mut self) {
        let (now_ms, mut chance) = (self.truth.now_ms(), self.chance.clone());
        self.server = Server::open_with(self.folder.path(), now_ms, &mut chance).expect("the server starts again");
        self.server.set_pack_sizes(self.packs);
    }

    /// How often apps were killed in the middle of a sync.
    #[must_use]
    pub fn kills(&self) -> usize {
        self.devices.iter().flatten().map(Device::kills).sum()
    }

    /// The server's disk takes no changes, or takes them again. It can still read.
    pub fn server_writes(&mut self, can_write: bool) {
        let database = rusqlite::Connection::open(self.folder.path().join("foras.db")).expect("the database");
        for table in ["change", "quarantine"] {
            let sql = if can_write {
                format!("DROP TRIGGER IF EXISTS failing_{table}")
            } else {
                format!(
                    "CREATE TRIGGER IF NOT EXISTS failing_{table} BEFORE INSERT ON {table} \
                     BEGIN SELECT RAISE(ABORT, 'the disk fails'); END"
                )
            };
            database.execute_batch(&sql).expect("a fault of the disk");
        }
    }

    /// Devices sync at the same time, their steps in random order.
    pub fn sync_together(&mut self, numbers: &[DeviceNumber]) {
        for number in numbers {
            self.device(*number).ask_for_sync();
        }
        loop {
            let busy: Vec<_> = numbers.iter().copied().filter(|number| self.device(*number).is_busy()).collect();
            if busy.is_empty() {
                return;
            }
            let next = *self.chance.clone().one_of(&busy);
            self.step(next);
        }
    }
}
