//! What the engine is told.

use foras_wire::sync::AnswerFrame;

use crate::work::Work;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The device came up.
    Started,
    /// A person asked for a sync now: waiting and earlier failures are set aside.
    SyncRequested,
    /// Something was written to the outbox.
    Edited,
    /// The system says that a network may be there. It may bring an attempt forward; nothing ever waits for it.
    NetworkHint,
    /// The time named by [`crate::Effect::SetTimer`] is over.
    TimerFired,
    /// Answer to [`crate::Effect::LoadWork`].
    WorkLoaded(Box<Work>),
    /// A whole frame of the answer arrived.
    Frame(Box<AnswerFrame>),
    /// The answer ended in order.
    AnswerEnded,
    /// The request could not be sent, or the answer not be read to its end.
    LinkFailed(LinkFailure),
    /// Answer to [`crate::Effect::AcceptGrant`]: the grant is stored.
    GrantAccepted {
        /// The last position applied of each audience, in the order of the new grant.
        cursors: Vec<u64>,
    },
    /// Answer to [`crate::Effect::KeepPiece`]: the piece is durable.
    PieceKept {
        /// Where the audience's cursor stands, once its pack is whole.
        cursor: Option<u64>,
        /// Changes that were new to the device.
        received: u32,
    },
    /// Answer to [`crate::Effect::ApplyPage`]: the page and its cursor are durable.
    PageApplied {
        /// Changes that were new to the device.
        received: u32,
    },
    /// Answer to [`crate::Effect::ApplyDifference`]: what it held is durable.
    DifferenceApplied {
        /// Changes that were new to the device.
        received: u32,
        /// The audience's cursor, when the comparison set it.
        cursor: Option<u64>,
    },
    /// Answer to [`crate::Effect::CaughtUp`].
    Compared {
        /// Whether the copies are not the server's; the next work then says which.
        differ: bool,
    },
    /// The store could not do what an effect asked; nothing of that effect was written.
    StoreFailed {
        /// A stable code.
        code: String,
        /// Whether trying again later may help.
        retryable: bool,
    },
}

/// Why a request came to nothing, or an answer was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkFailure {
    /// No connection, or it was lost.
    Offline,
    /// The other side fell silent for too long.
    TimedOut,
    /// What answered is no Foras server, or not the one that this device knows.
    NotForas,
    /// The answer's bytes are no frames, or exceed a limit.
    Malformed,
    /// The server said that it cannot serve now.
    Busy {
        /// Seconds that it asks to wait; 0 where it does not say.
        retry_after_s: u32,
    },
    /// This build cannot reach such an address at all.
    Unsupported,
}

impl LinkFailure {
    /// The stable code shown to a person.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Offline | Self::TimedOut => "offline",
            Self::NotForas => "not_foras",
            Self::Malformed => "malformed",
            Self::Busy { .. } => "server_busy",
            Self::Unsupported => "misuse",
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn retryable(self) -> bool {
        self != Self::Unsupported
    }
}
