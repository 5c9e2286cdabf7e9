//! The story: one day at Oujda without a network, and what becomes of it.

mod handover;
mod offline;
mod reconnect;
mod withdrawal;

use foras_record::place::{Place, Point};
use foras_record::role::Role;
use foras_wire::id::RecordId;
use serde_json::Value;

use super::device::Device;
use super::journal::Journal;
use super::office::Office;
use super::programme::{Chance, Programme, is_of_the_story};
use super::tell::Teller;
use crate::output::Failure;

/// People whom both the outreach worker and the host counsellor work on, at most.
const PEOPLE_MAX: usize = 24;

/// The five phones, by their number in [`Story::devices`].
pub(super) const OUTREACH: usize = 0;
pub(super) const HOST: usize = 1;
pub(super) const TRAINER: usize = 2;
pub(super) const MIGRANT: usize = 3;
pub(super) const BAMAKO: usize = 4;
/// How many phones the story has.
pub(super) const PHONES: usize = 5;

/// A person of Oujda, as the host counsellor's phone knows them.
#[derive(Debug, Clone)]
pub(super) struct Acquaintance {
    pub(super) case: String,
    pub(super) name: String,
    pub(super) phones: Vec<String>,
}

/// What the story counted on its way.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) concurrent_values_kept: usize,
    pub(super) dropped_after_withdrawal: usize,
    pub(super) traces_after_withdrawal: usize,
}

/// The story while it goes on.
pub(super) struct Story<'a> {
    teller: &'a Teller,
    chance: Chance,
    /// The five phones.
    pub(super) devices: Vec<Device>,
    pub(super) journal: Journal,
    /// People whom two colleagues work on.
    people: Vec<Acquaintance>,
    /// Who gives consent on the own phone, and is handed over.
    migrant: Acquaintance,
    /// Who withdraws.
    second: Acquaintance,
    /// The workshop of the day.
    session: String,
}

impl<'a> Story<'a> {
    /// Enrols the five phones; each catches up for the first time.
    pub(super) fn begin(
        office: &Office,
        teller: &'a Teller,
        programme: &Programme,
        seed: u64,
    ) -> Result<Self, Failure> {
        teller.part("Five phones are enrolled, and catch up for the first time")?;
        let oujda = Some(Place::Point(Point::Oujda));
        let mali = "ML".parse().ok().map(Place::Country);
        let staff = [
            ("oujda-outreach", "Outreach worker, Oujda", Role::Outreach, oujda),
            ("oujda-host", "Host counsellor, Oujda", Role::HostCounsellor, oujda),
            ("oujda-trainer", "Trainer, Oujda", Role::Trainer, oujda),
            ("bamako", "Counsellor, Bamako", Role::OriginCounsellor, mali),
        ];
        let mut devices = Vec::new();
        for (store, name, role, place) in staff {
            devices.push(Device::enrol(office, store, name, role, place, None)?);
        }
        for device in &mut devices {
            first_sync(device, teller)?;
        }
        let mut chance = Chance::new(seed, 3);
        let Cast { people, migrant, second } = cast(devices.get_mut(HOST), programme, &mut chance)?;
        let case: Option<RecordId> = migrant.case.parse().ok();
        let mut phone = Device::enrol(office, "migrant", "Migrant, Oujda", Role::Migrant, None, case)?;
        first_sync(&mut phone, teller)?;
        devices.insert(MIGRANT, phone);
        Ok(Self {
            teller,
            chance,
            devices,
            journal: Journal::default(),
            people,
            migrant,
            second,
            session: String::new(),
        })
    }

    /// Tells the story from the first offline edit to the withdrawal.
    pub(super) fn tell(&mut self) -> Result<Told, Failure> {
        let mut told = Told::default();
        self.plan_the_day()?;
        self.work_offline()?;
        self.reconnect()?;
        told.concurrent_values_kept = self.show_what_merged()?;
        self.hand_over()?;
        let gone = self.withdraw()?;
        told.dropped_after_withdrawal = gone.records;
        told.traces_after_withdrawal = gone.traces;
        Ok(told)
    }

    fn device(&mut self, number: usize) -> Result<&mut Device, Failure> {
        let nobody = || Failure::refused("nobody", "the story has no such phone", "report it");
        self.devices.get_mut(number).ok_or_else(nobody)
    }

    /// Every phone syncs until none has anything to send or to receive.
    pub(super) fn come_to_rest(&mut self) -> Result<(), Failure> {
        /// More rounds than any exchange between five phones takes.
        const ROUNDS_MAX: usize = 20;
        for _ in 0..ROUNDS_MAX {
            let mut moved = 0;
            for device in &mut self.devices {
                let (sent, received) = device.sync_all()?;
                moved += sent + received;
            }
            if moved == 0 {
                return Ok(());
            }
        }
        Err(Failure::refused("never_quiet", "the phones never came to rest", "report it"))
    }
}

fn first_sync(device: &mut Device, teller: &Teller) -> Result<(), Failure> {
    device.sync_all()?;
    let records = device.phone.store().holdings()?.len();
    let Device { name, role, bytes_down, .. } = device;
    teller.tell(&format!("{name} ({role}): {records} records, {} KiB received", bytes_down.div_ceil(1024)))
}

struct Cast {
    people: Vec<Acquaintance>,
    migrant: Acquaintance,
    second: Acquaintance,
}

/// Finds the people of the story on the host counsellor's phone.
fn cast(host: Option<&mut Device>, programme: &Programme, chance: &mut Chance) -> Result<Cast, Failure> {
    let missing = || Failure::refused("nobody", "the people of the story are not on the phone", "report it");
    let wanted: Vec<&str> =
        programme.at(Point::Oujda).filter(|line| is_of_the_story(line)).map(|line| line.reference.as_str()).collect();
    let (mut people, mut story) = (Vec::new(), Vec::new());
    host.ok_or_else(missing)?.phone.export(|line| {
        let line = serde_json::to_value(line).map_err(|_| missing())?;
        let text = |field: &str| line.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let phones = line.get("phone").and_then(Value::as_array).into_iter().flatten();
        let phones = phones.filter_map(|phone| phone.as_str().map(str::to_owned)).collect();
        let person = Acquaintance { case: text("id"), name: text("name"), phones };
        let reference = text("ref");
        match wanted.contains(&reference.as_str()) {
            true => story.push((reference, person)),
            false => people.push((reference, person)),
        }
        Ok::<_, Failure>(())
    })?;
    people.sort_by(|one, other| one.0.cmp(&other.0));
    story.sort_by(|one, other| one.0.cmp(&other.0));
    chance.shuffle(&mut people);
    people.truncate(PEOPLE_MAX);
    let mut story = story.into_iter().map(|(_, person)| person);
    let (migrant, second) = story.next().zip(story.next()).ok_or_else(missing)?;
    Ok(Cast { people: people.into_iter().map(|(_, person)| person).collect(), migrant, second })
}
