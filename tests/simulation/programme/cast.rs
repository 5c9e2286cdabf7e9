//! Who takes part.

use foras_record::role::Role;
use foras_tests::world::hostile::HostilePhone;
use foras_tests::world::{DeviceNumber, World};

use super::Programme;
use super::fall::Fall;
use crate::outcome::Outcome;

/// A role at a place: a point's or a country's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) role: Role,
    pub(crate) place: &'static str,
}

/// Somebody with a phone.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) number: DeviceNumber,
    pub(crate) post: Post,
    /// Of a migrant: the own case.
    pub(crate) own_case: Option<String>,
    /// On the road until then, with no network at all: true time, in milliseconds since 1970.
    pub(crate) away_until_ms: Option<i64>,
    /// Revoked, and not told yet: writes nothing any more.
    pub(crate) is_leaving: bool,
}

const POSTS: [Post; 6] = [
    Post { role: Role::Outreach, place: "oujda" },
    Post { role: Role::HostCounsellor, place: "oujda" },
    Post { role: Role::OriginCounsellor, place: "ML" },
    Post { role: Role::Trainer, place: "oujda" },
    Post { role: Role::Outreach, place: "casablanca" },
    Post { role: Role::Outreach, place: "oujda" },
];
/// Posts of which a programme has one more: among them the mission of a country to which nobody here returns.
const OTHERS: [Post; 3] = [
    Post { role: Role::OriginCounsellor, place: "SN" },
    Post { role: Role::HostCounsellor, place: "casablanca" },
    Post { role: Role::Trainer, place: "casablanca" },
];

impl Programme {
    /// Everybody has enrolled, and had a first contact: a lease counts from there.
    pub(crate) fn begin(seed: u64) -> Self {
        let mut world = World::new(seed);
        let chance = world.chance.clone();
        let hostile = HostilePhone::enrol(&mut world);
        let mut programme = Self {
            world,
            chance: chance.clone(),
            cast: Vec::new(),
            vacant: Vec::new(),
            cases: Vec::new(),
            sessions: Vec::new(),
            backups: Vec::new(),
            hostile,
            forgeries: Vec::new(),
            deck: Vec::new(),
            fall: Fall::Ahead,
            values: 0,
            outcome: Outcome::default(),
        };
        programme.expect_fall();
        for post in POSTS.into_iter().chain([*chance.one_of(&OTHERS)]) {
            programme.take_up(post);
        }
        programme
    }

    /// Somebody takes up a post with a new phone, whose clock may be wrong.
    pub(crate) fn take_up(&mut self, post: Post) {
        let name = format!("{} of {}", post.role.code(), post.place);
        let number = self.world.join(&name, post.role, &[post.place], None);
        self.welcome(Member { number, post, own_case: None, away_until_ms: None, is_leaving: false });
    }

    /// The person of a case gets the own case on the own phone.
    pub(crate) fn invite_person(&mut self) {
        let here: Vec<_> = self.cases.iter().filter(|(case, _)| self.world.server().find_case(case).is_ok()).collect();
        if here.is_empty() {
            return;
        }
        let (case, place) = (*self.chance.one_of(&here)).clone();
        let number = self.world.migrant(&case);
        let post = Post { role: Role::Migrant, place };
        self.welcome(Member { number, post, own_case: Some(case), away_until_ms: None, is_leaving: false });
    }

    fn welcome(&mut self, member: Member) {
        match self.chance.below(6) {
            0 => self.clock_off(member.number, true),
            1 => self.clock_off(member.number, false),
            _ => {}
        }
        let number = member.number;
        self.cast.push(member);
        self.attempt(number);
    }

    pub(crate) fn clock_off(&mut self, number: DeviceNumber, ahead: bool) {
        self.world.faults.count("clock_ten_years_off");
        self.world.ten_years_off(number, ahead);
    }
}
