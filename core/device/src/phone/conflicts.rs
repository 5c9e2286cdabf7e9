//! Fields that hold concurrent values, until somebody settles them by an edit.

use std::collections::BTreeMap;

use foras_record::kind::Kind;
use serde::Serialize;

use super::show::{Fields, ValueShown};
use super::{Listing, PAGE_ROWS, Phone};
use crate::error::Error;

/// A record with concurrent values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The case, or the record itself where it is about nobody.
    pub id: String,
    /// Its kind.
    pub kind: &'static str,
    /// The record.
    pub record: String,
    /// The fields in question, as [`Phone::show`] shows them.
    pub fields: BTreeMap<String, ValueShown>,
}

impl Phone {
    /// One page of the records whose fields hold concurrent values.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`]; [`Error::Locked`] when the lease is spent; [`Error::Misuse`] for page 0.
    pub fn conflicts(&mut self, page: u32) -> Result<Listing<Conflict>, Error> {
        self.readable()?;
        if page == 0 {
            return Err(Error::Misuse("pages count from 1"));
        }
        let found = self.store.conflicts()?;
        let rows = PAGE_ROWS as usize;
        let total = found.len() as u64;
        let mut items = Vec::new();
        for record in found.into_iter().skip((page as usize - 1).saturating_mul(rows)).take(rows) {
            let Some(kind) = Kind::of_code(record.key.kind) else { continue };
            let Some(document) = self.document(&record.key)? else { continue };
            let mut fields =
                Fields { store: &self.store, record: record.key, authors: BTreeMap::new() }.of(kind, &document)?;
            fields.retain(|_, value| !value.others.is_empty());
            let id = record.case.unwrap_or(record.key.id).to_string();
            items.push(Conflict { id, kind: kind.name(), record: record.key.id.to_string(), fields });
        }
        let pages = u32::try_from(total.div_ceil(u64::from(PAGE_ROWS))).unwrap_or(u32::MAX).max(1);
        Ok(Listing { items, page, pages, total })
    }
}
