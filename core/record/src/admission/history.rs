//! What is known of one record: its document and the changes that made it.

use std::collections::BTreeMap;

use foras_wire::id::{Actor, ChangeHash};

use crate::change::{self, ChangeError, Lineage, OpId, ParsedChange};
use crate::document::{self, Document, DocumentError, Plan};
use crate::kind::Kind;

/// The header of a change that was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownChange {
    /// Its author.
    pub actor: Actor,
    /// Its number among the author's changes to this record, from 1.
    pub seq: u64,
    /// The highest operation counter that it, or what it builds on, reaches.
    pub max_op: u64,
    /// What it builds on.
    pub deps: Vec<ChangeHash>,
}

/// Own rows that no longer make a record: the store is damaged.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A stored chunk is no change any more.
    #[error("a stored change is damaged: {0}")]
    Change(#[from] ChangeError),
    /// The stored document does not load, or is not what the changes make.
    #[error("a stored document is damaged: {0}")]
    Document(#[from] DocumentError),
}

/// A record as admission sees it.
#[derive(Debug, Clone)]
pub struct History {
    document: Document,
    known: BTreeMap<ChangeHash, KnownChange>,
    last: BTreeMap<Actor, (u64, ChangeHash)>,
    lineage: Lineage,
    chunks: Vec<Vec<u8>>,
}

impl History {
    /// A record of `kind` that nobody has written yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let (hash, actor) = (document::genesis(kind), document::genesis_actor(kind));
        let text = |name: &str| {
            let (counter, actor) = document::genesis_text(kind, name)?;
            Some((OpId { counter, actor }, name.to_owned()))
        };
        let texts = kind.rule().fields.iter().filter_map(|field| text(field.name));
        let genesis = KnownChange { actor, seq: 1, max_op: document::genesis_max_op(kind), deps: Vec::new() };
        Self {
            document: Document::empty(kind),
            known: BTreeMap::from([(hash, genesis)]),
            last: BTreeMap::from([(actor, (1, hash))]),
            lineage: Lineage::begin(hash, texts),
            chunks: Vec::new(),
        }
    }

    /// A record from this side's own rows: the document that it saved, where it did, and every admitted chunk,
    /// dependencies first.
    ///
    /// # Errors
    /// [`HistoryError`] when the rows are damaged.
    pub fn restore(kind: Kind, saved: Option<&[u8]>, chunks: Vec<Vec<u8>>) -> Result<Self, HistoryError> {
        let mut history = Self::new(kind);
        for chunk in &chunks {
            history.note(&change::parse(chunk)?);
        }
        let loaded = match saved {
            // A torn file loads as an older or an empty document, so its heads are checked.
            Some(bytes) => Document::load(kind, bytes).ok().filter(|document| document.heads() == history.heads()),
            None => None,
        };
        history.document = match loaded {
            Some(document) => document,
            None => Document::replay(kind, chunks.iter().map(Vec::as_slice))?,
        };
        history.chunks = chunks;
        Ok(history)
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The document, given away.
    #[must_use]
    pub fn into_document(self) -> Document {
        self.document
    }

    /// Every admitted chunk, dependencies first, without the genesis.
    #[must_use]
    pub fn chunks(&self) -> &[Vec<u8>] {
        &self.chunks
    }

    /// Whether nobody has written the record yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Whether the change is part of the record.
    #[must_use]
    pub fn knows(&self, hash: &ChangeHash) -> bool {
        self.known.contains_key(hash)
    }

    /// The header of a change that is part of the record.
    #[must_use]
    pub fn known(&self, hash: &ChangeHash) -> Option<&KnownChange> {
        self.known.get(hash)
    }

    /// The author's last change to this record, and its number.
    #[must_use]
    pub fn last_of(&self, actor: &Actor) -> Option<(u64, ChangeHash)> {
        self.last.get(actor).copied()
    }

    /// Changes that nothing builds on, sorted.
    #[must_use]
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.lineage.heads().iter().copied().collect()
    }

    /// What `change` builds on and the record does not have.
    #[must_use]
    pub fn missing(&self, change: &ParsedChange) -> Vec<ChangeHash> {
        change.deps.iter().filter(|dep| !self.knows(dep)).copied().collect()
    }

    /// The record's changes and operations, as later ones may refer to them.
    pub(super) fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// Adds an own, just authored change, whose effect `document` already holds.
    pub fn authored(&mut self, document: Document, change: &ParsedChange) {
        self.note(change);
        self.chunks.push(change.bytes().to_vec());
        self.document = document;
    }

    /// Writes what was planned for the document as it is now, in place: nothing is copied.
    ///
    /// # Errors
    /// [`HistoryError`]; the history is then useless, and is read again from its rows.
    pub fn carry_out(&mut self, actor: Actor, time_s: i64, plan: &Plan) -> Result<ParsedChange, HistoryError> {
        let authored = self.document.carry_out(actor, time_s, plan)?;
        let change = change::parse(&authored.chunk)?;
        self.note(&change);
        self.chunks.push(authored.chunk);
        Ok(change)
    }

    /// Applies a change that was checked; false when automerge did not take it. The history is then useless.
    pub(super) fn apply(&mut self, change: &ParsedChange) -> bool {
        let taken = self.document.apply(&[change.bytes()]).is_ok() && self.document.has_change(&change.hash);
        self.note(change);
        self.chunks.push(change.bytes().to_vec());
        taken
    }

    /// Adds a change that was checked; the document does not hold it before [`History::replay`].
    pub(super) fn note_chunk(&mut self, change: &ParsedChange) {
        self.note(change);
        self.chunks.push(change.bytes().to_vec());
    }

    /// Makes the document of all chunks; false when automerge does not take them.
    pub(super) fn replay(&mut self) -> bool {
        let replayed = Document::replay(self.document.kind(), self.chunks.iter().map(Vec::as_slice));
        replayed.map(|document| self.document = document).is_ok()
    }

    fn note(&mut self, change: &ParsedChange) {
        let header =
            KnownChange { actor: change.actor, seq: change.seq, max_op: change.max_op(), deps: change.deps.clone() };
        self.known.insert(change.hash, header);
        self.lineage.add(change);
        let last = self.last.entry(change.actor).or_insert((change.seq, change.hash));
        if change.seq >= last.0 {
            *last = (change.seq, change.hash);
        }
    }
}
