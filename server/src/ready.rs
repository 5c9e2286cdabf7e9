//! Pages that are ready to be sent: a page is the same for every device that follows a log from the same position, so a
//! thousand phones that come back after the same nine days cost one composition.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use foras_wire::id::ChangeHash;
use foras_wire::page::Page;
use foras_wire::record::RecordKey;

use crate::storage::locked;

/// Bytes of pages that are kept ready, about.
const READY_BYTES_MAX: usize = 24 * 1024 * 1024;
/// What is kept of a change beside the page's body.
const CHANGE_BYTES: usize = 64;

/// Where a page stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) audience: String,
    pub(crate) from: u64,
    /// Whether authors are named.
    pub(crate) names: bool,
    /// In which it is signed.
    pub(crate) epoch: u64,
}

/// A page, and what decides whether a device gets it as it is.
#[derive(Debug)]
pub(crate) struct ReadyPage {
    /// Its audience is the receiver's own number for it.
    pub(crate) page: Page,
    /// Raw bytes of its entries.
    pub(crate) bytes: usize,
    /// Changes in it, but for those of whole records.
    pub(crate) changes: BTreeSet<(RecordKey, ChangeHash)>,
    /// Records that leave or come whole.
    pub(crate) moved: Vec<RecordKey>,
    /// Records that it tells of.
    pub(crate) told: BTreeSet<RecordKey>,
}

impl ReadyPage {
    fn size(&self) -> usize {
        self.page.body.len() + (self.changes.len() + self.moved.len() + self.told.len()) * CHANGE_BYTES
    }
}

#[derive(Debug)]
struct Kept {
    /// The log's end that the page reaches; `None`: it is full, and stays as it is.
    head: Option<u64>,
    /// How much had left the audience.
    drops: u64,
    used: u64,
    page: Arc<ReadyPage>,
}

/// The pages that are kept ready.
#[derive(Debug, Default)]
pub(crate) struct ReadyPages(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    pages: BTreeMap<Place, Kept>,
    bytes: usize,
    uses: u64,
}

impl ReadyPages {
    /// The page at `place`, if the log is still as it was made of: `head` and `drops` are the log's of now.
    pub(crate) fn get(&self, place: &Place, head: u64, drops: u64) -> Option<Arc<ReadyPage>> {
        let mut shelf = locked(&self.0);
        shelf.uses += 1;
        let now = shelf.uses;
        let kept = shelf.pages.get_mut(place)?;
        if kept.drops != drops || kept.head.is_some_and(|made_at| made_at != head) {
            return None;
        }
        kept.used = now;
        Some(Arc::clone(&kept.page))
    }

    /// Keeps a page, in place of those that were used least lately where there is no room.
    pub(crate) fn keep(&self, place: Place, head: Option<u64>, drops: u64, page: Arc<ReadyPage>) {
        let mut shelf = locked(&self.0);
        shelf.uses += 1;
        let used = shelf.uses;
        shelf.bytes += page.size();
        if let Some(before) = shelf.pages.insert(place, Kept { head, drops, used, page }) {
            shelf.bytes -= before.page.size();
        }
        while shelf.bytes > READY_BYTES_MAX {
            let oldest = shelf.pages.iter().min_by_key(|(_, kept)| kept.used).map(|(place, _)| place.clone());
            let Some(oldest) = oldest.and_then(|place| shelf.pages.remove(&place)) else { break };
            shelf.bytes -= oldest.page.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use foras_wire::id::Signature64;

    use super::*;

    fn page(bytes: usize) -> Arc<ReadyPage> {
        let page = Page { audience: 0, from: 0, count: 1, signature: Signature64([0; 64]), body: vec![0; bytes] };
        Arc::new(ReadyPage { page, bytes, changes: BTreeSet::new(), moved: Vec::new(), told: BTreeSet::new() })
    }

    fn place(from: u64) -> Place {
        Place { audience: "casework:oujda".to_owned(), from, names: true, epoch: 1 }
    }

    #[test]
    fn a_page_is_given_only_while_the_log_is_as_it_was() {
        let ready = ReadyPages::default();
        ready.keep(place(0), None, 2, page(10));
        ready.keep(place(7), Some(9), 2, page(10));
        assert!(ready.get(&place(0), 9, 2).is_some());
        assert!(ready.get(&place(0), 50, 2).is_some(), "a full page does not change when the log grows");
        assert!(ready.get(&place(7), 9, 2).is_some());
        assert!(ready.get(&place(7), 10, 2).is_none(), "the last page grows with the log");
        assert!(ready.get(&place(0), 9, 3).is_none(), "something left the audience");
        assert!(ready.get(&Place { names: false, ..place(0) }, 9, 2).is_none());
    }

    #[test]
    fn the_shelf_never_holds_more_than_its_room() {
        let ready = ReadyPages::default();
        for from in 0..100 {
            ready.keep(place(from), None, 0, page(READY_BYTES_MAX / 10));
            ready.keep(place(from), None, 0, page(READY_BYTES_MAX / 10));
            assert!(ready.get(&place(0), 0, 0).is_some(), "what is used stays");
        }
        let shelf = locked(&ready.0);
        assert!(shelf.bytes <= READY_BYTES_MAX && shelf.pages.len() >= 9, "{} pages", shelf.pages.len());
        assert_eq!(shelf.bytes, shelf.pages.values().map(|kept| kept.page.size()).sum::<usize>());
    }
}
