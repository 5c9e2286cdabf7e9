//! What a device has to exchange, as its store tells the engine, and what the engine tells it back.

use foras_wire::carried::CarriedPush;
use foras_wire::id::Nonce;
use foras_wire::pack::PackProgress;
use foras_wire::push::PackedPush;
use foras_wire::reconcile::{Offers, Reconcile};
use foras_wire::sync::{Deposit, Introduction, Outcome};

/// What the next request is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// The server's epoch as the device knows it.
    pub epoch: u64,
    /// The revision of the grant whose audiences `cursors` follow.
    pub grant_revision: u64,
    /// The last position applied of each audience, in the order of the grant.
    pub cursors: Vec<u64>,
    /// The last answer's challenge, where the token may have expired: the request then proves the device anew.
    pub nonce: Option<Nonce>,
    /// Signed changes, oldest first, within the limits of one request ([`foras_wire::limits::PUSH_CHANGES_MAX`],
    /// [`foras_wire::limits::PUSH_BYTES`]); a change set is never split over two requests.
    pub pushes: Vec<OutgoingPush>,
    /// What is handed in without a sender, at most [`foras_wire::limits::DEPOSITS_MAX`].
    pub deposits: Vec<Deposit>,
    /// Packs under way, where packs are taken for audiences whose cursor is 0; `None`: pages only.
    pub packs: Option<Vec<PackProgress>>,
    /// Pushes of other devices, within the same limits as own ones.
    pub carried: Vec<OutgoingCarried>,
    /// Copies of audiences that may differ from the server's.
    pub reconcile: Option<Reconcile>,
    /// What the server seems to have lost.
    pub offers: Option<Offers>,
    /// Who the device is, for a server that does not know it any more.
    pub introduction: Option<Box<Introduction>>,
    /// Whether the outbox holds more than this request may carry.
    pub more: bool,
    /// Whether the pushes are told in full, and the answer is to be: what [`crate::Effect::LoadWork`] asked for.
    pub plain: bool,
}

/// A push, and the store's own numbers of what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingPush {
    /// What travels.
    pub push: PackedPush,
    /// The outbox row of each item, in the items' order. [`Settlement`] names them again.
    pub rows: Vec<u64>,
}

/// A push of another device, and the store's own numbers of the changes that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingCarried {
    /// What travels.
    pub carried: CarriedPush,
    /// The row of each shown change, in their order. [`Settlement`] names them again.
    pub rows: Vec<u64>,
}

/// What became of one outbox row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The row, as [`OutgoingPush::rows`] named it.
    pub row: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a change that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// On the server, durably: it leaves the outbox.
    Durable,
    /// Not durable yet (parked, or the server could not look at it now): it stays, and is pushed again.
    Kept,
    /// Received for a supervisor, not in the record: it leaves the outbox.
    Quarantined {
        /// A stable code.
        code: String,
    },
    /// Not admitted: this change and what builds on it leave the outbox, and stay visible.
    Refused {
        /// A stable code.
        code: String,
    },
    /// Not looked at, because another change of its set was refused.
    SetRefused,
}

impl Fate {
    /// Whether the row leaves the outbox.
    #[must_use]
    pub fn is_final(&self) -> bool {
        *self != Self::Kept
    }
}

impl From<&Outcome> for Fate {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Duplicate => Self::Durable,
            Outcome::Parked | Outcome::Later => Self::Kept,
            Outcome::Quarantined { code } => Self::Quarantined { code: code.clone() },
            Outcome::Refused { code } => Self::Refused { code: code.clone() },
            Outcome::SetRefused => Self::SetRefused,
        }
    }
}
