//! The one exchange: a request that pushes and names cursors; an answer that acknowledges and brings pages.

use minicbor::{Decode, Encode};

use crate::carried::CarriedPush;
use crate::enrol::CaseNumberBlock;
use crate::grant::SignedGrant;
use crate::id::{DeviceId, Incarnation, Nonce, RecordId};
use crate::pack::{PackProgress, Piece};
use crate::page::Page;
use crate::push::PackedPush;
use crate::reconcile::{Combined, Difference, Offers, Reconcile};
use crate::turn::Turn;
use crate::version::ProtocolRange;

/// The body of `POST /v1/sync`. Who asks is proven beside it (see [`Credentials`]).
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct SyncRequest {
    /// Versions that the device speaks.
    #[n(0)]
    pub protocol: ProtocolRange,
    /// The server's epoch as the device knows it.
    #[n(1)]
    pub epoch: u64,
    /// The revision of the grant whose audiences `cursors` follow.
    #[n(2)]
    pub grant_revision: u64,
    /// The last position applied of each audience, in the order of the grant.
    #[n(3)]
    pub cursors: Vec<u64>,
    /// Changes to admit, oldest first.
    #[n(4)]
    pub pushes: Vec<PackedPush>,
    /// Deposits: what is handed in without a sender.
    #[n(5)]
    pub deposits: Vec<Deposit>,
    /// Seconds for which the server may hold the request back while there is nothing to say, at most
    /// [`crate::limits::WAIT_S_MAX`]; 0: answer at once.
    #[cbor(n(6), default, skip_if = "is_zero")]
    pub wait_s: u16,
    /// Changes go and come in full, without naming what the other side holds: asked for once something that was named
    /// could not be found.
    #[cbor(n(7), default, skip_if = "is_false")]
    pub plain: bool,
    /// Packs under way, where the device takes packs for audiences whose cursor is 0; `None`: pages only.
    #[n(8)]
    pub packs: Option<Vec<PackProgress>>,
    /// Pushes of other devices, taken along as their authors signed them.
    #[cbor(n(11), skip_if = "Vec::is_empty")]
    pub carried: Vec<CarriedPush>,
    /// Copies of audiences that may differ from the server's.
    #[n(9)]
    pub reconcile: Option<Reconcile>,
    /// What the server seems to have lost.
    #[n(10)]
    pub offers: Option<Offers>,
    /// Who the device is: asked for by a server that does not know it.
    #[n(12)]
    pub introduction: Option<Box<Introduction>>,
}

/// What a device says of itself to a server that does not know it any more: its database was put back to a copy from before
/// the device was enrolled. What the device owns stands in the grant, under the server's own signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Introduction {
    /// The device's grant.
    #[n(0)]
    pub grant: SignedGrant,
    /// Every incarnation under which it wrote.
    #[n(1)]
    pub incarnations: Vec<Incarnation>,
    /// The case numbers that it was given.
    #[n(2)]
    pub case_numbers: Option<CaseNumberBlock>,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

impl SyncRequest {
    /// Whether the request hands anything in, or says something of its copies.
    #[must_use]
    pub fn hands_in(&self) -> bool {
        let says = self.reconcile.is_some() || self.offers.is_some();
        says || !(self.pushes.is_empty() && self.deposits.is_empty() && self.carried.is_empty())
    }

    /// Whether the server may hold this request back while it has no news: the device allows it and hands nothing in.
    #[must_use]
    pub fn may_wait(&self) -> bool {
        self.wait_s > 0 && !self.hands_in()
    }
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// Something handed in beside the push. The server writes the record under its own actor and keeps no sender.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Deposit {
    /// Random; the id of the record that the server writes, so that a repeated deposit counts once.
    #[n(0)]
    pub id: RecordId,
    /// The content, as JSON of the kind that `foras-record` names; at most 2 KiB.
    #[n(1)]
    pub body: String,
}

/// Proof of who asks; it travels in HTTP headers, beside the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The device that asks.
    pub device: DeviceId,
    /// The opaque token of the last answer.
    pub token: [u8; 32],
    /// The last answer's nonce and the device's signature of [`nonce_signed_bytes`]: proves the device when the
    /// token has expired, and asks for a new one.
    pub proof: Option<(Nonce, crate::id::Signature64)>,
}

/// What a device signs to prove itself: a label, itself and the nonce.
#[must_use]
pub fn nonce_signed_bytes(device: &DeviceId, nonce: &Nonce) -> Vec<u8> {
    let mut bytes = b"foras nonce 1".to_vec();
    bytes.extend_from_slice(device.as_bytes());
    bytes.extend_from_slice(nonce.as_bytes());
    bytes
}

/// One frame of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFrame {
    /// First: who answers, and what the next request needs.
    Welcome(Welcome),
    /// What became of a push.
    Acks(Acks),
    /// What became of the deposits.
    DepositAcks(Vec<DepositAck>),
    /// A piece of a pack: instead of the pages that it stands for.
    Piece(Piece),
    /// What became of a push that was carried; counted as the request counts `carried`, and their shown changes.
    CarriedAcks(Acks),
    /// What a copy of an audience lacks, or has too much.
    Difference(Box<Difference>),
    /// A page of a log.
    Page(Page),
    /// Last: where the logs stand. Without it the answer was cut.
    Heads(Heads),
    /// Last as well, instead of pages and heads: a first sync has to wait for its turn.
    Turn(Turn),
    /// Instead of anything else: the request was refused as a whole.
    Refused(Refusal),
    /// A frame of a newer build, skipped.
    Unknown(u8),
}

/// The first frame of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Welcome {
    /// The version of the protocol that the answer speaks.
    #[n(0)]
    pub protocol: u16,
    /// The server's epoch; another than the device knows means that the server was restored.
    #[n(1)]
    pub epoch: u64,
    /// Server's time in milliseconds since 1970.
    #[n(2)]
    pub now_ms: i64,
    /// The challenge for the next request.
    #[n(3)]
    pub nonce: Nonce,
    /// A new token, when the request proved the device by a nonce.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub token: Option<[u8; 32]>,
    /// The grant, when its revision is not the one that the request names. Pages below count its audiences.
    #[n(5)]
    pub grant: Option<SignedGrant>,
}

/// What became of one push of the request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Acks {
    /// Index of the push in the request.
    #[n(0)]
    pub push: u16,
    /// Items that are not plainly durable; every other item of the push is.
    #[n(1)]
    pub exceptions: Vec<Exception>,
}

/// An item of a push that is not plainly durable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Exception {
    /// Index of the item in its push.
    #[n(0)]
    pub item: u32,
    /// What became of it.
    #[n(1)]
    pub outcome: Outcome,
}

/// What became of a pushed change, other than being durable now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// The server had it already: durable as well.
    #[n(0)]
    Duplicate,
    /// Kept until what it depends on comes; not durable yet: push it again.
    #[n(1)]
    Parked,
    /// Received and kept for a supervisor; not in the record. The device need not keep it.
    #[n(2)]
    Quarantined {
        /// A stable code.
        #[n(0)]
        code: String,
    },
    /// Not admitted: this change and what builds on it.
    #[n(3)]
    Refused {
        /// A stable code.
        #[n(0)]
        code: String,
    },
    /// Not looked at: an earlier item of the same change set was refused.
    #[n(4)]
    SetRefused,
    /// The server could not take it now; push it again.
    #[n(5)]
    Later,
}

/// What became of a deposit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DepositAck {
    /// The deposit.
    #[n(0)]
    pub id: RecordId,
    /// `None`: durable. Otherwise the stable code of the refusal.
    #[n(1)]
    pub refused: Option<String>,
}

/// The last frame of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Heads {
    /// The last position of each audience, in the order of the grant.
    #[n(0)]
    pub heads: Vec<u64>,
    /// True when the answer stops before those positions: ask again.
    #[n(1)]
    pub more: bool,
    /// The digest of the server's copies of all of the device's audiences ([`crate::reconcile::combined`]). `None`: the
    /// answer stops before the heads, or the server does not tell it now.
    #[cbor(n(2), with = "minicbor::bytes", default)]
    pub digest: Option<Combined>,
}

/// The request was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Refusal {
    /// A stable code.
    #[n(0)]
    pub code: String,
    /// Whether the same request may succeed later.
    #[n(1)]
    pub retryable: bool,
    /// A fresh challenge, where proving the device anew would help.
    #[n(2)]
    pub nonce: Option<Nonce>,
    /// Seconds to wait before the next attempt; 0 where the device decides.
    #[n(3)]
    pub retry_after_s: u32,
}
