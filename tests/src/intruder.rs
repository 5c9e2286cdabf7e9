//! A device that was let in and then says what it likes: it holds its key itself and signs whatever bytes it makes.

use ed25519_dalek::SigningKey;
use foras_record::{packed, proof};
use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{encode_request, from_cbor, to_cbor};
use foras_wire::id::{Actor, ChangeHash, Incarnation, Signature64};
use foras_wire::invitation::Invitation;
use foras_wire::push::{Push, PushItem};
use foras_wire::sync::{Credentials, Deposit, SyncRequest};
use foras_wire::version::ProtocolRange;

use crate::point::Point;
use crate::world::network::{Request, answer};

/// The device.
#[derive(Debug, Clone)]
pub struct Intruder {
    key: SigningKey,
    incarnation: Incarnation,
    enrolled: EnrolAnswer,
    revision: u64,
    audiences: usize,
}

impl Intruder {
    /// Comes in by an invitation, as anybody does.
    ///
    /// # Panics
    /// When the server does not let it in.
    #[must_use]
    pub fn enrol(point: &Point, invitation: &Invitation) -> Self {
        let mut seed = [9; 32];
        seed[..8].copy_from_slice(&point.chance.number().to_be_bytes());
        let (key, incarnation) = (SigningKey::from_bytes(&seed), Incarnation([9; 16]));
        let request = EnrolRequest {
            protocol: ProtocolRange::OURS,
            secret: invitation.secret.to_vec(),
            key: proof::public_key(&key),
            incarnation,
            signature: proof::sign_enrolment(&key, &invitation.secret, &incarnation),
        };
        let answer = point.server.enrol(&to_cbor(&request), point.truth.now_ms(), &mut point.chance.clone());
        let enrolled: EnrolAnswer = from_cbor("enrolment", &answer.expect("an enrolment")).expect("an answer");
        let grant = enrolled.grant.grant().expect("a grant");
        Self { key, incarnation, enrolled, revision: grant.revision, audiences: grant.audiences.len() }
    }

    /// The author that it may be.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::of(&proof::public_key(&self.key), &self.incarnation)
    }

    /// A request that pushes `items` under its own, good signature over the hashes of what can be hashed, and over
    /// nothing in the place of what cannot.
    #[must_use]
    pub fn request(&self, items: Vec<PushItem>) -> SyncRequest {
        let hash = |item: &PushItem| foras_record::change::chunk_hash(&item.chunk).unwrap_or(ChangeHash([0; 32]));
        let hashes: Vec<ChangeHash> = items.iter().map(hash).collect();
        let (incarnation, grant_revision) = (self.incarnation, self.revision);
        let mut push = Push { incarnation, grant_revision, items, signature: Signature64([0; 64]) };
        proof::sign_push(&self.key, &mut push, self.enrolled.server, self.enrolled.epoch, &hashes);
        // As a phone writes it that knows nothing newer: the fields that came later keep their meaning when they are absent.
        let cursors = vec![0_u64; self.audiences];
        let none: Vec<Deposit> = Vec::new();
        let pushes = vec![packed::push::packed(&push, &proof::public_key(&self.key), None)];
        let written = (ProtocolRange::OURS, self.enrolled.epoch, self.revision, cursors, pushes, none);
        let request: SyncRequest = from_cbor("sync request", &to_cbor(&written)).expect("a request");
        SyncRequest { plain: true, ..request }
    }

    /// Sends any body, under its own good credentials; the answer's bytes.
    #[must_use]
    pub fn send_body(&self, point: &Point, body: Vec<u8>) -> Vec<u8> {
        let device = self.enrolled.grant.grant().expect("a grant").device;
        let nonce = self.enrolled.nonce;
        let proof = Some((nonce, proof::sign_nonce(&self.key, &device, &nonce)));
        let credentials = Credentials { device, token: self.enrolled.token, proof };
        answer(&point.server, &Request { credentials, body }, point.truth.now_ms(), &point.chance)
    }

    /// Sends a request.
    #[must_use]
    pub fn send(&self, point: &Point, request: &SyncRequest) -> Vec<u8> {
        self.send_body(point, encode_request(request))
    }
}
