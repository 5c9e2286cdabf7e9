//! One programme, from its seed to its end: people who work, what befalls them, and what is left of their work.
//!
//! | file | what it is about |
//! |---|---|
//! | `cast` | who takes part |
//! | `day` | a day: everybody works and tries to sync |
//! | `deck` | in which order things befall a programme |
//! | `deeds` | what people write |
//! | `fall` | the server goes on from an older copy |
//! | `meeting` | phones share without a server |
//! | `misfortune` | what befalls phones, people and the server, beyond the weather |
//! | `reckoning` | rests, the laws, and where each edit ended |

mod cast;
mod day;
mod deck;
mod deeds;
mod fall;
mod meeting;
mod misfortune;
mod reckoning;

use foras_tests::world::World;
use foras_tests::world::chance::Chance;
use foras_tests::world::device::Device;
use foras_tests::world::hostile::HostilePhone;

use crate::outcome::Outcome;
use cast::{Member, Post};
use deck::Card;
use fall::Fall;

/// Days after which a programme that did not reach its device-days is stuck.
const DAYS_MAX: usize = 2_000;

/// Of a hundred days, those at whose end everybody comes to rest and the laws are looked at; they are at the end, too.
const REST: u8 = 6;

/// A programme under way.
struct Programme {
    world: World,
    chance: Chance,
    cast: Vec<Member>,
    /// Posts of people whose phone is gone, who come back with another.
    vacant: Vec<Post>,
    /// Cases, with the point where they were registered.
    cases: Vec<(String, &'static str)>,
    /// Sessions, with the point or country that plans them.
    sessions: Vec<(String, &'static str)>,
    /// Backups of phones, by the phone's place in the world.
    backups: Vec<(foras_tests::world::DeviceNumber, Device)>,
    hostile: HostilePhone,
    /// Forgeries that it still tries before it begins again.
    forgeries: Vec<&'static str>,
    /// What still befalls the programme before it is shuffled anew.
    deck: Vec<Card>,
    /// The server goes on from an older copy, once.
    fall: Fall,
    /// Edits written so far: each has a number of its own.
    values: usize,
    outcome: Outcome,
}

/// Plays the programme of `seed` until so many device-days were worked. Its first days are the same for every number.
pub(crate) fn play(seed: u64, device_days: u64) -> Outcome {
    let mut programme = Programme::begin(seed);
    for _ in 0..DAYS_MAX {
        programme.day(device_days);
        if !programme.outcome.is_clean() {
            return programme.end();
        }
        if programme.outcome.device_days == device_days {
            programme.come_home();
            programme.rest();
            return programme.end();
        }
        if programme.chance.percent(REST) {
            programme.rest();
        }
    }
    panic!("nobody can work any more: {} of {device_days} device-days", programme.outcome.device_days);
}
