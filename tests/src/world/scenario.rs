//! Chance as the author: days of a programme in which anybody does anything, in any weather.

use foras::Error;
use foras::phone::NewSession;

use super::weather::Weather;
use super::{DeviceNumber, World};

/// Fields that are written at random.
const FIELDS: [&str; 4] = ["education", "needs", "skills", "project_idea"];
/// Cases after which nobody new is registered: people meet over few cases more often than over many.
const CASES_MAX: usize = 6;
/// Most phones, clones among them.
const PHONES_MAX: usize = 10;

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

/// What happened, so that a test can tell that it met what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Met {
    /// Edits that were acknowledged.
    pub edits: usize,
    /// Fields with more than one value, at a rest.
    pub conflicts: usize,
    /// Cases that a mission held, at a rest.
    pub opened: usize,
    /// Cases that had left a mission again, at the next rest.
    pub dropped: usize,
    /// Changes in quarantine, in the end.
    pub quarantined: usize,
    /// Deposits that were handed in.
    pub deposits: usize,
    /// Kills in the middle of a sync.
    pub kills: usize,
    /// Phones that were cloned or restored.
    pub forks: usize,
}

impl std::ops::AddAssign for Met {
    fn add_assign(&mut self, other: Self) {
        self.edits += other.edits;
        self.conflicts += other.conflicts;
        self.opened += other.opened;
        self.dropped += other.dropped;
        self.quarantined += other.quarantined;
        self.deposits += other.deposits;
        self.kills += other.kills;
        self.forks += other.forks;
    }
}

/// A phone of the programme, and where its person works.
#[derive(Debug, Clone, Copy)]
struct Colleague {
    number: DeviceNumber,
    point: &'static str,
}

/// A programme under way.
struct Programme {
    staff: Vec<Colleague>,
    mission: DeviceNumber,
    cases: Vec<String>,
    sessions: Vec<(String, &'static str)>,
    values: usize,
    met: Met,
}

/// Plays a programme of `seed` to its end. The laws hold at each rest.
///
/// # Panics
/// When a law is broken, or a device fails in a way that no weather explains.
pub fn play(seed: u64, plan: Plan) -> Met {
    let mut world = World::new(seed);
    let mission = world.mission("ML");
    let numbers = [
        (world.outreach("oujda"), "oujda"),
        (world.outreach("oujda"), "oujda"),
        (world.host_counsellor("oujda"), "oujda"),
        (world.trainer("oujda"), "oujda"),
        (world.outreach("casablanca"), "casablanca"),
        (mission, "oujda"),
    ];
    for number in world.devices() {
        match world.chance.below(6) {
            0 => world.ten_years_off(number, true),
            1 => world.ten_years_off(number, false),
            _ => {}
        }
        // The first contact tells the device how its clock differs: a lease counts from there.
        world.sync(number).expect("a sync in calm weather");
    }
    let staff = numbers.into_iter().map(|(number, point)| Colleague { number, point }).collect();
    let (cases, sessions, met) = (Vec::new(), Vec::new(), Met::default());
    let mut programme = Programme { staff, mission, cases, sessions, values: 0, met };
    for _ in 0..plan.rests {
        let held = programme.held_by_mission(&mut world);
        for _ in 0..plan.days {
            programme.day(&mut world, plan);
        }
        world.run_until_quiescent();
        programme.look(&mut world, &held);
    }
    programme.met.edits = world.oracle.edits.len();
    programme.met.quarantined = world.quarantined();
    programme.met.kills = world.kills();
    programme.met
}

impl Programme {
    fn held_by_mission(&self, world: &mut World) -> Vec<String> {
        self.cases.iter().filter(|case| world.holds(self.mission, case)).cloned().collect()
    }

    fn look(&mut self, world: &mut World, held_before: &[String]) {
        let held = self.held_by_mission(world);
        self.met.opened += held.len();
        self.met.dropped += held_before.iter().filter(|case| !held.contains(case)).count();
        for case in &self.cases {
            for field in FIELDS {
                self.met.conflicts += usize::from(world.values(DeviceNumber(1), case, field).len() > 1);
            }
        }
    }

    fn day(&mut self, world: &mut World, plan: Plan) {
        world.weather = if world.chance.percent(70) { Weather::ROUGH } else { Weather::CALM };
        for number in world.devices() {
            let online = world.chance.percent(60);
            world.device(number).set_online(online);
        }
        for _ in 0..plan.actions {
            let colleague = *world.chance.clone().one_of(&self.staff);
            if let Err(error) = self.act(world, colleague) {
                tolerate(&error);
            }
            if world.chance.percent(12) {
                let everybody: Vec<_> = world.devices().collect();
                let some = everybody.into_iter().filter(|_| world.chance.percent(50)).collect::<Vec<_>>();
                world.sync_together(&some);
            }
        }
        if plan.forks && world.chance.percent(30) {
            self.fork(world);
        }
        if world.chance.percent(10) {
            world.restart_server();
        }
        let can_write = !world.chance.percent(15);
        world.server_writes(can_write);
        if world.chance.percent(10) {
            // Somebody sets a clock back.
            let colleague = *world.chance.clone().one_of(&self.staff);
            world.ten_years_off(colleague.number, false);
        }
        world.days_pass(1);
    }

    fn act(&mut self, world: &mut World, Colleague { number, point }: Colleague) -> Result<(), Error> {
        let chance = world.chance.clone();
        if self.cases.is_empty() || (self.cases.len() < CASES_MAX && chance.percent(8)) {
            let case = world.register(number, &format!("Person {}", self.cases.len()), point)?;
            self.cases.push(case);
            return Ok(());
        }
        let case = chance.one_of(&self.cases).clone();
        match chance.below(30) {
            0..=12 => self.edit(world, number, &case),
            13..=15 => world.consent_to_share(number, &case),
            16..=18 => world.withdraw(number, &case),
            19..=21 => world.phone(number).propose_handover(&case, "ML").map(drop),
            22 | 23 => world.phone(self.mission).accept_handover(&case).map(drop),
            24 => self.edit(world, self.mission, &case),
            25 => world.phone(number).note(&case, "An interview.").map(drop),
            26 | 27 => self.roll_call(world, number, &case, point),
            28 => self.deposit(world, number, point),
            _ => {
                world.device(number).kill();
                Ok(())
            }
        }
    }

    fn edit(&mut self, world: &mut World, number: DeviceNumber, case: &str) -> Result<(), Error> {
        self.values += 1;
        let field = *world.chance.clone().one_of(&FIELDS);
        world.edit(number, case, field, &format!("value-{:05}.", self.values))
    }

    fn roll_call(
        &mut self,
        world: &mut World,
        number: DeviceNumber,
        case: &str,
        point: &'static str,
    ) -> Result<(), Error> {
        let chance = world.chance.clone();
        if self.sessions.len() < 3 {
            let session = NewSession {
                module: "awareness".to_owned(),
                point: point.to_owned(),
                start: "2026-10-05T10:00:00+01:00".to_owned(),
                minutes: 90,
                capacity: 12,
                is_virtual: false,
                individual: false,
            };
            self.sessions.push((world.phone(number).add_session(&session)?.id, point));
        }
        let (session, _) = chance.one_of(&self.sessions).clone();
        let outcome = *chance.one_of(&["present", "partly", "absent"]);
        world.phone(number).attend(&session, case, outcome).map(drop)
    }

    /// People answer at the point where they were.
    fn deposit(&mut self, world: &mut World, number: DeviceNumber, point: &str) -> Result<(), Error> {
        let here = self.sessions.iter().find(|(_, of)| *of == point);
        let Some((session, _)) = here else { return Ok(()) };
        world.phone(number).feedback(session, "yes", None)?;
        self.met.deposits += 1;
        world.oracle.deposits += 1;
        Ok(())
    }

    /// A phone is copied: both go on, or the copy takes its place when the phone has sent everything.
    fn fork(&mut self, world: &mut World) {
        let chance = world.chance.clone();
        let colleague = *chance.one_of(&self.staff);
        world.oracle.copied(colleague.number);
        if chance.percent(50) && self.staff.len() < PHONES_MAX {
            let number = world.clone_of(colleague.number, "a clone");
            world.oracle.copied(number);
            self.staff.push(Colleague { number, ..colleague });
            self.met.forks += 1;
            return;
        }
        let backup = world.backup_of(colleague.number);
        // What is written after a backup and never sent is gone with the phone: that is no fault of sync.
        let _ = world.sync(colleague.number);
        let pending = world.phone(colleague.number).store().pending();
        if pending.is_ok_and(|pending| pending.changes + pending.deposits == 0) {
            world.restore(colleague.number, backup);
            self.met.forks += 1;
        }
    }
}

/// What a phone may say to a person who asks at the wrong moment. Anything else is a fault of the world.
fn tolerate(error: &Error) {
    let codes = ["not_allowed", "not_found", "refused", "locked", "no_case_number"];
    assert!(codes.contains(&error.code()), "{}: {error}", error.code());
}
