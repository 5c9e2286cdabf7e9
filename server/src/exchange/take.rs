//! Everything that a request hands in, and the acknowledgements of it: own pushes, deposits, what others wrote.

use foras_wire::carried::CarriedPush;
use foras_wire::push::Push;
use foras_wire::sync::{Acks, AnswerFrame, Exception, Outcome};

use super::authored::Outcomes;
use super::{Exchange, Sink};

/// Rounds in which what waited for other changes of the same request is tried again. Phones that passed work to and fro
/// build on each other in turns, and each round takes one turn further.
const ROUNDS_MAX: usize = 16;

impl Exchange<'_> {
    /// Takes everything; false when the receiver is gone.
    pub(super) fn take(&mut self, pushes: &[Push], sink: &mut Sink<'_>) -> bool {
        let carried = std::mem::take(&mut self.request.carried);
        let mut own = Vec::with_capacity(pushes.len());
        for (index, push) in pushes.iter().enumerate() {
            let outcomes = self.take_push(push);
            if carried.is_empty() && !sink(AnswerFrame::Acks(acks(index, &outcomes))) {
                return false;
            }
            own.push(outcomes);
        }
        if carried.is_empty() {
            return self.take_deposits(sink);
        }
        let mut others: Vec<_> = carried.iter().map(|carried| self.take_carried(carried)).collect();
        self.take_waiting(pushes, &mut own, &carried, &mut others);
        own.iter().enumerate().all(|(index, outcomes)| sink(AnswerFrame::Acks(acks(index, outcomes))))
            && self.take_deposits(sink)
            && others.iter().enumerate().all(|(index, outcomes)| sink(AnswerFrame::CarriedAcks(acks(index, outcomes))))
    }

    /// Own work may build on what is carried, and the other way round: what waited is tried again while that helps.
    fn take_waiting(
        &mut self,
        pushes: &[Push],
        own: &mut [Outcomes],
        carried: &[CarriedPush],
        others: &mut [Outcomes],
    ) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for (push, outcomes) in pushes.iter().zip(own.iter_mut()).filter(|(_, outcomes)| waits(outcomes)) {
                moved |= settle(outcomes, self.take_push(push));
            }
            for (carried, outcomes) in carried.iter().zip(others.iter_mut()).filter(|(_, outcomes)| waits(outcomes)) {
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
