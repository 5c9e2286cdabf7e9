//! What the engine asks for. Effects are performed in the order given.

use foras_wire::grant::SignedGrant;
use foras_wire::id::Nonce;
use foras_wire::pack::Piece;
use foras_wire::page::Page;
use foras_wire::reconcile::{Combined, Difference};
use foras_wire::sync::{DepositAck, SyncRequest};

use crate::work::Settlement;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell what there is to exchange, by [`crate::Event::WorkLoaded`]. An answer still being read is given up.
    LoadWork {
        /// Tell changes in full: one side named what the other did not find.
        plain: bool,
    },
    /// Send a request, then tell each frame of its answer.
    Send {
        /// The request.
        request: Box<SyncRequest>,
        /// The challenge to sign with the device's key, beside the token.
        prove: Option<Nonce>,
    },
    /// Keep what the server said first. No event answers this, unless the store fails.
    StoreWelcome {
        /// The server's epoch; another than before means that the server was restored.
        epoch: u64,
        /// Server's time in milliseconds since 1970: the device's last contact.
        now_ms: i64,
        /// The challenge for the next request.
        nonce: Nonce,
        /// A new token, if one was given.
        token: Option<[u8; 32]>,
    },
    /// Check a grant's signature, keep it, and answer with [`crate::Event::GrantAccepted`].
    AcceptGrant(Box<SignedGrant>),
    /// Keep what became of pushed changes, in one transaction. No event answers this, unless the store fails.
    Settle(Vec<Settlement>),
    /// Keep what became of deposits. No event answers this, unless the store fails.
    SettleDeposits(Vec<DepositAck>),
    /// Check a piece of a pack against what is here of it and keep it in one transaction; answer with
    /// [`crate::Event::PieceKept`].
    KeepPiece(Box<Piece>),
    /// Keep what became of carried changes, in one transaction. No event answers this, unless the store fails.
    SettleCarried(Vec<Settlement>),
    /// Check a page's signature and apply it with its cursor in one transaction; answer with
    /// [`crate::Event::PageApplied`]. It continues at the device's cursor.
    ApplyPage(Box<Page>),
    /// Check the signature of what differs in a copy and apply it in one transaction; answer with
    /// [`crate::Event::DifferenceApplied`].
    ApplyDifference(Box<Difference>),
    /// Every audience stands at its log's end, as of this server's time in milliseconds since 1970. Compare
    /// the copies, and answer with [`crate::Event::Compared`].
    CaughtUp {
        /// Server's time in milliseconds since 1970.
        now_ms: i64,
        /// The digest of the server's copies, where it told it.
        digest: Option<Combined>,
    },
    /// A log ends before the device's cursor: have all copies compared from the next work on. No event answers this, unless
    /// the store fails.
    CompareAll,
    /// Tell [`crate::Event::TimerFired`] after so many milliseconds. It replaces a timer set earlier.
    SetTimer {
        /// Milliseconds from now, on whatever clock does not jump.
        after_ms: u64,
    },
    /// The sync is over; everything that could travel did.
    Finished(Summary),
    /// The sync stopped. What was settled and applied stays.
    Failed {
        /// A stable code.
        code: String,
        /// Whether trying again later may help; the engine then has set a timer.
        retryable: bool,
        /// What was done before.
        summary: Summary,
    },
}

/// What one sync did, over all its round trips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Changes and deposits that the server acknowledged as durable (or keeps for a supervisor).
    pub sent: u32,
    /// Changes of other devices that the server has now, or keeps for a supervisor.
    pub carried: u32,
    /// Changes that were new to the device.
    pub received: u32,
    /// Changes and deposits that the server refused.
    pub refused: u32,
    /// Changes that the server could not take yet: they stay in the outbox.
    pub kept: u32,
    /// Requests sent.
    pub round_trips: u32,
}
