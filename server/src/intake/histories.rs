//! Loaded records: a cache of bounded size over the changes in the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use foras_record::admission::History;
use foras_wire::record::RecordKey;

/// Records that stay loaded; one takes some tens of KiB.
const HISTORIES_MAX: usize = 1_024;

/// Loaded records, the least used of which make room.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    loaded: BTreeMap<RecordKey, (u64, Arc<History>)>,
    uses: u64,
}

impl Histories {
    pub(crate) fn get(&mut self, key: &RecordKey) -> Option<Arc<History>> {
        self.uses += 1;
        let (used, history) = self.loaded.get_mut(key)?;
        *used = self.uses;
        Some(Arc::clone(history))
    }

    /// The record, given away: whoever changes it keeps it again.
    pub(crate) fn take(&mut self, key: &RecordKey) -> Option<Arc<History>> {
        self.loaded.remove(key).map(|(_, history)| history)
    }

    /// Keeps what a transaction left, once it is durable.
    pub(crate) fn keep(&mut self, changed: BTreeMap<RecordKey, Arc<History>>) {
        self.uses += 1;
        let used = self.uses;
        self.loaded.extend(changed.into_iter().map(|(key, history)| (key, (used, history))));
        if self.loaded.len() > HISTORIES_MAX {
            let mut uses: Vec<_> = self.loaded.values().map(|(used, _)| *used).collect();
            uses.sort_unstable();
            let oldest_kept = uses.get(uses.len() / 4).copied().unwrap_or(0);
            self.loaded.retain(|_, (used, _)| *used > oldest_kept);
        }
    }
}
