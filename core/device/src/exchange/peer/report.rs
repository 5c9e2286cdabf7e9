//! What a meeting did.

use std::collections::BTreeMap;

use foras_wire::grant::Grant;
use foras_wire::sync::{Acks, Exception, Outcome};

use crate::error::Error;
use crate::store::Kept;

/// Who was met, as the grant says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// What colleagues call the person; none for migrants.
    pub name: Option<String>,
    /// The role's code.
    pub role: String,
}

impl Met {
    pub(super) fn of(grant: &Grant) -> Self {
        Self { name: grant.name.clone().filter(|_| grant.case.is_none()), role: grant.role.clone() }
    }
}

/// What a meeting did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerReport {
    /// Who was met; none before they proved it, and for a file.
    pub peer: Option<Met>,
    /// Changes that were handed over, and that the other side keeps. Of a file: changes in it.
    pub sent: u32,
    /// Changes handed over that the other side did not keep, by stable code.
    pub not_taken: BTreeMap<String, u32>,
    /// Changes that were new here and stand in their records, as provisional.
    pub received: u32,
    /// Changes that were new here and wait for something that they build on.
    pub waiting: u32,
    /// Changes that were not kept here, by stable code.
    pub refused: BTreeMap<String, u32>,
    /// Bytes written.
    pub bytes_up: u64,
    /// Bytes read.
    pub bytes_down: u64,
}

impl PeerReport {
    pub(super) fn note_kept(&mut self, kept: &[Kept]) {
        for one in kept {
            match one {
                Kept::Applied => self.received = self.received.saturating_add(1),
                Kept::Waiting => self.waiting = self.waiting.saturating_add(1),
                Kept::Known => {}
                Kept::Refused(code) => *self.refused.entry((*code).to_owned()).or_default() += 1,
            }
        }
    }

    /// What the other side said of a push of `shown` changes.
    pub(super) fn note_taken(&mut self, shown: u32, acks: &Acks) {
        let mut taken = shown;
        for exception in &acks.exceptions {
            if let Outcome::Refused { code } = &exception.outcome {
                taken = taken.saturating_sub(1);
                *self.not_taken.entry(super::meeting::readable(code.clone())).or_default() += 1;
            }
        }
        self.sent = self.sent.saturating_add(taken);
    }
}

/// What is told of a push: changes that are kept are not listed.
pub(super) fn acks(push: u16, kept: &[Kept]) -> Acks {
    let exception = |(item, kept): (u32, &Kept)| {
        let outcome = match kept {
            Kept::Applied => return None,
            Kept::Waiting => Outcome::Parked,
            Kept::Known => Outcome::Duplicate,
            Kept::Refused(code) => Outcome::Refused { code: (*code).to_owned() },
        };
        Some(Exception { item, outcome })
    };
    Acks { push, exceptions: (0..).zip(kept).filter_map(exception).collect() }
}

/// A meeting that stopped before its end. What it kept stays; the next one goes on from there.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct PeerStopped {
    /// Why.
    pub error: Error,
    /// What was done before.
    pub report: Box<PeerReport>,
}

impl PeerStopped {
    pub(super) fn of(error: Error, report: PeerReport) -> Self {
        Self { error, report: Box::new(report) }
    }
}
