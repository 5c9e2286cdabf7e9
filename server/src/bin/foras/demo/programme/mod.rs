//! The demonstration programme: synthetic people of whom the figures that the programme published come out exactly.
//!
//! Only the inputs are made here, as lines of an import. Every figure is counted from what the server admitted.

mod chance;
mod days;
mod foras;
mod line;
mod names;
mod person;
mod returns;
mod workshops;

use foras_record::place::Point;
use jiff::civil::Date;

pub(crate) use chance::Chance;
#[cfg(test)]
pub(crate) use foras::share;
pub(crate) use foras::{BEGINS, PEOPLE, SEMINAR};
pub(crate) use line::Line;
pub(crate) use workshops::{PEOPLE as WORKSHOP_PEOPLE, is_of_the_story};

/// A session that is held over the network with a mission, planned before people are registered for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VirtualSession {
    pub(crate) point: Point,
    pub(crate) country: &'static str,
    pub(crate) on: Date,
    pub(crate) individual: bool,
}

impl VirtualSession {
    /// Missions speak of what awaits people at home: that is awareness.
    pub(crate) const MODULE: &'static str = days::AWARENESS;
}

/// The people of a demonstration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programme {
    /// Everybody, FORAS first.
    pub(crate) lines: Vec<Line>,
    /// Sessions that must be planned first.
    pub(crate) sessions: Vec<VirtualSession>,
}

impl Programme {
    /// `people` of FORAS, and the workshops of 2021 on top; with `full`, all who returned since 2005. The same for the
    /// same seed.
    pub(crate) fn new(people: usize, seed: u64, full: bool) -> Self {
        let mut lines = foras::people(people, seed);
        if full {
            lines.extend(returns::people(people, seed));
        }
        lines.extend(workshops::people(seed));
        Self { lines, sessions: vec![workshops::WITH_MALI, workshops::WITH_GUINEA] }
    }

    /// The lines of one point.
    pub(crate) fn at(&self, point: Point) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.point == point)
    }
}

#[cfg(test)]
mod tests;
