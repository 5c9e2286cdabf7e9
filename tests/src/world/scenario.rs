//! Chance as the author: days of a programme in which anybody does anything, in any weather.

use foras::Error;

use super::weather::Weather;
use super::{DeviceNumber, World};

/// Fields that are written at random.
const FIELDS: [&str; 4] = ["education", "needs", "skills", "project_idea"];

/// How a random programme differs from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Days of work before each rest.
    pub days: usize,
    /// Things done a day.
    pub actions: usize,
    /// Times that the world comes to rest.
    pub rests: usize,
    /// Whether phones are cloned and restored.
    pub forks: bool,
}

/// A programme under way.
struct Programme {
    staff: Vec<DeviceNumber>,
    points: Vec<&'static str>,
    cases: Vec<String>,
    values: usize,
}

/// Plays a programme of `seed` to its end. The laws hold at each rest.
///
/// # Panics
/// When a law is broken, or a device fails in a way that no weather explains.
pub fn play(seed: u64, plan: Plan) {
    let mut world = World::new(seed);
    let staff = vec![
        world.outreach("oujda"),
        world.outreach("oujda"),
        world.host_counsellor("oujda"),
        world.trainer("oujda"),
        world.outreach("casablanca"),
        world.mission("ML"),
    ];
    let points = vec!["oujda", "oujda", "oujda", "oujda", "casablanca", "oujda"];
    for number in world.devices() {
        match world.chance.below(6) {
            0 => world.ten_years_off(number, true),
            1 => world.ten_years_off(number, false),
            _ => {}
        }
        // The first contact tells the device how its clock differs: a lease counts from there.
        world.sync(number).expect("a sync in calm weather");
    }
    let mut programme = Programme { staff, points, cases: Vec::new(), values: 0 };
    for _ in 0..plan.rests {
        for _ in 0..plan.days {
            programme.day(&mut world, plan);
        }
        world.run_until_quiescent();
    }
}

impl Programme {
    fn day(&mut self, world: &mut World, plan: Plan) {
        world.weather = if world.chance.percent(70) { Weather::ROUGH } else { Weather::CALM };
        for number in world.devices() {
            let online = world.chance.percent(50);
            world.device(number).set_online(online);
        }
        for _ in 0..plan.actions {
            self.act(world);
            if world.chance.percent(10) {
                let everybody: Vec<_> = world.devices().collect();
                let some = everybody.into_iter().filter(|_| world.chance.percent(40)).collect::<Vec<_>>();
                world.sync_together(&some);
            }
        }
        if plan.forks && world.chance.percent(30) {
            self.fork(world);
        }
        world.days_pass(1);
    }

    fn act(&mut self, world: &mut World) {
        let chance = world.chance.clone();
        let at = chance.below(self.staff.len());
        let (Some(number), Some(point)) = (self.staff.get(at).copied(), self.points.get(at).copied()) else { return };
        if self.cases.is_empty() || chance.percent(8) {
            let name = format!("Person {}", self.cases.len());
            match world.register(number, &name, point) {
                Ok(case) => self.cases.push(case),
                Err(error) => tolerate(&error),
            }
            return;
        }
        let case = chance.one_of(&self.cases).clone();
        let done = match chance.below(20) {
            0..=11 => self.edit(world, number, &case),
            12 => world.consent_to_share(number, &case),
            13 if chance.percent(40) => world.withdraw(number, &case),
            14 | 15 => world.phone(number).propose_handover(&case, "ML").map(drop),
            16 | 17 => world.phone(number).accept_handover(&case).map(drop),
            18 => world.phone(number).note(&case, "An interview.").map(drop),
            _ => {
                world.device(number).kill();
                Ok(())
            }
        };
        if let Err(error) = done {
            tolerate(&error);
        }
    }

    fn edit(&mut self, world: &mut World, number: DeviceNumber, case: &str) -> Result<(), Error> {
        self.values += 1;
        let field = *world.chance.clone().one_of(&FIELDS);
        world.edit(number, case, field, &format!("value-{:05}.", self.values))
    }

    /// A phone is copied: both go on, or the copy takes its place days later.
    fn fork(&mut self, world: &mut World) {
        let chance = world.chance.clone();
        world.oracle.forked = true;
        let at = chance.below(self.staff.len());
        let (Some(number), Some(point)) = (self.staff.get(at).copied(), self.points.get(at).copied()) else { return };
        if chance.percent(50) && self.staff.len() < 9 {
            let twin = world.clone_of(number, "a clone");
            self.staff.push(twin);
            self.points.push(point);
        } else {
            let backup = world.backup_of(number);
            // What is written after a backup and never sent is gone with the phone: that is no fault of sync.
            let _ = world.sync(number);
            let pending = world.phone(number).store().pending().map_or(1, |pending| pending.changes + pending.deposits);
            if pending == 0 {
                world.restore(number, backup);
            }
        }
    }
}

/// What a phone may say to a person who asks at the wrong moment. Anything else is a fault of the world.
fn tolerate(error: &Error) {
    let codes = ["not_allowed", "not_found", "refused", "locked", "no_case_number"];
    assert!(codes.contains(&error.code()), "{}: {error}", error.code());
}
