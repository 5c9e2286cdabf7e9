//! One change set: what one action of a person wrote, over one or several records. It is admitted whole or not at all.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;

use foras_record::access::AuthorFacts;
use foras_record::change::ParsedChange;
use foras_record::kind::Kind;
use foras_wire::audience::AudienceName;
use foras_wire::id::{Actor, DeviceId, Digest32};
use foras_wire::record::RecordRef;
use foras_wire::sync::Outcome;

use super::Intake;
use crate::error::ServerError;
use crate::storage::authors;
use crate::storage::proofs::{self, Quarantined};

/// Changes of one device that may wait in quarantine.
const QUARANTINE_MAX: u64 = 10_000;

/// Who pushed.
#[derive(Debug)]
pub(crate) struct SetAuthor {
    pub(crate) device: DeviceId,
    pub(crate) actor: Actor,
    /// What the revision named by the push says of the author.
    pub(crate) facts: AuthorFacts,
    /// The audiences of that revision.
    pub(crate) audiences: BTreeSet<AudienceName>,
    /// Nothing of this incarnation is admitted any more.
    pub(crate) frozen: Cell<bool>,
}

/// One change of a set.
#[derive(Debug)]
pub(crate) struct SetItem<'p> {
    /// Its index in the push.
    pub(crate) index: usize,
    pub(crate) record: &'p RecordRef,
    pub(crate) kind: Kind,
    pub(crate) change: ParsedChange,
    pub(crate) push_root: Digest32,
}

/// Why a set is not admitted.
pub(super) enum Stop {
    /// One change is refused; `usize` counts within the set.
    Refused(usize, Cow<'static, str>),
    /// The author may no longer write there; what was made in good faith is kept for a supervisor.
    Quarantined(&'static str),
    /// Something that it builds on has not come yet.
    Parked,
    Server(ServerError),
}

impl From<ServerError> for Stop {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

impl Intake<'_> {
    /// Takes change sets in their order. Returns what became of each change, by its index in the push; `None`: durable.
    pub(crate) fn take_sets(
        &mut self,
        author: &SetAuthor,
        sets: &[Vec<SetItem<'_>>],
    ) -> Result<Vec<(usize, Option<Outcome>)>, ServerError> {
        let mut taken = Vec::new();
        // Sets that touch no case do not change what the next one may do, so they are tried together.
        for run in sets.chunk_by(|before, next| !touches_case(before) && !touches_case(next)) {
            self.take_run(author, run, &mut taken)?;
        }
        Ok(taken)
    }

    /// Tries several sets as if they were one: a rehearsal costs as much as the record is long, whatever comes to it.
    /// What fails is halved, so that each set is judged by itself in the end.
    fn take_run(
        &mut self,
        author: &SetAuthor,
        run: &[Vec<SetItem<'_>>],
        taken: &mut Vec<(usize, Option<Outcome>)>,
    ) -> Result<(), ServerError> {
        if let [set] = run {
            let set: Vec<_> = set.iter().collect();
            let outcomes = self.take_set(author, &set)?;
            taken.extend(set.iter().map(|item| item.index).zip(outcomes));
            return Ok(());
        }
        let together: Vec<_> = run.iter().flatten().collect();
        let known = self.known(&together)?;
        match self.admit_set(author, &together) {
            Ok(()) => {
                let outcomes = known.iter().map(|known| known.then_some(Outcome::Duplicate));
                taken.extend(together.iter().map(|item| item.index).zip(outcomes));
                Ok(())
            }
            Err(Stop::Server(error)) => Err(error),
            Err(_) => {
                let (first, second) = run.split_at(run.len() / 2);
                self.take_run(author, first, taken)?;
                self.take_run(author, second, taken)
            }
        }
    }

    /// Which changes are part of their records already.
    fn known(&mut self, set: &[&SetItem<'_>]) -> Result<Vec<bool>, ServerError> {
        set.iter().map(|item| Ok(self.history(item.kind, &item.record.key)?.knows(&item.change.hash))).collect()
    }

    /// Takes one set and says what became of each change; `None`: durable.
    fn take_set(&mut self, author: &SetAuthor, set: &[&SetItem<'_>]) -> Result<Vec<Option<Outcome>>, ServerError> {
        let known = self.known(set)?;
        let each = |other: &dyn Fn(usize) -> Option<Outcome>| {
            let outcome = |(at, known): (usize, &bool)| if *known { Some(Outcome::Duplicate) } else { other(at) };
            known.iter().enumerate().map(outcome).collect()
        };
        if known.iter().all(|known| *known) {
            return Ok(each(&|_| None));
        }
        match self.admit_set(author, set) {
            Ok(()) => Ok(each(&|_| None)),
            Err(Stop::Parked) => Ok(each(&|_| Some(Outcome::Parked))),
            Err(Stop::Refused(refused, code)) => {
                if code == "seq_reused" {
                    author.frozen.set(true);
                    authors::freeze(self.db, &author.actor, &author.device, self.now_ms)?;
                }
                Ok(each(&|at| {
                    let here = at == refused || code == "frozen";
                    let code = code.clone().into_owned();
                    Some(if here { Outcome::Refused { code } } else { Outcome::SetRefused })
                }))
            }
            Err(Stop::Quarantined(_)) if proofs::quarantined(self.db, &author.device)? >= QUARANTINE_MAX => {
                Ok(each(&|_| Some(Outcome::Refused { code: "quarantine_full".to_owned() })))
            }
            Err(Stop::Quarantined(code)) => {
                for (item, _) in set.iter().zip(&known).filter(|(_, known)| !**known) {
                    self.set_aside(author, item, code)?;
                }
                Ok(each(&|_| Some(Outcome::Quarantined { code: code.to_owned() })))
            }
            Err(Stop::Server(error)) => Err(error),
        }
    }

    fn set_aside(&self, author: &SetAuthor, item: &SetItem<'_>, code: &str) -> Result<(), ServerError> {
        let aside = Quarantined {
            device: &author.device,
            record: item.record,
            hash: &item.change.hash,
            push_root: &item.push_root,
            code,
            chunk: item.change.bytes(),
        };
        proofs::quarantine(self.db, &aside, self.now_ms)
    }
}

fn touches_case(set: &[SetItem<'_>]) -> bool {
    set.iter().any(|item| item.kind == Kind::Case)
}
