//! Everything that a request hands in, and the acknowledgements of it: own pushes, deposits, what others wrote.

use foras_wire::carried::CarriedPush;
use foras_wire::push::Push;
use foras_wire::sync::{Acks, AnswerFrame, Exception, Outcome};

use super::authored::Outcomes;
use super::{Exchange, Sink};

/// Rounds in which what waited for other changes of the same request is tried again. Phones that passed work to and fro
/// build on each other in turns, and each round takes one turn further.
const ROUNDS_MAX: usize = 16;

/// A push of another device, and what became of it so far.
pub(super) type Other = (CarriedPush, Outcomes);

impl Exchange<'_> {
    /// Takes what others wrote. It comes first: own work may name changes that it brings.
    pub(super) fn take_others(&mut self) -> Vec<Other> {
        let carried = std::mem::take(&mut self.request.carried);
        let taken = |carried: CarriedPush| {
            let outcomes = self.take_carried(&carried);
            (carried, outcomes)
        };
        let mut others = carried.into_iter().map(taken).collect::<Vec<_>>();
        self.take_waiting(&[], &mut [], &mut others);
        others
    }

    /// Takes everything else, and acknowledges all; false when the receiver is gone.
    pub(super) fn take(&mut self, pushes: &[Push], mut others: Vec<Other>, sink: &mut Sink<'_>) -> bool {
        let mut own = Vec::with_capacity(pushes.len());
        for (index, push) in pushes.iter().enumerate() {
            let outcomes = self.take_push(push);
            if others.is_empty() && !sink(AnswerFrame::Acks(acks(index, &outcomes))) {
                return false;
            }
            own.push(outcomes);
        }
        if others.is_empty() {
            return self.take_deposits(sink);
        }
        self.take_waiting(pushes, &mut own, &mut others);
        own.iter().enumerate().all(|(index, outcomes)| sink(AnswerFrame::Acks(acks(index, outcomes))))
            && self.take_deposits(sink)
            && others
                .iter()
                .enumerate()
                .all(|(index, (_, outcomes))| sink(AnswerFrame::CarriedAcks(acks(index, outcomes))))
    }

    /// Own work may build on what is carried, and the other way round: what waited is tried again while that helps.
    fn take_waiting(&mut self, pushes: &[Push], own: &mut [Outcomes], others: &mut [Other]) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for (push, outcomes) in pushes.iter().zip(own.iter_mut()).filter(|(_, outcomes)| waits(outcomes)) {
                moved |= settle(outcomes, self.take_push(push));
            }
            for (carried, outcomes) in others.iter_mut().filter(|(_, outcomes)| waits(outcomes)) {
                moved |= settle(outcomes, self.take_carried(carried));
            }
            if !moved {
                return;
            }
        }
    }
}

fn waits(outcomes: &Outcomes) -> bool {
    outcomes.contains(&Some(Outcome::Parked))
}

/// Replaces what was parked by what became of it now; whether anything did.
fn settle(outcomes: &mut Outcomes, again: Outcomes) -> bool {
    let mut moved = false;
    for (outcome, again) in outcomes.iter_mut().zip(again) {
        if *outcome == Some(Outcome::Parked) && again != *outcome {
            (*outcome, moved) = (again, true);
        }
    }
    moved
}

fn acks(index: usize, outcomes: &Outcomes) -> Acks {
    let exception = |(item, outcome): (usize, &Option<Outcome>)| {
        Some(Exception { item: u32::try_from(item).ok()?, outcome: outcome.clone()? })
    };
    Acks {
        push: u16::try_from(index).unwrap_or(u16::MAX),
        exceptions: outcomes.iter().enumerate().filter_map(exception).collect(),
    }
}
