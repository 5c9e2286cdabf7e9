//! A server in memory: admission, rulings, audiences and logs as they should be, and refusals on demand.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use foras::store::Store;
use foras_record::access::{self, AuthorFacts};
use foras_record::admission::{self, History, Verdict};
use foras_record::audience::granted;
use foras_record::change;
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::packed;
use foras_record::place::Country;
use foras_record::proof;
use foras_record::role::Role;
use foras_record::ruling::{Authorisation, Destinations, rule_document};
use foras_record::standing::Standing;
use foras_sync::work::{Fate, OutgoingPush, Settlement};
use foras_wire::audience::AudienceName;
use foras_wire::enrol::{CaseNumberBlock, EnrolAnswer};
use foras_wire::grant::Grant;
use foras_wire::id::{Actor, ChangeHash, DeviceId, Nonce, PublicKey, RecordId, ServerId, Signature64};
use foras_wire::page::{AuthorEntry, ChangeEntry, Entry, KnownEntry, Page, WholeEntry, root};
use foras_wire::push::Push;
use foras_wire::record::{KindCode, RecordKey, RecordRef};

use crate::desk::{NOW_MS, now_s};

/// One device as the server knows it.
pub(crate) struct Enrolled {
    pub(crate) grant: Grant,
    key: PublicKey,
}

struct Held {
    record: RecordRef,
    history: History,
    audiences: BTreeSet<AudienceName>,
}

pub(crate) struct Server {
    pub(crate) key: SigningKey,
    pub(crate) id: ServerId,
    pub(crate) epoch: u64,
    records: BTreeMap<RecordKey, Held>,
    logs: BTreeMap<AudienceName, Vec<Entry>>,
    devices: BTreeMap<DeviceId, Enrolled>,
    authors: BTreeMap<Actor, (AuthorFacts, Option<String>)>,
    told: BTreeSet<(AudienceName, Actor)>,
    frozen: BTreeSet<Actor>,
    /// Changes of these fields are refused with this code.
    pub(crate) refuse: BTreeMap<&'static str, &'static str>,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            key: SigningKey::from_bytes(&[7; 32]),
            id: ServerId([1; 16]),
            epoch: 1,
            records: BTreeMap::new(),
            logs: BTreeMap::new(),
            devices: BTreeMap::new(),
            authors: BTreeMap::new(),
            told: BTreeSet::new(),
            frozen: BTreeSet::new(),
            refuse: BTreeMap::new(),
        }
    }

    pub(crate) fn enrol(&mut self, store: &mut Store, role: Role, places: &[&str], case: Option<RecordId>, name: &str) {
        let request = store.enrol_request(&[9; 16]).unwrap();
        proof::verify_enrolment(&request).unwrap();
        let number = u8::try_from(self.devices.len()).unwrap() + 1;
        let device = DeviceId([number; 16]);
        let parsed: Vec<_> = places.iter().map(|place| place.parse().unwrap()).collect();
        let grant = Grant {
            server: self.id,
            device,
            key: request.key,
            revision: 1,
            role: role.code().to_owned(),
            places: places.iter().map(|place| (*place).to_owned()).collect(),
            audiences: granted(role, &parsed, case).into_iter().map(|audience| audience.name()).collect(),
            case,
            name: Some(name.to_owned()),
            issued_s: now_s(),
            expires_s: now_s() + 31_536_000,
            lease_s: 14 * 86_400,
        };
        let answer = EnrolAnswer {
            server: self.id,
            server_key: proof::public_key(&self.key),
            epoch: self.epoch,
            now_ms: NOW_MS,
            token: [number; 32],
            nonce: Nonce([number; 16]),
            grant: proof::sign_grant(&self.key, &grant),
            case_numbers: Some(CaseNumberBlock { prefix: format!("T{number}"), first: 1, last: 500 }),
            import_key: Some([5; 32]),
        };
        store.complete_enrolment(&answer, "http://127.0.0.1:1", Some(&answer.server_key), NOW_MS).unwrap();
        self.devices.insert(device, Enrolled { grant, key: request.key });
    }

    /// One whole exchange, repeated until nothing is left to push.
    pub(crate) fn sync(&mut self, store: &mut Store) {
        for _ in 0..8 {
            let work = store.work(&foras::store::WorkLimits::default()).unwrap();
            let idle = work.pushes.is_empty();
            let mut known = BTreeSet::new();
            for push in &work.pushes {
                store.mark_sending(push.rows.iter().copied());
                let settlements = self.receive(store, push, &mut known);
                store.settle(&settlements, NOW_MS).unwrap();
            }
            self.bring(store, &known);
            if idle {
                break;
            }
        }
        store.caught_up(NOW_MS, None, NOW_MS).unwrap();
    }

    /// Admits a push, set by set.
    pub(crate) fn receive(
        &mut self,
        store: &Store,
        out: &OutgoingPush,
        known: &mut BTreeSet<(RecordKey, ChangeHash)>,
    ) -> Vec<Settlement> {
        let device = &self.devices[&store.identity().unwrap().grant().device];
        let pushed = packed::push::unpacked(&out.push, &device.key, self).unwrap();
        let hashes = proof::push_hashes(&pushed).unwrap();
        proof::verify_push(&device.key, &pushed, self.id, self.epoch, &hashes).unwrap();
        let facts = AuthorFacts::of_grant(&device.grant).unwrap();
        let actor = Actor::of(&device.key, &pushed.incarnation);
        let name = device.grant.name.clone();
        self.authors.insert(actor, (facts.clone(), name));
        let mut sets: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, item) in pushed.items.iter().enumerate() {
            sets.entry(item.change_set).or_default().push(at);
        }
        let mut fates = vec![Fate::Durable; out.rows.len()];
        for set in sets.values() {
            match self.admit_set(&pushed, set, actor, &facts) {
                Ok(()) => known.extend(set.iter().map(|at| (pushed.items[*at].record.key, hashes[*at]))),
                Err((failed, fate)) => {
                    for at in set {
                        fates[*at] = if *at == failed { fate.clone() } else { Fate::SetRefused };
                    }
                }
            }
        }
        out.rows.iter().zip(fates).map(|(row, fate)| Settlement { row: *row, fate }).collect()
    }

    fn admit_set(
        &mut self,
        push: &Push,
        set: &[usize],
        actor: Actor,
        facts: &AuthorFacts,
    ) -> Result<(), (usize, Fate)> {
        let mut drafts: BTreeMap<RecordKey, (RecordRef, History, Vec<Vec<u8>>)> = BTreeMap::new();
        for at in set {
            let item = &push.items[*at];
            let refused = |code: &str| (*at, Fate::Refused { code: code.to_owned() });
            let hash = change::chunk_hash(&item.chunk).unwrap();
            // What was taken once stays taken, whatever the rules are now.
            if self.records.get(&item.record.key).is_some_and(|held| held.history.knows(&hash)) {
                continue;
            }
            if self.frozen.contains(&actor) {
                return Err(refused("frozen"));
            }
            let kind = admission::check_record(&item.record).unwrap();
            let change = change::parse(&item.chunk).unwrap();
            assert_eq!(change.actor, actor);
            let fields: Vec<String> = change.ops.iter().map(|op| format!("{:?}", op.key)).collect();
            for (field, code) in &self.refuse {
                if fields.iter().any(|key| key.contains(field)) {
                    return Err(refused(code));
                }
            }
            let held = self.records.get(&item.record.key);
            let fresh = || held.map_or_else(|| History::new(kind), |held| held.history.clone());
            let draft = drafts.entry(item.record.key).or_insert_with(|| (item.record, fresh(), Vec::new()));
            let verdict = admission::admit(&mut draft.1, std::slice::from_ref(&change), &|_, _, _| Ok(()));
            match verdict.into_iter().next().unwrap() {
                Verdict::Admitted => draft.2.push(item.chunk.clone()),
                Verdict::Duplicate => {}
                Verdict::Parked { .. } => return Err((*at, Fate::Kept)),
                Verdict::Refused(refusal) => {
                    if refusal.code == "seq_reused" {
                        self.frozen.insert(actor);
                    }
                    return Err(refused(refusal.code));
                }
            }
        }
        let _ = facts;
        self.store(drafts.into_values());
        Ok(())
    }

    fn store(&mut self, drafts: impl Iterator<Item = (RecordRef, History, Vec<Vec<u8>>)>) {
        let mut touched = BTreeMap::new();
        for (record, history, chunks) in drafts {
            let audiences = self.records.remove(&record.key).map(|held| held.audiences).unwrap_or_default();
            self.records.insert(record.key, Held { record, history, audiences });
            touched.insert(record.key, chunks);
        }
        let cases: BTreeSet<RecordId> = touched.keys().filter_map(|key| self.records[key].record.case).collect();
        for case in cases {
            self.rule(case, &mut touched);
            let of_case = self.records.values().filter(|held| held.record.case == Some(case));
            for key in of_case.map(|held| held.record.key).collect::<Vec<_>>() {
                touched.entry(key).or_default();
            }
        }
        for (key, chunks) in touched {
            self.append(&key, &chunks);
        }
    }

    fn rule(&mut self, case: RecordId, touched: &mut BTreeMap<RecordKey, Vec<Vec<u8>>>) {
        let key = identity::record(Kind::Case, case, Some(case)).key;
        let Some(held) = self.records.get_mut(&key) else { return };
        let server = Actor([0xee; 16]);
        self.authors.entry(server).or_insert((AuthorFacts::server(), None));
        let until = jiff::civil::date(2100, 1, 1);
        let authorised = || Authorisation { reference: "test".to_owned(), expires_on: until };
        let destinations = Destinations(Country::MISSIONS.map(|country| (country, authorised())).into());
        let authors = |actor: &Actor| self.authors.get(actor).map(|(facts, _)| facts.clone());
        let mut document = held.history.document().clone();
        let rulings = rule_document(&mut document, case, (server, now_s()), &authors, &destinations).unwrap();
        if let Some(authored) = rulings.authored {
            let change = change::parse(&authored.chunk).unwrap();
            held.history.authored(document, &change);
            touched.entry(key).or_default().push(authored.chunk);
        }
    }

    fn append(&mut self, key: &RecordKey, chunks: &[Vec<u8>]) {
        let held = &self.records[key];
        let record = held.record;
        let kind = Kind::of_code(key.kind).unwrap();
        let standing = record.case.and_then(|case| {
            let case = self.records.get(&identity::record(Kind::Case, case, Some(case)).key)?;
            Some(Standing::of(case.history.document()))
        });
        let now = access::audiences(kind, standing.as_ref(), record.case, held.history.document());
        let now: BTreeSet<AudienceName> = now.into_iter().map(|audience| audience.name()).collect();
        let before = held.audiences.clone();
        let all = held.history.chunks().to_vec();
        for audience in now.difference(&before) {
            self.introduce(audience, &all);
            let changes = all.iter().map(|chunk| (packed::hash_of(chunk), chunk.clone())).collect();
            let whole = WholeEntry { record, changes, received_ms: NOW_MS };
            self.logs.entry(audience.clone()).or_default().push(Entry::Whole(whole));
        }
        for audience in now.intersection(&before) {
            self.introduce(audience, chunks);
            for chunk in chunks {
                self.logs.entry(audience.clone()).or_default().push(change_entry(record, chunk));
            }
        }
        for audience in before.difference(&now) {
            self.logs.entry(audience.clone()).or_default().push(Entry::Drop(*key));
        }
        self.records.get_mut(key).unwrap().audiences = now;
    }

    fn introduce(&mut self, audience: &AudienceName, chunks: &[Vec<u8>]) {
        for chunk in chunks {
            let actor = change::parse(chunk).unwrap().actor;
            if self.told.insert((audience.clone(), actor)) {
                let (facts, name) = self.authors[&actor].clone();
                let author = AuthorEntry { actor, name, role: facts.role.code().to_owned() };
                self.logs.entry(audience.clone()).or_default().push(Entry::Author(author));
            }
        }
    }

    /// Adds an entry to a log by hand.
    pub(crate) fn log(&mut self, audience: &str, entry: Entry) {
        self.logs.entry(audience.parse().unwrap()).or_default().push(entry);
    }

    /// How a record came into an audience.
    pub(crate) fn whole(&self, audience: &str, record: &RecordRef) -> Entry {
        let log = &self.logs[&audience.parse().unwrap()];
        let is_it = |entry: &&Entry| matches!(entry, Entry::Whole(whole) if whole.record == *record);
        log.iter().find(is_it).unwrap().clone()
    }

    /// How far an audience's log reaches.
    pub(crate) fn head(&self, audience: &str) -> u64 {
        self.logs.get(&audience.parse().unwrap()).map_or(0, |log| log.len() as u64)
    }

    /// The rest of a log as a signed page, own changes of this exchange by name only.
    pub(crate) fn page(
        &self,
        index: usize,
        audience: &AudienceName,
        from: u64,
        known: &BTreeSet<(RecordKey, ChangeHash)>,
    ) -> Option<Page> {
        let log = self.logs.get(audience)?;
        let rest = log.get(usize::try_from(from).unwrap()..)?;
        if rest.is_empty() {
            return None;
        }
        let entry = |entry: &Entry| match entry {
            Entry::Change(change) if known.contains(&(change.record.key, change.hash)) => {
                let ChangeEntry { record, hash, received_ms, .. } = *change;
                Entry::Known(KnownEntry { record, hash, received_ms })
            }
            entry => entry.clone(),
        };
        let entries: Vec<Entry> = rest.iter().map(entry).collect();
        Some(self.sealed(index, audience, from, &entries))
    }

    /// A signed page of these entries, told in full.
    pub(crate) fn sealed(&self, index: usize, audience: &AudienceName, from: u64, entries: &[Entry]) -> Page {
        let mut page = Page {
            audience: u16::try_from(index).unwrap(),
            from,
            count: u32::try_from(entries.len()).unwrap(),
            signature: Signature64([0; 64]),
            body: packed::page::packed(entries, None),
        };
        proof::sign_page(&self.key, &mut page, &root(entries), &self.id, self.epoch, audience);
        page
    }

    /// Brings every audience of the device to its log's end.
    pub(crate) fn bring(&self, store: &mut Store, known: &BTreeSet<(RecordKey, ChangeHash)>) {
        let audiences = store.identity().unwrap().audiences().to_vec();
        for (index, audience) in audiences.iter().enumerate() {
            let from = store.cursors().unwrap()[index].position;
            if let Some(page) = self.page(index, audience, from, known) {
                let applied = store.apply_page(&page, NOW_MS).unwrap();
                assert_eq!(applied.refused, BTreeMap::new());
            }
        }
    }

    /// Records that stand in an audience, with their changes.
    pub(crate) fn held_by(&self, audience: &AudienceName) -> Vec<(RecordRef, Vec<Vec<u8>>)> {
        let held = self.records.values().filter(|held| held.audiences.contains(audience));
        held.map(|held| (held.record, held.history.chunks().to_vec())).collect()
    }

    /// Gives the device other places, under the next revision.
    pub(crate) fn regrant(&mut self, store: &mut Store, places: &[&str]) {
        let device = self.devices.get_mut(&store.identity().unwrap().grant().device).unwrap();
        let parsed: Vec<_> = places.iter().map(|place| place.parse().unwrap()).collect();
        let role: Role = device.grant.role.parse().unwrap();
        device.grant.places = places.iter().map(|place| (*place).to_owned()).collect();
        device.grant.audiences =
            granted(role, &parsed, device.grant.case).into_iter().map(|audience| audience.name()).collect();
        device.grant.revision += 1;
        let signed = proof::sign_grant(&self.key, &device.grant);
        store.accept_grant(&signed, NOW_MS).unwrap();
    }

    /// Fingerprints of what stands in an audience.
    pub(crate) fn content(&self, audience: &AudienceName) -> BTreeMap<RecordKey, foras_wire::id::Digest32> {
        let held = self.records.values().filter(|held| held.audiences.contains(audience));
        held.map(|held| (held.record.key, held.history.document().content().fingerprint())).collect()
    }

    /// Asserts that the device holds what its audiences hold, in content, and nothing else.
    pub(crate) fn assert_converged(&self, store: &mut Store) {
        let mut held = store.content_by_audience().unwrap();
        for audience in store.identity().unwrap().audiences().to_vec() {
            assert_eq!(held.remove(&audience).unwrap_or_default(), self.content(&audience), "{audience}");
        }
        assert!(held.is_empty(), "audiences that the grant does not name: {:?}", held.keys());
        assert!(store.holdings().unwrap().values().all(|audiences| !audiences.is_empty()), "held by no audience");
    }
}

/// A change as it stands in a log.
pub(crate) fn change_entry(record: RecordRef, chunk: &[u8]) -> Entry {
    let (hash, chunk) = (packed::hash_of(chunk), chunk.to_vec());
    Entry::Change(ChangeEntry { record, hash, chunk, received_ms: NOW_MS })
}

/// A record as it comes whole into a log.
pub(crate) fn whole_entry(record: RecordRef, chunks: &[Vec<u8>]) -> Entry {
    let changes = chunks.iter().map(|chunk| (packed::hash_of(chunk), chunk.clone())).collect();
    Entry::Whole(WholeEntry { record, changes, received_ms: NOW_MS })
}

/// What devices name in their pushes.
impl packed::Held for Server {
    fn record_named(&self, kind: KindCode, name: &[u8]) -> Option<RecordRef> {
        let named = |key: &RecordKey| key.kind == kind && key.id.as_bytes().starts_with(name);
        let mut all = self.records.values().map(|held| held.record).filter(|record| named(&record.key));
        all.next().filter(|_| all.next().is_none())
    }

    fn actor_named(&self, name: &[u8]) -> Option<Actor> {
        let mut all = self.authors.keys().filter(|actor| actor.as_bytes().starts_with(name));
        all.next().filter(|_| all.next().is_none()).copied()
    }

    fn change(&self, record: &RecordKey, actor: &Actor, seq: u64) -> Option<packed::HeldChange> {
        let chunks = self.records.get(record)?.history.chunks();
        let mut changes = chunks.iter().map(|chunk| change::parse(chunk).unwrap());
        let change = changes.find(|change| change.actor == *actor && change.seq == seq)?;
        Some(packed::HeldChange { actor: *actor, seq, hash: change.hash, max_op: change.max_op() })
    }
}
