//! A hostile device: enrolled like any other, and lying in every way that its key allows.
//!
//! It knows every byte that its audiences were sent, and writes changes by hand. Nothing that it forges may enter a
//! record; what it may write honestly goes into a field that nobody else uses here.

mod forgery;

use std::cell::Cell;

use ed25519_dalek::SigningKey;
use foras_record::change::ParsedChange;
use foras_record::role::Role;
use foras_record::{identity, kind::Kind, packed, proof};
use foras_server::Invite;
use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{encode_request, from_cbor, to_cbor};
use foras_wire::grant::Grant;
use foras_wire::id::{Actor, ChangeHash, Incarnation, Nonce, RecordId, Signature64};
use foras_wire::invitation::Invitation;
use foras_wire::push::{Push, PushItem};
use foras_wire::record::RecordRef;
use foras_wire::sync::{AnswerFrame, Credentials, Outcome, SyncRequest};
use foras_wire::version::ProtocolRange;

use super::World;
use super::chance::Chance;

/// Stands in every value that must never be admitted.
pub const FORGED: &str = "forged-";
/// A field that only this phone writes.
const OWN_FIELD: &str = "cv";

/// A hostile device.
#[derive(Debug)]
pub struct HostilePhone {
    key: SigningKey,
    grant: Grant,
    enrolled: EnrolAnswer,
    /// What the next request proves itself with.
    pass: Cell<([u8; 32], Nonce)>,
}

/// A project that the phone may read, with its changes in the order in which they were admitted.
pub(super) struct Target {
    pub(super) record: RecordRef,
    pub(super) changes: Vec<ParsedChange>,
}

/// A push as it is sent.
pub(super) struct Blow {
    pub(super) incarnation: Incarnation,
    pub(super) grant_revision: u64,
    pub(super) items: Vec<PushItem>,
    /// Signs something else than what is sent.
    pub(super) false_signature: bool,
}

impl HostilePhone {
    /// Somebody whom an invitation of an outreach worker's in Oujda let in.
    ///
    /// # Panics
    /// When the enrolment fails.
    pub fn enrol(world: &mut World) -> Self {
        let mut chance = world.chance.clone();
        let places = ["oujda".parse().expect("a point")].into();
        let invite = Invite { role: Role::Outreach, places, case: None, name: Some("somebody".to_owned()) };
        let invited = world.server().invite(&invite, world.truth.now_ms(), &mut chance).expect("an invitation");
        let invitation: Invitation = invited.invitation.parse().expect("an invitation that reads");
        let key = SigningKey::from_bytes(&drawn(&chance));
        let incarnation = Incarnation(drawn(&chance));
        let request = EnrolRequest {
            protocol: ProtocolRange::OURS,
            secret: invitation.secret.to_vec(),
            key: proof::public_key(&key),
            incarnation,
            signature: proof::sign_enrolment(&key, &invitation.secret, &incarnation),
        };
        let now_ms = world.truth.now_ms();
        let answer = world.server().enrol(&to_cbor(&request), now_ms, &mut chance).expect("an enrolment");
        let enrolled: EnrolAnswer = from_cbor("enrolment", &answer).expect("an answer that reads");
        let grant = proof::verify_grant(&enrolled.server_key, &enrolled.grant).expect("a grant");
        let pass = Cell::new((enrolled.token, enrolled.nonce));
        Self { key, grant, enrolled, pass }
    }

    /// Names of the forgeries of the catalogue.
    pub fn forgeries() -> impl Iterator<Item = &'static str> {
        forgery::ALL.iter().map(|(name, _)| *name)
    }

    /// Whether the server takes anything of this forgery, and should not; `None` where there is nothing yet to forge upon.
    /// It is counted by its name.
    ///
    /// # Panics
    /// When the catalogue has no such forgery, or the server's database cannot be read.
    pub fn try_forgery(&self, world: &mut World, name: &'static str) -> Option<bool> {
        let (_, forge) = forgery::ALL.iter().find(|(of, _)| *of == name).expect("a forgery of the catalogue");
        let taken = forge(self, world)?;
        world.faults.count(name);
        Some(taken)
    }

    pub(super) fn actor(&self, incarnation: &Incarnation) -> Actor {
        Actor::of(&proof::public_key(&self.key), incarnation)
    }

    /// A blow of one forged chunk under a new incarnation.
    pub(super) fn blow(&self, incarnation: Incarnation, record: RecordRef, chunks: Vec<Vec<u8>>) -> Blow {
        let item = |(at, chunk)| PushItem { record, change_set: u32::try_from(at).unwrap_or(u32::MAX), chunk };
        let items = chunks.into_iter().enumerate().map(item).collect();
        Blow { incarnation, grant_revision: self.grant.revision, items, false_signature: false }
    }

    /// Sends a blow; true when anything of it was taken.
    pub(super) fn strike(&self, world: &World, blow: Blow) -> bool {
        let items = blow.items.len();
        let taken = self.send(world, &self.request(world, blow));
        taken.is_some_and(|refused| refused < items)
    }

    fn request(&self, world: &World, blow: Blow) -> SyncRequest {
        let Blow { incarnation, grant_revision, items, false_signature } = blow;
        let mut push = Push { incarnation, grant_revision, items, signature: Signature64([0; 64]) };
        // Bytes that have no hash are signed under another.
        let hash = |item: &PushItem| foras_record::change::chunk_hash(&item.chunk).unwrap_or(ChangeHash([7; 32]));
        let mut hashes: Vec<_> = push.items.iter().map(hash).collect();
        if false_signature {
            hashes.reverse();
            hashes.push(ChangeHash([9; 32]));
            hashes.remove(0);
        }
        let epoch = world.server().epoch();
        proof::sign_push(&self.key, &mut push, self.enrolled.server, epoch, &hashes);
        SyncRequest {
            protocol: ProtocolRange::OURS,
            epoch,
            grant_revision: self.grant.revision,
            cursors: vec![0; self.grant.audiences.len()],
            pushes: vec![packed::push::packed(&push, &proof::public_key(&self.key), None)],
            plain: true,
            ..SyncRequest::default()
        }
    }

    /// Sends a request; how many items were not taken, or `None` when the whole was refused.
    fn send(&self, world: &World, request: &SyncRequest) -> Option<usize> {
        self.send_bytes(world, &self.credentials(), &encode_request(request))
    }

    pub(super) fn credentials(&self) -> Credentials {
        let (device, (token, nonce)) = (self.grant.device, self.pass.get());
        Credentials { device, token, proof: Some((nonce, proof::sign_nonce(&self.key, &device, &nonce))) }
    }

    pub(super) fn send_bytes(&self, world: &World, credentials: &Credentials, body: &[u8]) -> Option<usize> {
        let (mut chance, now_ms) = (world.chance.clone(), world.truth.now_ms());
        let mut refused = None;
        world.server().exchange(Some(credentials), body, now_ms, &mut chance, &mut |frame| {
            let (token, nonce) = self.pass.get();
            match frame {
                AnswerFrame::Welcome(welcome) => self.pass.set((welcome.token.unwrap_or(token), welcome.nonce)),
                AnswerFrame::Refused(refusal) => self.pass.set((token, refusal.nonce.unwrap_or(nonce))),
                AnswerFrame::Acks(acks) => {
                    let taken = |outcome: &Outcome| matches!(outcome, Outcome::Duplicate);
                    let kept = acks.exceptions.iter().filter(|exception| !taken(&exception.outcome)).count();
                    *refused.get_or_insert(0) += kept;
                }
                _ => {}
            }
            true
        });
        refused
    }

    /// A project of a case of this point, if the server has one with changes.
    pub(super) fn target(world: &World, audience: &str) -> Option<Target> {
        let database = rusqlite::Connection::open(world.server_folder().join("foras.db")).expect("the database");
        let sql = "SELECT change.id, change.chunk FROM change JOIN record_audience USING (id, kind) \
                   WHERE kind = ?1 AND audience = ?2 ORDER BY change.id, change.ord";
        let mut statement = database.prepare(sql).expect("the table of changes");
        let code = Kind::Project.code().0;
        let rows = statement.query_map(rusqlite::params![code, audience], |row| {
            Ok((RecordId(row.get::<_, [u8; 16]>(0)?), row.get::<_, Vec<u8>>(1)?))
        });
        let rows: Vec<_> = rows.expect("changes").map(|row| row.expect("a change")).collect();
        let mut ids: Vec<_> = rows.iter().map(|(id, _)| *id).collect();
        ids.dedup();
        if ids.is_empty() {
            return None;
        }
        let id = *world.chance.one_of(&ids);
        let chunks = rows.iter().filter(|(of, _)| *of == id).map(|(_, chunk)| chunk);
        let changes = chunks.filter_map(|chunk| foras_record::change::parse(chunk).ok()).collect();
        let case = database
            .query_row("SELECT case_id FROM record WHERE id = ?1", [id.as_bytes()], |row| row.get::<_, [u8; 16]>(0));
        let record = identity::record(Kind::Project, id, Some(RecordId(case.expect("the project's case"))));
        Some(Target { record, changes })
    }
}

/// Random bytes.
pub(super) fn drawn<const N: usize>(chance: &Chance) -> [u8; N] {
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(8) {
        let number = chance.number().to_le_bytes();
        chunk.copy_from_slice(&number[..chunk.len()]);
    }
    bytes
}
