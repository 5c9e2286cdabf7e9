//! Pushes that hand changes over: own ones signed for the purpose, others' as their authors signed them. Of a change set, what
//! the receiver may not see is proven and not shown.

use std::collections::{BTreeMap, BTreeSet};

use foras_record::proof;
use foras_wire::audience::AudienceName;
use foras_wire::carried::{CarriedPush, HiddenItem};
use foras_wire::grant::SignedGrant;
use foras_wire::id::{ChangeHash, Digest32, Incarnation, Signature64};
use foras_wire::limits::{PUSH_BYTES, PUSH_CHANGES_MAX};
use foras_wire::push::{self, PushItem};
use foras_wire::record::RecordRef;
use rusqlite::{Connection, Row};

use super::super::identity::Identity;
use super::super::meta::{self, name};
use super::super::writing::Writing;
use super::super::{Store, outbox, rows};
use super::offer::{Choice, Sight};
use super::{CarriedItem, REFUSED};
use crate::error::Error;

const DAMAGED: Error = Error::Corrupt { set_aside: None };

/// Changes that go in one push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parcel {
    /// Own change sets, of one incarnation and grant revision.
    Own(BTreeSet<u64>),
    /// Change sets of a push that this device carries.
    Carried {
        /// The push.
        push: i64,
        /// Its sets.
        sets: BTreeSet<i64>,
    },
}

/// An own change with its set.
struct OwnChange {
    incarnation: Incarnation,
    grant_revision: u64,
    record: RecordRef,
    hash: ChangeHash,
    chunk: Vec<u8>,
}

impl OwnChange {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            incarnation: Incarnation(rows::array(row, 0)?),
            grant_revision: row.get::<_, i64>(1)?.cast_unsigned(),
            record: rows::record_ref(row, 2)?,
            hash: ChangeHash(rows::array(row, 6)?),
            chunk: row.get(7)?,
        })
    }

    fn of_set(connection: &Connection, change_set: u64) -> Result<Vec<Self>, Error> {
        let sql = "SELECT incarnation, grant_revision, kind, id, case_id, generation, hash, chunk \
                   FROM outbox WHERE seq >= ?1 AND seq < ?2 AND change_set = ?1 ORDER BY seq";
        let mut statement = connection.prepare_cached(sql)?;
        let set = change_set.cast_signed();
        Ok(statement.query_map([set, outbox::past_set(set)], Self::read)?.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// Groups changes into pushes, in the order in which they build on each other.
    ///
    /// # Errors
    /// A failure of the storage.
    pub fn parcels(&self, choices: &[Choice]) -> Result<Vec<Parcel>, Error> {
        let mut carried: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        let mut own = BTreeSet::new();
        for choice in choices {
            match choice {
                Choice::Carried(row) => {
                    if let Some(item) = CarriedItem::one(&self.connection, *row)? {
                        carried.entry(item.carried).or_default().insert(item.change_set);
                    }
                }
                Choice::Own(seq) => {
                    let sql = "SELECT change_set FROM outbox WHERE seq = ?1";
                    let mut statement = self.connection.prepare_cached(sql)?;
                    let sets = statement.query_map([seq.cast_signed()], |row| row.get::<_, i64>(0))?;
                    own.extend(sets.collect::<Result<Vec<_>, _>>()?.into_iter().map(i64::cast_unsigned));
                }
            }
        }
        let mut parcels: Vec<_> = carried.into_iter().map(|(push, sets)| Parcel::Carried { push, sets }).collect();
        parcels.extend(self.own_parcels(&own)?);
        Ok(parcels)
    }

    fn own_parcels(&self, sets: &BTreeSet<u64>) -> Result<Vec<Parcel>, Error> {
        let (mut parcels, mut open, mut scope, mut bytes, mut count) = (Vec::new(), BTreeSet::new(), None, 0, 0);
        for set in sets {
            let changes = OwnChange::of_set(&self.connection, *set)?;
            let Some(first) = changes.first() else { continue };
            let own_bytes: usize = changes.iter().map(|change| change.chunk.len()).sum();
            let own_scope = Some((first.incarnation, first.grant_revision));
            let full = bytes + own_bytes > PUSH_BYTES || count + changes.len() > PUSH_CHANGES_MAX;
            if !open.is_empty() && (full || own_scope != scope) {
                parcels.push(Parcel::Own(std::mem::take(&mut open)));
                (bytes, count) = (0, 0);
            }
            scope = own_scope;
            bytes += own_bytes;
            count += changes.len();
            open.insert(*set);
        }
        if !open.is_empty() {
            parcels.push(Parcel::Own(open));
        }
        Ok(parcels)
    }

    /// The push of a parcel, showing what somebody may see who holds `audiences`; `None` when nothing is left of it.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage.
    pub fn push_of(
        &mut self,
        parcel: &Parcel,
        audiences: &BTreeSet<AudienceName>,
        now_ms: i64,
    ) -> Result<Option<CarriedPush>, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let mut writing = self.writing(now_ms)?;
        let mut sight = Sight::of(audiences);
        match parcel {
            Parcel::Own(sets) => own_push(&mut writing, &identity, sets, &mut sight),
            Parcel::Carried { push, sets } => {
                let mut shown = BTreeSet::new();
                for item in CarriedItem::of_push(writing.connection(), *push)? {
                    if sets.contains(&item.change_set) && sight.sees(&mut writing, &item.record)? {
                        shown.insert(item.row);
                    }
                }
                carried_push(writing.connection(), *push, |item| shown.contains(&item.row))
            }
        }
    }
}

/// Own sets, signed.
fn own_push(
    writing: &mut Writing<'_>,
    identity: &Identity,
    sets: &BTreeSet<u64>,
    sight: &mut Sight<'_>,
) -> Result<Option<CarriedPush>, Error> {
    let grant: SignedGrant = meta::get_cbor(writing.connection(), name::GRANT)?.ok_or(Error::NotEnrolled)?;
    let mut push = CarriedPush {
        grant,
        epoch: identity.epoch,
        incarnation: identity.incarnation,
        grant_revision: identity.grant.revision,
        items: Vec::new(),
        hidden: Vec::new(),
        signature: Signature64([0; 64]),
    };
    let mut hashes = Vec::new();
    for (change_set, set) in (0_u32..).zip(sets) {
        for change in OwnChange::of_set(writing.connection(), *set)? {
            (push.incarnation, push.grant_revision) = (change.incarnation, change.grant_revision);
            let position = u32::try_from(push.items.len() + push.hidden.len()).unwrap_or(u32::MAX);
            if sight.sees(writing, &change.record)? {
                hashes.push(change.hash);
                push.items.push(PushItem { record: change.record, change_set, chunk: change.chunk });
            } else {
                push.hidden.push(HiddenItem { position, change_set, leaf: push::leaf(&change.record, &change.hash) });
            }
        }
    }
    if push.items.is_empty() {
        return Ok(None);
    }
    proof::sign_carried(&identity.key, &mut push, identity.server(), &hashes).map_err(|_| DAMAGED)?;
    Ok(Some(push))
}

/// A push that is carried, as its author signed it, showing what `shows` says.
pub(super) fn carried_push(
    connection: &Connection,
    push: i64,
    mut shows: impl FnMut(&CarriedItem) -> bool,
) -> Result<Option<CarriedPush>, Error> {
    let Some(mut carried) = head(connection, push)? else { return Ok(None) };
    let shown: BTreeMap<i64, CarriedItem> = CarriedItem::of_push(connection, push)?
        .into_iter()
        .filter(|item| !item.chunk.is_empty() && item.state != REFUSED)
        .map(|item| (item.position, item))
        .collect();
    for (position, change_set, leaf) in leaves(connection, push)? {
        let number = u32::try_from(change_set).map_err(|_| DAMAGED)?;
        match shown.get(&position) {
            Some(item) if shows(item) => {
                carried.items.push(PushItem { record: item.record, change_set: number, chunk: item.chunk.clone() });
            }
            _ => {
                let position = u32::try_from(position).map_err(|_| DAMAGED)?;
                carried.hidden.push(HiddenItem { position, change_set: number, leaf });
            }
        }
    }
    Ok((!carried.items.is_empty()).then_some(carried))
}

fn head(connection: &Connection, push: i64) -> Result<Option<CarriedPush>, Error> {
    let sql = "SELECT signed_grant, epoch, incarnation, grant_revision, signature FROM carried WHERE row = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query([push])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let grant: Vec<u8> = row.get(0)?;
    Ok(Some(CarriedPush {
        grant: minicbor::decode(&grant).map_err(|_| DAMAGED)?,
        epoch: row.get::<_, i64>(1)?.cast_unsigned(),
        incarnation: Incarnation(rows::array(row, 2)?),
        grant_revision: row.get::<_, i64>(3)?.cast_unsigned(),
        items: Vec::new(),
        hidden: Vec::new(),
        signature: Signature64(rows::array(row, 4)?),
    }))
}

/// Position, change set and leaf of every change of the push.
fn leaves(connection: &Connection, push: i64) -> Result<Vec<(i64, i64, Digest32)>, Error> {
    let sql = "SELECT position, change_set, leaf FROM carried_item WHERE carried = ?1 ORDER BY position";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map([push], |row| Ok((row.get(0)?, row.get(1)?, Digest32(rows::array(row, 2)?))))?;
    Ok(found.collect::<Result<_, _>>()?)
}
