//! One meeting of two phones, sans IO: bytes in, bytes out.
//!
//! Sides take turns (see [`foras_wire::peer`]). Anything out of turn ends the meeting; what was kept before stays.

use std::collections::{BTreeSet, VecDeque};

use foras_record::proof;
use foras_wire::audience::AudienceName;
use foras_wire::carried::CarriedPush;
use foras_wire::grant::Grant;
use foras_wire::id::Nonce;
use foras_wire::limits::PEER_UNKNOWN_FRAMES_MAX;
use foras_wire::peer::{
    Offer, PeerFrame, PeerHello, PeerProof, PeerReader, Side, Want, encode_peer_frame, meeting_signed_bytes, prefix,
};
use foras_wire::record::RecordKey;
use foras_wire::sync::Acks;
use foras_wire::version::ProtocolRange;

use super::report::{Met, PeerReport, PeerStopped, acks};
use crate::error::Error;
use crate::store::{Choice, Handed, Parcel, Store};

/// What one step did.
#[derive(Debug)]
pub enum MeetingStep {
    /// Something on the store. Step on.
    Inward,
    /// Write these bytes, then step on.
    Write(Vec<u8>),
    /// Nothing is left to do until bytes come.
    Rest,
    /// The meeting is over; nothing more is written or read.
    Finished(PeerReport),
    /// The meeting stopped.
    Stopped(PeerStopped),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Hello,
    Proof,
    Offer,
    Want,
    /// What became of the pushes that were handed over, then pushes, then `Done`.
    Pushes,
    /// What became of the pushes that were handed over, then `Done`.
    End,
}

/// What to say next.
#[derive(Debug)]
enum Say {
    Frame(Box<PeerFrame>),
    /// The first words.
    Hello,
    /// What could be handed over.
    Offer,
    /// The push of a parcel.
    Parcel(Parcel),
    /// The meeting ends after everything before this was written.
    End,
}

/// A meeting under way.
#[derive(Debug)]
pub struct Meeting {
    side: Side,
    awaited: Awaited,
    reader: PeerReader,
    saying: VecDeque<Say>,
    own_nonce: Option<Nonce>,
    other_nonce: Option<Nonce>,
    other: Option<Grant>,
    /// Audiences that both hold.
    shared: BTreeSet<AudienceName>,
    /// What stands behind the offer that was made.
    offered: Vec<Choice>,
    /// What the other side asked for, until it is this side's turn.
    asked_for: Vec<Parcel>,
    /// What was asked for and has not come.
    wanted: BTreeSet<(RecordKey, [u8; 8])>,
    /// How many changes each push showed, in the order in which they were handed over.
    shown: Vec<u32>,
    /// How many of them the other side has told of.
    told: usize,
    /// What is to be told of pushes that came.
    taken: Vec<Acks>,
    unknown_frames: u32,
    over: bool,
    report: PeerReport,
}

impl Meeting {
    /// A meeting that begins. Who came speaks first.
    #[must_use]
    pub fn new(side: Side) -> Self {
        let saying = if side == Side::Came { VecDeque::from([Say::Hello]) } else { VecDeque::new() };
        Self {
            side,
            awaited: Awaited::Hello,
            reader: PeerReader::default(),
            saying,
            own_nonce: None,
            other_nonce: None,
            other: None,
            shared: BTreeSet::new(),
            offered: Vec::new(),
            asked_for: Vec::new(),
            wanted: BTreeSet::new(),
            shown: Vec::new(),
            told: 0,
            taken: Vec::new(),
            unknown_frames: 0,
            over: false,
            report: PeerReport::default(),
        }
    }

    /// Bytes came. Step until there is rest before telling more.
    pub fn received(&mut self, bytes: &[u8]) {
        self.report.bytes_down = self.report.bytes_down.saturating_add(bytes.len() as u64);
        self.reader.feed(bytes);
    }

    /// The pipe ended, or fell silent.
    pub fn ended(&mut self, error: Error) -> PeerStopped {
        self.over = true;
        PeerStopped::of(error, std::mem::take(&mut self.report))
    }

    /// Says one thing, or takes one frame in. `now_ms` is the device's clock.
    pub fn step(&mut self, store: &mut Store, now_ms: i64) -> MeetingStep {
        if self.over {
            return MeetingStep::Rest;
        }
        match self.advance(store, now_ms) {
            Ok(step) => step,
            Err(error) => {
                self.over = true;
                MeetingStep::Stopped(PeerStopped::of(error, std::mem::take(&mut self.report)))
            }
        }
    }

    /// What the other side is told before the pipe is closed on it; empty where there is nothing to tell.
    #[must_use]
    pub fn parting(error: &Error) -> Vec<u8> {
        let code = match error {
            Error::BadPeer { code } => *code,
            _ => "stopped",
        };
        encode_peer_frame(&PeerFrame::Refused(code.to_owned()))
    }

    fn advance(&mut self, store: &mut Store, now_ms: i64) -> Result<MeetingStep, Error> {
        if let Some(say) = self.saying.pop_front() {
            return self.say(store, say, now_ms);
        }
        match self.reader.next_frame() {
            Ok(Some(frame)) => {
                self.frame(store, frame, now_ms)?;
                Ok(MeetingStep::Inward)
            }
            Ok(None) => Ok(MeetingStep::Rest),
            Err(error) => Err(Error::BadPeer { code: error.code() }),
        }
    }

    fn say(&mut self, store: &mut Store, say: Say, now_ms: i64) -> Result<MeetingStep, Error> {
        let frame = match say {
            Say::Frame(frame) => *frame,
            Say::Hello => PeerFrame::Hello(self.hello(store)?),
            Say::Offer => self.offer(store, now_ms)?,
            Say::Parcel(parcel) => {
                let Some(push) = store.push_of(&parcel, &self.shared, now_ms)? else { return Ok(MeetingStep::Inward) };
                self.shown.push(u32::try_from(push.items.len()).unwrap_or(u32::MAX));
                PeerFrame::Carried(push)
            }
            Say::End => {
                self.over = true;
                return Ok(MeetingStep::Finished(std::mem::take(&mut self.report)));
            }
        };
        let bytes = encode_peer_frame(&frame);
        self.report.bytes_up = self.report.bytes_up.saturating_add(bytes.len() as u64);
        Ok(MeetingStep::Write(bytes))
    }

    fn hello(&mut self, store: &mut Store) -> Result<PeerHello, Error> {
        let nonce = Nonce(store.new_id()?.0);
        self.own_nonce = Some(nonce);
        let server = store.identity().ok_or(Error::NotEnrolled)?.server();
        Ok(PeerHello { protocol: ProtocolRange::OURS, server, nonce, audiences: Vec::new() })
    }

    fn offer(&mut self, store: &mut Store, now_ms: i64) -> Result<PeerFrame, Error> {
        let to = self.other.as_ref().map(|grant| grant.device);
        let shareable = store.shareable(&self.shared, to.as_ref(), now_ms)?;
        self.offered = shareable.choices;
        Ok(PeerFrame::Offer(shareable.offer))
    }

    fn frame(&mut self, store: &mut Store, frame: PeerFrame, now_ms: i64) -> Result<(), Error> {
        match (frame, self.awaited) {
            (PeerFrame::Refused(code), _) => Err(Error::RefusedByPeer { code: readable(code) }),
            (PeerFrame::Unknown(_), _) => {
                self.unknown_frames += 1;
                if self.unknown_frames > PEER_UNKNOWN_FRAMES_MAX { Err(broken("out_of_turn")) } else { Ok(()) }
            }
            (PeerFrame::Hello(hello), Awaited::Hello) => self.met(store, &hello),
            (PeerFrame::Proof(proof), Awaited::Proof) => self.proved(store, &proof, now_ms),
            (PeerFrame::Offer(offer), Awaited::Offer) => self.offered(store, &offer),
            (PeerFrame::Want(want), Awaited::Want) => self.asked(store, &want),
            (PeerFrame::Taken(acks), Awaited::Pushes | Awaited::End) => self.told(&acks),
            _ if self.told < self.shown.len() => Err(broken("out_of_turn")),
            (PeerFrame::Carried(push), Awaited::Pushes) => self.push(store, &push, now_ms),
            (PeerFrame::Done, Awaited::Pushes) => {
                self.pushed();
                Ok(())
            }
            (PeerFrame::Done, Awaited::End) => {
                self.saying.push_back(Say::End);
                Ok(())
            }
            _ => Err(broken("out_of_turn")),
        }
    }

    fn then(&mut self, frame: PeerFrame) {
        self.saying.push_back(Say::Frame(Box::new(frame)));
    }

    fn met(&mut self, store: &mut Store, hello: &PeerHello) -> Result<(), Error> {
        ProtocolRange::OURS.newest_common(hello.protocol).map_err(|error| broken(error.code()))?;
        if hello.server != store.identity().ok_or(Error::NotEnrolled)?.server() {
            return Err(broken("another_server"));
        }
        if self.own_nonce == Some(hello.nonce) {
            return Err(broken("replayed_nonce"));
        }
        self.other_nonce = Some(hello.nonce);
        if self.side == Side::Found {
            let hello = self.hello(store)?;
            self.then(PeerFrame::Hello(hello));
        } else {
            let proof = self.proof(store)?;
            self.then(proof);
        }
        self.awaited = Awaited::Proof;
        Ok(())
    }

    /// Both challenges: of who came, and of who was found.
    fn nonces(&self) -> Result<(Nonce, Nonce), Error> {
        let (own, other) = self.own_nonce.zip(self.other_nonce).ok_or(broken("out_of_turn"))?;
        Ok(if self.side == Side::Came { (own, other) } else { (other, own) })
    }

    fn proof(&self, store: &Store) -> Result<PeerFrame, Error> {
        let (came, found) = self.nonces()?;
        Ok(PeerFrame::Proof(store.prove_to_peer(self.side, &came, &found)?))
    }

    fn proved(&mut self, store: &Store, shown: &PeerProof, now_ms: i64) -> Result<(), Error> {
        let identity = store.identity().ok_or(Error::NotEnrolled)?;
        let grant = proof::verify_grant(&identity.server_key(), &shown.grant).map_err(|_| broken("bad_signature"))?;
        if grant.server != identity.server() {
            return Err(broken("another_server"));
        }
        let side = if self.side == Side::Came { Side::Found } else { Side::Came };
        let (came, found) = self.nonces()?;
        let bytes = meeting_signed_bytes(side, &grant.server, &grant.device, &came, &found);
        proof::verify_meeting(&grant.key, &bytes, &shown.signature).map_err(|_| broken("bad_signature"))?;
        for grant in [&grant, identity.grant()] {
            if let Some(code) = store.shut_out(grant, now_ms)? {
                return Err(broken(code));
            }
        }
        if grant.device == identity.grant().device {
            return Err(broken("own_device"));
        }
        let own: BTreeSet<_> = identity.audiences().iter().collect();
        self.shared = grant.audiences.iter().filter(|audience| own.contains(audience)).cloned().collect();
        self.report.peer = Some(Met::of(&grant));
        self.other = Some(grant);
        self.reader.trust();
        if self.side == Side::Found {
            let proof = self.proof(store)?;
            self.then(proof);
            self.saying.push_back(Say::Offer);
            self.awaited = Awaited::Want;
        } else {
            self.awaited = Awaited::Offer;
        }
        Ok(())
    }

    /// What the other side could hand over.
    fn offered(&mut self, store: &Store, offer: &Offer) -> Result<(), Error> {
        let lacks = store.lacks(offer)?;
        let wanted = offer.changes().zip(&lacks).filter(|(_, lacks)| **lacks).map(|(change, _)| change);
        self.wanted = wanted.collect();
        let want = PeerFrame::Want(Want::of(&lacks));
        if self.side == Side::Came {
            self.then(want);
            self.saying.push_back(Say::Offer);
        } else {
            self.hand_over();
            self.then(want);
        }
        self.awaited = Awaited::Pushes;
        Ok(())
    }

    /// What the other side asks for.
    fn asked(&mut self, store: &Store, want: &Want) -> Result<(), Error> {
        let offered = self.offered.iter().enumerate();
        let chosen: Vec<_> = offered.filter(|(at, _)| want.wants(*at)).map(|(_, choice)| *choice).collect();
        self.asked_for = store.parcels(&chosen)?;
        if self.side == Side::Came {
            self.tell_taken();
            self.hand_over();
            self.awaited = Awaited::End;
        } else {
            self.awaited = Awaited::Offer;
        }
        Ok(())
    }

    fn hand_over(&mut self) {
        self.saying.extend(self.asked_for.drain(..).map(Say::Parcel));
        self.then(PeerFrame::Done);
    }

    fn push(&mut self, store: &mut Store, push: &CarriedPush, now_ms: i64) -> Result<(), Error> {
        let hashes = proof::carried_hashes(push).map_err(|error| broken(error.code()))?;
        let keys = push.items.iter().map(|item| item.record.key);
        let asked = keys.zip(&hashes).filter(|(key, hash)| self.wanted.remove(&(*key, prefix(hash)))).count();
        if asked == 0 {
            // Each push brings something that was asked for, so a meeting ends.
            return Err(broken("unasked"));
        }
        let kept = store.keep_carried(push, Handed::ForThisDevice, now_ms)?;
        self.report.note_kept(&kept);
        let number = u16::try_from(self.taken.len()).map_err(|_| broken("unasked"))?;
        self.taken.push(acks(number, &kept));
        Ok(())
    }

    /// The other side has handed over all it will.
    fn pushed(&mut self) {
        self.wanted.clear();
        if self.side == Side::Came {
            self.awaited = Awaited::Want;
        } else {
            self.tell_taken();
            self.then(PeerFrame::Done);
            self.saying.push_back(Say::End);
        }
    }

    fn tell_taken(&mut self) {
        for acks in std::mem::take(&mut self.taken) {
            self.then(PeerFrame::Taken(acks));
        }
    }

    fn told(&mut self, acks: &Acks) -> Result<(), Error> {
        if usize::from(acks.push) != self.told {
            return Err(broken("out_of_turn"));
        }
        let shown = *self.shown.get(self.told).ok_or(broken("out_of_turn"))?;
        self.told += 1;
        self.report.note_taken(shown, acks);
        Ok(())
    }
}

/// A code as this side would write one; anything else is not shown.
pub(super) fn readable(code: String) -> String {
    let is_code = (1..=40).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_code { code } else { "unknown".to_owned() }
}

fn broken(code: &'static str) -> Error {
    Error::BadPeer { code }
}
