//! Loaded records: at most 64, the least recently used go first.

use std::collections::BTreeMap;

use foras_record::admission::History;
use foras_wire::record::RecordKey;

/// Most records that stay loaded. A loaded small document takes 15 to 22 KiB.
pub(super) const LOADED_MAX: usize = 64;

#[derive(Default)]
pub(super) struct Cache {
    loaded: BTreeMap<RecordKey, (u64, History)>,
    uses: u64,
}

impl Cache {
    /// The record, if it is loaded. Whoever takes it puts it back, once its rows say the same.
    pub(super) fn take(&mut self, key: &RecordKey) -> Option<History> {
        self.loaded.remove(key).map(|(_, history)| history)
    }

    /// Keeps the record as its rows now are.
    pub(super) fn put(&mut self, key: RecordKey, history: History) {
        self.uses += 1;
        self.loaded.insert(key, (self.uses, history));
        if self.loaded.len() > LOADED_MAX
            && let Some(oldest) = self.loaded.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key)
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
