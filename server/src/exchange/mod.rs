//! The one exchange: acknowledgements of what was pushed, then what differs, then pages of what is new, then the heads.

mod authored;
mod carried;
mod compare;
mod deposit;
mod grant;
mod held;
pub(crate) mod hold;
mod offers;
mod pack;
mod page;
mod push;
mod seen;
mod take;

use std::collections::BTreeSet;

use foras_wire::frame;
use foras_wire::id::{ChangeHash, DeviceId};
use foras_wire::reconcile::{Combined, combined};
use foras_wire::record::RecordKey;
use foras_wire::sync::{AnswerFrame, Credentials, Heads, Refusal, SyncRequest, Welcome};
use foras_wire::turn::Turn;
use foras_wire::version::ProtocolRange;
use rusqlite::Connection;

use pack::Packing;
use page::Pager;

use crate::access::{self, Caller};
use crate::enrol;
use crate::entropy::Entropy;
use crate::error::ServerError;
use crate::recovery;
use crate::refusal::{refusal, unavailable};
use crate::server::Server;
use crate::storage::devices::DeviceState;
use crate::storage::{digests, logs};

/// Takes the frames of an answer; false when nobody receives them any more.
pub type Sink<'a> = dyn FnMut(AnswerFrame) -> bool + 'a;

/// Says whether a device's catch-up of so many entries has to wait for its turn.
pub type Turns<'a> = dyn FnMut(DeviceId, u64) -> Option<Turn> + 'a;

/// One request while it is answered.
pub(crate) struct Exchange<'a> {
    pub(crate) server: &'a Server,
    pub(crate) caller: Caller,
    pub(crate) request: SyncRequest,
    pub(crate) now_ms: i64,
    /// Changes of this request that are durable: the device has them.
    pub(crate) own: BTreeSet<(RecordKey, ChangeHash)>,
    /// The request pushed something.
    pub(crate) pushed: bool,
}

/// Audiences that get no pages in an answer.
pub(crate) struct Withheld {
    /// They were compared in it.
    pub(crate) compared: BTreeSet<usize>,
    /// Nothing is given until the recovery is closed.
    pub(crate) held: BTreeSet<usize>,
}

impl Withheld {
    fn contains(&self, audience: usize) -> bool {
        self.compared.contains(&audience) || self.held.contains(&audience)
    }
}

/// Answers the body of `POST /v1/sync`.
pub(crate) fn exchange(
    server: &Server,
    credentials: Option<&Credentials>,
    body: &[u8],
    now_ms: i64,
    entropy: &mut dyn Entropy,
    turns: &mut Turns<'_>,
    sink: &mut Sink<'_>,
) {
    if let Err(refusal) = answer(server, credentials, body, now_ms, entropy, turns, sink) {
        sink(AnswerFrame::Refused(refusal));
    }
}

/// Proves who asks. A device that the database lost is let in by what it says of itself.
fn authenticate(
    server: &Server,
    credentials: Option<&Credentials>,
    body: &[u8],
    now_ms: i64,
    entropy: &mut dyn Entropy,
) -> Result<Caller, Refusal> {
    match (access::authenticate(&server.db, &server.keys, credentials, now_ms, entropy), credentials) {
        (Err(refusal), Some(credentials)) if refusal.code == "unknown_device" => {
            enrol::readmit(&server.db, &server.keys, credentials, body, now_ms, entropy)?;
            access::authenticate(&server.db, &server.keys, Some(credentials), now_ms, entropy)
        }
        (other, _) => other,
    }
}

fn answer(
    server: &Server,
    credentials: Option<&Credentials>,
    body: &[u8],
    now_ms: i64,
    entropy: &mut dyn Entropy,
    turns: &mut Turns<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), Refusal> {
    let mut caller = authenticate(server, credentials, body, now_ms, entropy)?;
    let request = frame::decode_request(body).map_err(|error| refusal(error.code()))?;
    let protocol = ProtocolRange::OURS.newest_common(request.protocol).map_err(|error| refusal(error.code()))?;
    let has_left = caller.device.state == DeviceState::Left;
    if has_left && request.pushes.is_empty() && request.deposits.is_empty() && request.carried.is_empty() {
        return Err(refusal("revoked"));
    }
    if !has_left {
        grant::renew_if_due(server, &mut caller, request.grant_revision, now_ms)
            .map_err(|error| unavailable(&error))?;
    }
    went_back(server, &request, now_ms).map_err(|error| unavailable(&error))?;
    let nonce = access::challenge(&server.keys, &caller.device.device, now_ms, entropy);
    let welcome = Welcome {
        protocol,
        epoch: server.keys.epoch(),
        now_ms,
        nonce: nonce.map_err(|error| unavailable(&error))?,
        token: caller.token,
        grant: (request.grant_revision != caller.grant.revision && !has_left).then(|| caller.signed_grant.clone()),
    };
    if !sink(AnswerFrame::Welcome(welcome)) {
        return Ok(());
    }
    if request.epoch != server.keys.epoch() {
        // The device learns the epoch, compares its copies, signs anew and asks again.
        return Ok(());
    }
    let pushed = !request.pushes.is_empty();
    let mut exchange = Exchange { server, caller, request, now_ms, own: BTreeSet::new(), pushed };
    if !has_left {
        exchange.take_offers().map_err(|error| unavailable(&error))?;
    }
    let others = exchange.take_others();
    let pushes = exchange.unpack_pushes()?;
    if !exchange.take(&pushes, others, sink) {
        return Ok(());
    }
    if has_left {
        // Nothing is given, and it asks again: with what else is unsent, or to hear that it is revoked.
        let heads = exchange.request.cursors.clone();
        sink(AnswerFrame::Heads(Heads { heads, more: true, digest: None }));
        return Ok(());
    }
    exchange.give_pages(turns, sink).map_err(|error| unavailable(&error))
}

impl Exchange<'_> {
    /// Positions that the device has applied, in the order of the grant that holds now.
    fn cursors(&self) -> Result<Vec<u64>, ServerError> {
        let audiences = &self.caller.grant.audiences;
        if self.request.grant_revision == self.caller.grant.revision {
            // A list of another length is of no grant: the device starts anew.
            let known = self.request.cursors.len() == audiences.len();
            return Ok(if known { self.request.cursors.clone() } else { vec![0; audiences.len()] });
        }
        let named = self
            .server
            .db
            .read(|db| crate::grants::of_revision(db, &self.caller.device.device, self.request.grant_revision))?;
        let before = named.map(|(grant, ..)| grant.audiences).unwrap_or_default();
        let cursor_of = |name| {
            let index = before.iter().position(|before| before == name)?;
            self.request.cursors.get(index).copied()
        };
        Ok(audiences.iter().map(|name| cursor_of(name).unwrap_or(0)).collect())
    }

    /// Entries of the logs after the cursors.
    fn entries_ahead(&self, cursors: &[u64]) -> Result<u64, ServerError> {
        self.server.db.read(|db| {
            let mut ahead = 0_u64;
            for (audience, cursor) in self.caller.grant.audiences.iter().zip(cursors) {
                ahead = ahead.saturating_add(logs::head(db, audience.as_str())?.saturating_sub(*cursor));
            }
            Ok(ahead)
        })
    }

    fn give_pages(&self, turns: &mut Turns<'_>, sink: &mut Sink<'_>) -> Result<(), ServerError> {
        let cursors = self.cursors()?;
        if let Some(turn) = turns(self.caller.device.device, self.entries_ahead(&cursors)?) {
            sink(AnswerFrame::Turn(turn));
            return Ok(());
        }
        if !self.answer_claims(sink)? {
            return Ok(());
        }
        if let Err(error) = seen::note_contact(self, &cursors) {
            // What was seen can be told later; the device's own catch-up goes on.
            tracing::warn!(code = error.code(), "a contact could not be noted");
        }
        let compared = self.server.db.read(|db| Ok((self.compare(db, sink)?, self.held_back(db)?)))?;
        let (Some(compared), held) = compared else { return Ok(()) };
        let withheld = Withheld { compared: compared.audiences, held };
        if !compared.more && !compared.wanted && !self.pushed && self.request.offers.is_none() {
            self.report()?;
        }
        let packing = Packing::choose(self, &cursors, &withheld)?;
        let mut pager = Pager::new(self, cursors, &withheld);
        let filled = packing.audiences();
        if !filled.is_empty() {
            // Short logs first, among them the schedule: what people look at while the rest comes.
            let given = self.server.db.read(|db| pager.give(db, &filled, sink))?;
            let behind = if given.is_some() { packing.give(&mut pager.cursors, sink)? } else { None };
            let Some(behind) = behind else { return Ok(()) };
            return self.finish(&mut pager, &behind, compared.more, sink);
        }
        self.finish(&mut pager, &filled, compared.more, sink)
    }

    /// The last pages, from one snapshot with the heads.
    fn finish(
        &self,
        pager: &mut Pager<'_>,
        behind: &BTreeSet<usize>,
        undecided: bool,
        sink: &mut Sink<'_>,
    ) -> Result<(), ServerError> {
        self.server.db.read(|db| {
            let Some((heads, more)) = pager.give(db, behind, sink)? else { return Ok(()) };
            let more = more || undecided;
            let digest = if more || pager.holds_back() { None } else { Some(self.digest(db)?) };
            sink(AnswerFrame::Heads(Heads { heads, more, digest }));
            Ok(())
        })
    }

    /// The device has nothing more to bring to a recovery.
    fn report(&self) -> Result<(), ServerError> {
        if self.server.db.read(recovery::since_ms)?.is_none() {
            return Ok(());
        }
        let closed = self.server.db.write(|db| recovery::report(db, &self.caller.device.device, self.now_ms))?;
        if closed {
            self.server.wakes.recovered();
        }
        Ok(())
    }

    /// Countries' audiences, while a recovery is under way.
    fn held_back(&self, db: &Connection) -> Result<BTreeSet<usize>, ServerError> {
        if recovery::since_ms(db)?.is_none() {
            return Ok(BTreeSet::new());
        }
        let audiences = self.caller.grant.audiences.iter().enumerate();
        Ok(audiences.filter(|(_, name)| recovery::waits(name.as_str())).map(|(at, _)| at).collect())
    }

    /// The digest of all audiences of the device.
    fn digest(&self, db: &Connection) -> Result<Combined, ServerError> {
        let audiences = self.caller.grant.audiences.iter();
        let sums = audiences.map(|audience| digests::of_audience(db, audience.as_str()));
        Ok(combined(sums.collect::<Result<Vec<_>, _>>()?))
    }
}

/// Begins a new epoch where the request proves that the database went back.
fn went_back(server: &Server, request: &SyncRequest, now_ms: i64) -> Result<(), ServerError> {
    if let Some(reconcile) = &request.reconcile
        && let Some(witness) = &reconcile.witness
    {
        server.hear(witness, reconcile.newest_epoch, now_ms)?;
    }
    if let Some(offers) = &request.offers {
        server.hear_offers(offers, now_ms)?;
    }
    Ok(())
}
