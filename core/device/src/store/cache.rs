//! Loaded records: at most 64, the least recently used go first.

use std::collections::BTreeMap;

use foras_record::admission::History;
use foras_record::standing::Standing;
use foras_wire::record::{RecordKey, RecordRef};

use super::rows::RecordRow;

/// Most records that stay loaded. A loaded small document takes 15 to 22 KiB.
pub(super) const LOADED_MAX: usize = 64;

#[derive(Default)]
pub(super) struct Cache {
    loaded: BTreeMap<RecordKey, Loaded>,
    uses: u64,
}

struct Loaded {
    used: u64,
    kept: Kept,
}

/// A record as its rows are.
pub(super) struct Kept {
    pub(super) row: RecordRow,
    pub(super) record: RecordRef,
    pub(super) history: History,
    /// Of a case: where it stands, if anybody asked.
    pub(super) standing: Option<Standing>,
}

impl Cache {
    /// The record, if it is loaded. Whoever takes it puts it back, once its rows say the same.
    pub(super) fn take(&mut self, key: &RecordKey) -> Option<Kept> {
        self.loaded.remove(key).map(|loaded| loaded.kept)
    }

    /// Where a case stands, if it is loaded and somebody asked before.
    pub(super) fn standing(&mut self, case: &RecordKey) -> Option<Standing> {
        let loaded = self.loaded.get_mut(case)?;
        self.uses += 1;
        loaded.used = self.uses;
        loaded.kept.standing.clone()
    }

    /// Keeps the record as its rows now are.
    pub(super) fn put(&mut self, kept: Kept) {
        self.uses += 1;
        self.loaded.insert(kept.record.key, Loaded { used: self.uses, kept });
        if self.loaded.len() > LOADED_MAX
            && let Some(oldest) = self.loaded.iter().min_by_key(|(_, loaded)| loaded.used).map(|(key, _)| *key)
        {
            self.loaded.remove(&oldest);
        }
    }

    /// How many are loaded.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.loaded.len()
    }

    /// Forgets the record: its rows changed, or went.
    pub(super) fn remove(&mut self, key: &RecordKey) {
        self.loaded.remove(key);
    }
}
