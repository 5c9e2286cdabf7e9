//! Random days: edits, cuts, lost answers, refusals, restarts and copies of a phone, from a seed.
//!
//! `FORAS_SEED=n` runs one seed alone, `FORAS_SEEDS=n` that many.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use foras::store::{Store, WorkLimits};
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_wire::id::RecordId;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::copies::copy;
use crate::desk::{NOW_MS, Seeded, Someone, put, put_item, register};
use crate::server::Server;

const PEOPLE: u8 = 4;
const STEPS: u32 = 120;

struct Day {
    rng: ChaCha8Rng,
    dir: tempfile::TempDir,
    server: Server,
    stores: Vec<(PathBuf, Store)>,
    /// Every roll call that a phone called durable: record and session.
    taken: BTreeMap<RecordId, RecordId>,
    next: u32,
}

impl Day {
    fn begin(seed: u64) -> Self {
        let (dir, mut server) = (tempfile::tempdir().unwrap(), Server::new());
        let mut stores = Vec::new();
        for (number, role) in (0..).zip([Role::Outreach, Role::HostCounsellor, Role::Trainer]) {
            let path = dir.path().join(format!("phone{number}"));
            let mut store = Store::open_with(&path, Seeded::boxed(seed ^ number)).unwrap();
            server.enrol(&mut store, role, &["oujda"], None, role.code());
            stores.push((path, store));
        }
        for number in 1..=PEOPLE {
            register(&mut stores[0].1, Someone::numbered(number), "Awa", "oujda", number);
        }
        for (_, store) in &mut stores {
            server.sync(store);
        }
        Self { rng: ChaCha8Rng::seed_from_u64(seed), dir, server, stores, taken: BTreeMap::new(), next: 0 }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.rng.next_u32()).unwrap() % bound
    }

    fn step(&mut self) {
        let at = self.below(self.stores.len());
        match self.below(12) {
            0..=4 => self.take_roll(at),
            5 => self.rename(at),
            6 => self.server.sync(&mut self.stores[at].1),
            7 => self.lose_the_answer(at),
            8 => self.settle_without_pages(at),
            9 => self.server.bring(&mut self.stores[at].1, &BTreeSet::new()),
            10 => self.restart(at),
            _ => match self.below(3) {
                0 => drop(self.server.refuse.insert("attendance/ff", "session_closed")),
                1 => self.server.refuse.clear(),
                _ => self.copy_phone(at),
            },
        }
    }

    /// A session of its own for each roll call, so that no later edit may take its place.
    fn take_roll(&mut self, at: usize) {
        let mut session = [0_u8; 16];
        self.next += 1;
        session[12..].copy_from_slice(&self.next.to_be_bytes());
        session[0] = if self.below(4) == 0 { 0xff } else { 0 };
        let session = RecordId(session);
        let first = u8::try_from(self.below(usize::from(PEOPLE))).unwrap() + 1;
        let people: BTreeSet<u8> = [first, first % PEOPLE + 1].into_iter().take(self.below(2) + 1).collect();
        let paths: Vec<_> = people.iter().map(|number| Someone::numbered(*number).path).collect();
        let set: Vec<_> =
            paths.iter().map(|path| put_item(*path, "attendance", &session.to_string(), "present")).collect();
        let receipt = self.stores[at].1.commit(NOW_MS, &set).unwrap();
        assert_eq!(receipt.changes.len(), set.len());
        // One path of a set stands for all: a set is admitted whole.
        self.taken.insert(session, paths[0].key.id);
    }

    fn rename(&mut self, at: usize) {
        let number = u8::try_from(self.below(usize::from(PEOPLE))).unwrap() + 1;
        let name = format!("Awa {}", self.below(1_000));
        if self.stores[at].1.identity().unwrap().role() != Role::Trainer {
            self.stores[at].1.commit(NOW_MS, &[put(Someone::numbered(number).person, "name", &name)]).unwrap();
        }
    }

    /// The server took the push; the phone never learns it from this answer.
    fn lose_the_answer(&mut self, at: usize) {
        let limits = WorkLimits { changes_max: self.below(5) + 1, ..WorkLimits::default() };
        let store = &self.stores[at].1;
        for push in store.work(&limits).unwrap().pushes {
            self.server.receive(store, &push, &mut BTreeSet::new());
        }
    }

    fn settle_without_pages(&mut self, at: usize) {
        let limits = WorkLimits { changes_max: self.below(5) + 1, ..WorkLimits::default() };
        let work = self.stores[at].1.work(&limits).unwrap();
        let mut known = BTreeSet::new();
        for push in work.pushes {
            let settlements = self.server.receive(&self.stores[at].1, &push, &mut known);
            self.stores[at].1.settle(&settlements, NOW_MS).unwrap();
        }
    }

    fn restart(&mut self, at: usize) {
        let (path, store) = self.stores.remove(at);
        drop(store);
        let seed = self.rng.next_u64();
        let store = Store::open_with(&path, Seeded::boxed(seed)).unwrap();
        self.stores.insert(at, (path, store));
    }

    fn copy_phone(&mut self, at: usize) {
        if self.stores.len() >= 5 {
            return;
        }
        self.restart(at);
        let to = self.dir.path().join(format!("copy{}", self.stores.len()));
        copy(Path::new(&self.stores[at].0), &to);
        let seed = self.rng.next_u64();
        let store = Store::open_with(&to, Seeded::boxed(seed)).unwrap();
        self.stores.push((to, store));
    }

    fn end(mut self) {
        self.server.refuse.clear();
        for _ in 0..3 {
            for (_, store) in &mut self.stores {
                self.server.sync(store);
            }
        }
        let mut refused = BTreeSet::new();
        for (_, store) in &mut self.stores {
            self.server.assert_converged(store);
            assert_eq!(store.pending().unwrap().changes, 0);
            refused.extend(store.refused().unwrap().into_iter().filter_map(|edit| edit.item));
        }
        let field = Kind::Path.rule().field("attendance").unwrap();
        let (_, store) = &mut self.stores[0];
        for (session, path) in &self.taken {
            let key = foras_wire::record::RecordKey { kind: Kind::Path.code(), id: *path };
            let document = store.document(&key).unwrap();
            let stands = document.item(field, &session.to_string()).is_some();
            assert!(
                stands || refused.contains(&session.to_string()),
                "a durable edit is neither held nor shown refused"
            );
        }
    }
}

#[test]
fn whatever_happens_no_durable_edit_is_lost_and_all_converge() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = number("FORAS_SEED").map_or(0..number("FORAS_SEEDS").unwrap_or(8), |seed| seed..seed + 1);
    for seed in seeds {
        println!("FORAS_SEED={seed}");
        let mut day = Day::begin(seed);
        for _ in 0..STEPS {
            day.step();
        }
        day.end();
    }
}
