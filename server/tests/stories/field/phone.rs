//! A phone without a store: what it holds is in maps, and goes when dropped.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use foras_record::admission::{History, admit};
use foras_record::change;
use foras_record::document::{Document, Edit};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::packed::{self, Held, HeldChange};
use foras_record::proof;
use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame;
use foras_wire::grant::Grant;
use foras_wire::id::{Actor, ChangeHash, Incarnation, Nonce, PublicKey, RecordId, Signature64};
use foras_wire::invitation::Invitation;
use foras_wire::page::{AuthorEntry, Entry, Page, SeenEntry, root};
use foras_wire::push::{PackedPush, Push, PushItem};
use foras_wire::record::{KindCode, RecordKey, RecordRef};
use foras_wire::stream::{AnswerWriter, FrameReader};
use foras_wire::sync::{Credentials, Deposit, SyncRequest};
use foras_wire::version::ProtocolRange;

use super::{Answer, Office};

/// Changes that wait to be pushed.
#[derive(Clone, Default)]
pub struct Waiting(pub Vec<PushItem>);

#[derive(Clone)]
pub struct Phone {
    pub key: SigningKey,
    pub incarnation: Incarnation,
    pub grant: Grant,
    pub enrolled: EnrolAnswer,
    pub token: [u8; 32],
    pub nonce: Nonce,
    pub epoch: u64,
    pub cursors: BTreeMap<String, u64>,
    pub records: BTreeMap<RecordKey, (RecordRef, History)>,
    pub held: BTreeMap<RecordKey, BTreeSet<String>>,
    pub authors: BTreeMap<Actor, AuthorEntry>,
    pub seen: Vec<SeenEntry>,
    pub waiting: Waiting,
    pub deposits: Vec<Deposit>,
    pub sets: u32,
    pub proves: bool,
}

impl Phone {
    pub fn request(office: &mut Office, secret: &[u8]) -> (SigningKey, EnrolRequest) {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&office.draw().to_be_bytes());
        let (key, incarnation) = (SigningKey::from_bytes(&seed), Incarnation(office.id()));
        let request = EnrolRequest {
            protocol: ProtocolRange::OURS,
            secret: secret.to_vec(),
            key: proof::public_key(&key),
            incarnation,
            signature: proof::sign_enrolment(&key, secret, &incarnation),
        };
        (key, request)
    }

    pub fn enrol(office: &mut Office, invitation: &str) -> Self {
        let invitation: Invitation = invitation.parse().unwrap();
        let (key, request) = Self::request(office, &invitation.secret);
        Self::hand_in(office, key, &request).unwrap()
    }

    /// Hands a request in; the code of the refusal otherwise.
    pub fn hand_in(office: &mut Office, key: SigningKey, request: &EnrolRequest) -> Result<Self, String> {
        let answer = office
            .server
            .enrol(&frame::to_cbor(request), office.now_ms, &mut office.entropy)
            .map_err(|refusal| refusal.code)?;
        Ok(Self::of_answer(key, request, &answer))
    }

    pub fn of_answer(key: SigningKey, request: &EnrolRequest, answer: &[u8]) -> Self {
        let enrolled: EnrolAnswer = frame::from_cbor("enrolment", answer).unwrap();
        let grant = proof::verify_grant(&enrolled.server_key, &enrolled.grant).unwrap();
        Self {
            key,
            incarnation: request.incarnation,
            grant,
            token: enrolled.token,
            nonce: enrolled.nonce,
            epoch: enrolled.epoch,
            enrolled,
            cursors: BTreeMap::new(),
            records: BTreeMap::new(),
            held: BTreeMap::new(),
            authors: BTreeMap::new(),
            seen: Vec::new(),
            waiting: Waiting::default(),
            deposits: Vec::new(),
            sets: 0,
            proves: false,
        }
    }

    pub fn actor(&self) -> Actor {
        Actor::of(&proof::public_key(&self.key), &self.incarnation)
    }

    /// One action of a person over several records.
    pub fn act(&mut self, now_ms: i64, edits: &[(RecordRef, Vec<Edit>)]) {
        self.sets += 1;
        for (record, edits) in edits {
            let kind = Kind::of_code(record.key.kind).unwrap();
            let (_, history) = self.records.entry(record.key).or_insert_with(|| (*record, History::new(kind)));
            let mut document = history.document().clone();
            let actor = Actor::of(&proof::public_key(&self.key), &self.incarnation);
            let authored = document.edit(actor, now_ms / 1000, edits).unwrap().expect("an edit that changes nothing");
            history.authored(document, &change::parse(&authored.chunk).unwrap());
            self.waiting.0.push(PushItem { record: *record, change_set: self.sets, chunk: authored.chunk });
        }
    }

    /// What waits, signed.
    pub fn push(&self) -> Push {
        let mut push = Push {
            incarnation: self.incarnation,
            grant_revision: self.grant.revision,
            items: self.waiting.0.clone(),
            signature: Signature64([0; 64]),
        };
        let hashes = proof::push_hashes(&push).unwrap();
        proof::sign_push(&self.key, &mut push, self.enrolled.server, self.epoch, &hashes);
        push
    }

    pub fn credentials(&self) -> Credentials {
        let device = self.grant.device;
        let proof = self.proves.then(|| (self.nonce, proof::sign_nonce(&self.key, &device, &self.nonce)));
        Credentials { device, token: self.token, proof }
    }

    pub fn request_with(&self, pushes: Vec<Push>) -> SyncRequest {
        let pack = |push| packed::push::packed(&push, &proof::public_key(&self.key), Some(self));
        self.request_of(pushes.into_iter().map(pack).collect())
    }

    /// The pushes with everything in full.
    pub fn plain_request_with(&self, pushes: Vec<Push>) -> SyncRequest {
        let pack = |push| packed::push::packed(&push, &proof::public_key(&self.key), None);
        SyncRequest { plain: true, ..self.request_of(pushes.into_iter().map(pack).collect()) }
    }

    fn request_of(&self, pushes: Vec<PackedPush>) -> SyncRequest {
        let cursor = |name: &foras_wire::audience::AudienceName| self.cursors.get(name.as_str()).copied().unwrap_or(0);
        SyncRequest {
            epoch: self.epoch,
            grant_revision: self.grant.revision,
            cursors: self.grant.audiences.iter().map(cursor).collect(),
            pushes,
            deposits: self.deposits.clone(),
            ..SyncRequest::default()
        }
    }

    pub fn send(&self, office: &mut Office, request: &SyncRequest) -> Answer {
        let mut answer = Answer::default();
        let body = frame::encode_request(request);
        let credentials = self.credentials();
        let (mut writer, mut reader) = (AnswerWriter::new(), FrameReader::default());
        office.server.exchange(Some(&credentials), &body, office.now_ms, &mut office.entropy, &mut |frame| {
            // What is sent is what can be read again, each frame at once.
            reader.feed(&writer.frame(&frame));
            answer.take(reader.next_frame().unwrap().unwrap());
            true
        });
        answer
    }

    /// Pushes what waits and catches up. What was not refused as a whole leaves the outbox.
    pub fn sync(&mut self, office: &mut Office) -> Answer {
        let pushes = if self.waiting.0.is_empty() { Vec::new() } else { vec![self.push()] };
        let mut answer = self.send(office, &self.request_with(pushes.clone()));
        if answer.refusal() == "say_plainly" {
            answer = self.send(office, &self.plain_request_with(pushes));
        }
        if answer.refused.is_none() {
            self.waiting = Waiting::default();
            self.deposits.clear();
            self.apply(&answer);
        }
        answer
    }

    pub fn apply(&mut self, answer: &Answer) {
        let welcome = answer.welcome.as_ref().unwrap();
        self.nonce = welcome.nonce;
        self.token = welcome.token.unwrap_or(self.token);
        if let Some(grant) = &welcome.grant {
            self.grant = proof::verify_grant(&self.enrolled.server_key, grant).unwrap();
        }
        for page in &answer.pages {
            let audience = self.grant.audiences[usize::from(page.audience)].clone();
            let entries = self.opened(page);
            let (key, root) = (&self.enrolled.server_key, root(&entries));
            proof::verify_page(key, page, &root, &self.enrolled.server, welcome.epoch, &audience).unwrap();
            let cursor = self.cursors.entry(audience.as_str().to_owned()).or_insert(0);
            assert_eq!(*cursor, page.from, "a page that does not follow");
            *cursor = page.to();
            for entry in entries {
                self.entry(audience.as_str(), entry);
            }
        }
    }

    /// The entries of a page that follows what this phone has.
    pub fn opened(&self, page: &Page) -> Vec<Entry> {
        packed::page::unpacked(&page.body, page.count, self).unwrap()
    }

    fn entry(&mut self, audience: &str, entry: Entry) {
        match entry {
            Entry::Change(entry) => self.changes(audience, entry.record, &[entry.chunk]),
            Entry::Whole(entry) => {
                let chunks: Vec<Vec<u8>> = entry.changes.into_iter().map(|(_, chunk)| chunk).collect();
                self.changes(audience, entry.record, &chunks);
            }
            Entry::Known(known) => {
                let (_, history) = &self.records[&known.record.key];
                assert!(history.knows(&known.hash));
                self.held.entry(known.record.key).or_default().insert(audience.to_owned());
            }
            Entry::Drop(key) => {
                let held = self.held.entry(key).or_default();
                held.remove(audience);
                if held.is_empty() {
                    self.records.remove(&key);
                }
            }
            Entry::Author(author) => drop(self.authors.insert(author.actor, author)),
            Entry::Seen(seen) => self.seen.push(seen),
            Entry::Stub => {}
            Entry::Erase(_) | Entry::Unknown { .. } => panic!("an entry that the server does not write"),
        }
    }

    fn changes(&mut self, audience: &str, record: RecordRef, chunks: &[Vec<u8>]) {
        let kind = Kind::of_code(record.key.kind).unwrap();
        let (_, history) = self.records.entry(record.key).or_insert_with(|| (record, History::new(kind)));
        for chunk in chunks {
            let parsed = change::parse(chunk).unwrap();
            let server = identity::server_actor(&self.enrolled.server_key, self.epoch, &record.key);
            let is_introduced = parsed.actor == server || self.authors.contains_key(&parsed.actor);
            assert!(is_introduced, "a change by somebody who was not introduced");
            let verdicts = admit(history, &[parsed], &|_, _, _| Ok(()));
            assert!(!matches!(verdicts[0], foras_record::admission::Verdict::Parked { .. }), "{verdicts:?}");
        }
        self.held.entry(record.key).or_default().insert(audience.to_owned());
    }

    pub fn document(&self, record: &RecordRef) -> Option<&Document> {
        self.records.get(&record.key).map(|(_, history)| history.document())
    }

    pub fn holds(&self, record: &RecordRef) -> bool {
        self.records.contains_key(&record.key)
    }

    pub fn hashes(&self) -> Vec<ChangeHash> {
        self.waiting.0.iter().map(|item| change::chunk_hash(&item.chunk).unwrap()).collect()
    }

    pub fn deposit(&mut self, id: RecordId, body: &str) {
        self.deposits.push(Deposit { id, body: body.to_owned() });
    }
}

/// What the phone holds and the server told it of; of its own changes, what does not wait to be pushed.
impl Held for Phone {
    fn name_bytes(&self, key: &RecordKey) -> Option<usize> {
        self.held.get(key).filter(|audiences| !audiences.is_empty())?;
        let of_kind = self.records.keys().filter(|other| other.kind == key.kind && *other != key);
        let common = |other: &RecordKey| key.id.0.iter().zip(&other.id.0).take_while(|(a, b)| a == b).count();
        Some(of_kind.map(common).max().unwrap_or(0) + 1)
    }

    fn record_named(&self, kind: KindCode, name: &[u8]) -> Option<RecordRef> {
        let named = |key: &RecordKey| key.kind == kind && key.id.as_bytes().starts_with(name);
        let told = |key: &RecordKey| self.held.get(key).is_some_and(|audiences| !audiences.is_empty());
        let mut all = self.records.iter().filter(|(key, _)| named(key) && told(key)).map(|(_, (record, _))| *record);
        all.next().filter(|_| all.next().is_none())
    }

    fn actor_named(&self, name: &[u8]) -> Option<Actor> {
        let mut all = self.authors.keys().filter(|actor| actor.as_bytes().starts_with(name));
        all.next().filter(|_| all.next().is_none()).copied()
    }

    fn server(&self) -> Option<(PublicKey, u64)> {
        Some((self.enrolled.server_key, self.epoch))
    }

    fn change(&self, record: &RecordKey, actor: &Actor, seq: u64) -> Option<HeldChange> {
        self.changes_of(record).find(|change| change.actor == *actor && change.seq == seq)
    }

    fn change_of_hash(&self, record: &RecordKey, hash: &ChangeHash) -> Option<HeldChange> {
        let waits = self.hashes().contains(hash);
        self.changes_of(record).find(|change| change.hash == *hash && !waits)
    }
}

impl Phone {
    fn changes_of(&self, record: &RecordKey) -> impl Iterator<Item = HeldChange> {
        let chunks = self.records.get(record).into_iter().flat_map(|(_, history)| history.chunks());
        chunks.map(|chunk| {
            let change = change::parse(chunk).unwrap();
            HeldChange { actor: change.actor, seq: change.seq, hash: change.hash, max_op: change.max_op() }
        })
    }
}
