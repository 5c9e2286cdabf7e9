//! One record as a small CRDT document of one kind: flat root keys of scalars, and text objects for co-edited prose.
//!
//! Every replica makes the same first change of a kind itself, the *genesis*: a fixed actor, time 0, no operations but
//! the text objects. It never travels. Without it, two phones that make one text object would hide one side.

mod content;
mod edit;
mod error;
mod genesis;
mod read;
mod replayed;
mod scalar;
mod state;
mod trial;
mod write;

pub use content::{Content, Entry};
pub use edit::{Authored, Edit, Plan, Write};
pub use error::DocumentError;
pub use genesis::{genesis, genesis_actor, genesis_max_op, genesis_text};
pub use state::{FieldState, Held, ItemState};
pub use write::text_steps;

use std::sync::OnceLock;

use automerge::{Automerge, Change, LoadOptions, ReadDoc, TextEncoding};
use foras_wire::id::ChangeHash;

use crate::kind::Kind;

/// How text is indexed, the same on every platform: their defaults differ.
const ENCODING: TextEncoding = TextEncoding::UnicodeCodePoint;

/// A record's document. Cloning copies it whole.
#[derive(Clone)]
pub struct Document {
    kind: Kind,
    doc: Automerge,
    /// The content, once it was read, as it stands since: see [`Document::content_kept`].
    kept: OnceLock<Content>,
}

impl std::fmt::Debug for Document {
    /// Kind and heads only: what a record says is personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document").field("kind", &self.kind).field("heads", &self.heads()).finish_non_exhaustive()
    }
}

impl Document {
    /// A record of `kind` that nobody has written yet: its genesis only.
    #[must_use]
    pub fn empty(kind: Kind) -> Self {
        Self { kind, doc: genesis::document(kind), kept: OnceLock::new() }
    }

    /// The document that [`Self::save`] gave. Only own bytes: a document from elsewhere never comes here.
    ///
    /// # Errors
    /// [`DocumentError::Unreadable`] for torn bytes, [`DocumentError::OtherKind`] when its genesis is another kind's.
    pub fn load(kind: Kind, bytes: &[u8]) -> Result<Self, DocumentError> {
        let options = LoadOptions::new().text_encoding(ENCODING);
        let doc = Automerge::load_with_options(bytes, options).map_err(|_| DocumentError::Unreadable)?;
        let document = Self { kind, doc, kept: OnceLock::new() };
        // A torn file loads as nothing, so its emptiness has to be looked for.
        if document.heads().is_empty() {
            return Err(DocumentError::Unreadable);
        }
        if !document.has_change(&genesis(kind)) {
            return Err(DocumentError::OtherKind);
        }
        Ok(document)
    }

    /// The document that these changes make, which this replica has admitted: dependencies first.
    ///
    /// # Errors
    /// [`DocumentError::NotAChange`], or [`DocumentError::Missing`] when a dependency is not among them.
    pub fn replay<'c>(kind: Kind, chunks: impl IntoIterator<Item = &'c [u8]>) -> Result<Self, DocumentError> {
        let mut document = Self::empty(kind);
        let chunks: Vec<&[u8]> = chunks.into_iter().collect();
        document.apply(&chunks)?;
        Ok(document)
    }

    /// Applies changes that admission has let in. On an error the document is spoilt: use a clone.
    pub(crate) fn apply(&mut self, chunks: &[&[u8]]) -> Result<(), DocumentError> {
        let changes: Result<Vec<Change>, _> = chunks.iter().map(|chunk| Change::try_from(*chunk)).collect();
        let changes = changes.map_err(|_| DocumentError::NotAChange)?;
        let hashes: Vec<_> = changes.iter().map(Change::hash).collect();
        self.kept.take();
        self.doc.apply_changes(changes).map_err(|_| DocumentError::NotApplied)?;
        // Changes whose dependencies are missing are queued in silence.
        match hashes.iter().all(|hash| self.doc.get_change_meta_by_hash(hash).is_some()) {
            true => Ok(()),
            false => Err(DocumentError::Missing),
        }
    }

    /// The document's bytes, uncompressed: what travels or is stored is compressed once, outside.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.doc.save_nocompress()
    }

    /// The kind of record.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The changes that no other change follows, sorted.
    #[must_use]
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.doc.get_heads().into_iter().map(|hash| ChangeHash(hash.0)).collect()
    }

    /// Whether this change is part of the document.
    #[must_use]
    pub fn has_change(&self, hash: &ChangeHash) -> bool {
        self.doc.get_change_meta_by_hash(&automerge::ChangeHash(hash.0)).is_some()
    }

    /// Whether anybody has written the record: it has more than its genesis.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.heads() != [genesis(self.kind)]
    }

    /// How many keys the document holds.
    #[must_use]
    pub fn keys_count(&self) -> usize {
        self.doc.length(automerge::ROOT)
    }
}

#[cfg(test)]
pub(crate) mod tests;
