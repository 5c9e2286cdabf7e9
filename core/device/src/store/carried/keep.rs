//! Taking a push of another device in: its signatures are checked, it is kept as it is, and what may be applied is.

use std::collections::BTreeSet;

use foras_record::access::AuthorFacts;
use foras_record::proof;
use foras_record::role::Role;
use foras_wire::audience::AudienceName;
use foras_wire::carried::{CarriedPush, Place};
use foras_wire::frame::to_cbor;
use foras_wire::grant::{Grant, SignedGrant};
use foras_wire::id::{Actor, ChangeHash, Incarnation, PublicKey};
use foras_wire::limits::CARRIED_BYTES_MAX;
use foras_wire::record::RecordKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::identity::Identity;
use super::super::writing::Writing;
use super::super::{Store, rows};
use super::apply::{self, PushAuthor, SetFate};
use super::{APPLIED, CarriedItem, HIDDEN, REFUSED, SETTLED, WAITING, tidy};
use crate::error::Error;

/// What became of a change that another device handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It stands in its record, as provisional.
    Applied,
    /// It is kept, and waits for something that it builds on.
    Waiting,
    /// This device had it.
    Known,
    /// It is not kept: the stable code.
    Refused(&'static str),
}

/// For whom a push was made ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handed {
    /// Whoever hands it over shows what this device may see.
    ForThisDevice,
    /// It may show what this device may not see: what has no place in a record is not kept.
    ForOthers,
}

impl Store {
    /// Takes in a push that another device hands over, durably. Gives what became of each change that it shows.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or a failure of the storage; then nothing of it was kept.
    pub fn keep_carried(&mut self, carried: &CarriedPush, handed: Handed, now_ms: i64) -> Result<Vec<Kept>, Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        let (hashes, grant, facts) = match self.check_carried(&identity, carried, now_ms)? {
            Ok(checked) => checked,
            Err(code) => return Ok(vec![Kept::Refused(code); carried.items.len()]),
        };
        let actor = Actor::of(&grant.key, &carried.incarnation);
        let own: BTreeSet<AudienceName> = identity.audiences().iter().cloned().collect();
        let mut writing = self.writing(now_ms)?;
        let push = keep(&writing, carried, &grant, &hashes)?;
        introduce(writing.connection(), &actor, &grant)?;
        let mut fates = Vec::new();
        let author = PushAuthor { actor, facts };
        apply_open(&mut writing, &author, &own, push, &mut fates)?;
        if handed == Handed::ForOthers {
            forget_waiting(writing.connection(), push)?;
        }
        if fates.iter().any(|(_, fate)| *fate == SetFate::Applied) {
            retry_all(&mut writing, &identity, &own)?;
        }
        let kept = told(writing.connection(), push, carried, &hashes, &fates)?;
        tidy(writing.connection(), push)?;
        let mut changed = writing.commit()?;
        changed.delivery = true;
        self.parked_carried.clear();
        self.observers.tell(&changed);
        Ok(kept)
    }

    /// Whom the push is by, if it holds together and its author is let in.
    #[allow(clippy::type_complexity, reason = "read once, right above")]
    fn check_carried(
        &self,
        identity: &Identity,
        carried: &CarriedPush,
        now_ms: i64,
    ) -> Result<Result<(Vec<ChangeHash>, Grant, AuthorFacts), &'static str>, Error> {
        let hashes = match proof::carried_hashes(carried) {
            Ok(hashes) => hashes,
            Err(error) => return Ok(Err(error.code())),
        };
        let grant = match proof::verify_carried(&identity.server_key(), identity.server(), carried, &hashes) {
            Ok(grant) => grant,
            Err(error) => return Ok(Err(error.code())),
        };
        if let Some(code) = self.shut_out(&grant, now_ms)? {
            return Ok(Err(code));
        }
        if grant.device == identity.grant.device {
            return Ok(Err("own_work"));
        }
        let Ok(facts) = AuthorFacts::of_grant(&grant) else { return Ok(Err("unknown_grant")) };
        let sql = "SELECT coalesce(sum(length(chunk)), 0) FROM carried_item";
        let held: i64 = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        let bytes: usize = carried.items.iter().map(|item| item.chunk.len()).sum();
        if usize::try_from(held).unwrap_or(usize::MAX).saturating_add(bytes) > CARRIED_BYTES_MAX {
            return Ok(Err("carried_full"));
        }
        Ok(Ok((hashes, grant, facts)))
    }

    /// Tries again what waits: something came.
    pub(in crate::store) fn retry_carried(&mut self, now_ms: i64) -> Result<(), Error> {
        let identity = self.identity.clone().ok_or(Error::NotEnrolled)?;
        if !self.connection.prepare_cached("SELECT 1 FROM carried")?.exists([])? {
            return Ok(());
        }
        let own: BTreeSet<AudienceName> = identity.audiences().iter().cloned().collect();
        let mut writing = self.writing(now_ms)?;
        if !retry_all(&mut writing, &identity, &own)? {
            return Ok(());
        }
        let changed = writing.commit()?;
        self.observers.tell(&changed);
        Ok(())
    }
}

/// Writes the push and its changes down; gives its row.
fn keep(writing: &Writing<'_>, carried: &CarriedPush, grant: &Grant, hashes: &[ChangeHash]) -> Result<i64, Error> {
    let connection = writing.connection();
    let sql = "INSERT INTO carried \
               (signature, device, incarnation, grant_revision, epoch, signed_grant, received_ms) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (signature) DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![
        carried.signature.as_bytes(),
        grant.device.as_bytes(),
        carried.incarnation.as_bytes(),
        carried.grant_revision.cast_signed(),
        carried.epoch.cast_signed(),
        to_cbor(&carried.grant),
        writing.now_ms,
    ])?;
    let mut statement = connection.prepare_cached("SELECT row FROM carried WHERE signature = ?1")?;
    let push = statement.query_row([carried.signature.as_bytes()], |row| row.get(0))?;
    let places = carried.places(hashes).map_err(|error| Error::BadAnswer { code: error.code() })?;
    for (position, place) in (0_i64..).zip(&places) {
        keep_place(connection, push, position, place, carried, hashes)?;
    }
    Ok(push)
}

/// Writes one change down. What was a leaf until now may be shown; what is kept already stays as it is.
fn keep_place(
    connection: &Connection,
    push: i64,
    position: i64,
    place: &Place,
    carried: &CarriedPush,
    hashes: &[ChangeHash],
) -> Result<(), Error> {
    let shown = place.shown.and_then(|at| carried.items.get(at).zip(hashes.get(at)));
    let Some((item, hash)) = shown else {
        let sql = "INSERT INTO carried_item (carried, position, change_set, leaf) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (carried, position) DO NOTHING";
        let words = params![push, position, place.change_set, place.leaf.as_bytes()];
        connection.prepare_cached(sql)?.execute(words)?;
        return Ok(());
    };
    let key = &item.record.key;
    let state = state_of(connection, push, key, hash)?;
    let sql = "INSERT INTO carried_item \
               (carried, position, change_set, leaf, state, kind, id, case_id, generation, hash, chunk) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (carried, position) DO UPDATE SET \
               state = excluded.state, kind = excluded.kind, id = excluded.id, case_id = excluded.case_id, \
               generation = excluded.generation, hash = excluded.hash, chunk = excluded.chunk \
               WHERE carried_item.state = 0";
    connection.prepare_cached(sql)?.execute(params![
        push,
        position,
        place.change_set,
        place.leaf.as_bytes(),
        state,
        key.kind.0,
        key.id.as_bytes(),
        rows::case_bytes(&item.record),
        item.record.generation,
        hash.as_bytes(),
        item.chunk,
    ])?;
    Ok(())
}

/// What is known of a change before it is looked at: here already, refused by the server, or new.
fn state_of(connection: &Connection, push: i64, key: &RecordKey, hash: &ChangeHash) -> Result<i64, Error> {
    let sql = "SELECT max(state) FROM carried_item WHERE kind = ?1 AND id = ?2 AND hash = ?3 AND carried <> ?4";
    let words = params![key.kind.0, key.id.as_bytes(), hash.as_bytes(), push];
    let elsewhere: Option<i64> = connection.prepare_cached(sql)?.query_row(words, |row| row.get(0))?;
    if elsewhere == Some(REFUSED) {
        return Ok(REFUSED);
    }
    // Another push brings it to the server.
    let stands = match rows::find(connection, key)? {
        Some((row, _)) => rows::has_change(connection, row, hash)?,
        None => false,
    };
    Ok(if stands || elsewhere.is_some_and(|state| state != HIDDEN) { SETTLED } else { WAITING })
}

/// Applies the sets of a push that wait, in their order, and notes what became of each.
fn apply_open(
    writing: &mut Writing<'_>,
    author: &PushAuthor,
    own: &BTreeSet<AudienceName>,
    push: i64,
    fates: &mut Vec<(i64, SetFate)>,
) -> Result<(), Error> {
    let shown = CarriedItem::of_push(writing.connection(), push)?;
    for set in shown.chunk_by(|before, next| before.change_set == next.change_set) {
        let open: Vec<_> = set.iter().filter(|item| item.state == WAITING).cloned().collect();
        let Some(first) = open.first() else { continue };
        let fate = if set.iter().any(|item| item.state == REFUSED) {
            SetFate::Refused("refused_by_server")
        } else {
            apply::set(writing, author, own, &open)?
        };
        for item in &open {
            match fate {
                SetFate::Applied => applied(writing.connection(), item.row)?,
                SetFate::Waiting => {}
                SetFate::Refused(_) => forget(writing.connection(), item.row)?,
            }
        }
        fates.push((first.change_set, fate));
    }
    Ok(())
}

/// It stands in its record, unless it did before.
fn applied(connection: &Connection, item: i64) -> Result<(), Error> {
    let sql = "UPDATE carried_item SET state = ?2 WHERE row = ?1 AND state = ?3";
    connection.prepare_cached(sql)?.execute(params![item, APPLIED, WAITING])?;
    Ok(())
}

/// Back to a leaf.
fn forget(connection: &Connection, item: i64) -> Result<(), Error> {
    let sql =
        "UPDATE carried_item SET state = 0, kind = 0, id = x'', case_id = x'', hash = x'', chunk = x'' WHERE row = ?1";
    connection.prepare_cached(sql)?.execute([item])?;
    Ok(())
}

/// What waits has no record here that would say whose it is.
fn forget_waiting(connection: &Connection, push: i64) -> Result<(), Error> {
    for item in CarriedItem::of_push(connection, push)?.into_iter().filter(|item| item.state == WAITING) {
        forget(connection, item.row)?;
    }
    Ok(())
}

/// Tries every set that waits, until none moves; whether any did.
fn retry_all(writing: &mut Writing<'_>, identity: &Identity, own: &BTreeSet<AudienceName>) -> Result<bool, Error> {
    let mut any = false;
    loop {
        let mut fates = Vec::new();
        for push in waiting(writing.connection())? {
            if let Some(author) = author_of(writing.connection(), identity, push)? {
                apply_open(writing, &author, own, push, &mut fates)?;
                tidy(writing.connection(), push)?;
            }
        }
        if fates.iter().all(|(_, fate)| *fate == SetFate::Waiting) {
            return Ok(any);
        }
        any = true;
    }
}

fn waiting(connection: &Connection) -> Result<Vec<i64>, Error> {
    let sql = "SELECT DISTINCT carried FROM carried_item WHERE state = 1 ORDER BY carried";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// As whom a push that is kept was made. Its signatures were checked when it came.
fn author_of(connection: &Connection, identity: &Identity, push: i64) -> Result<Option<PushAuthor>, Error> {
    let mut statement = connection.prepare_cached("SELECT signed_grant, incarnation FROM carried WHERE row = ?1")?;
    let found = statement.query_row([push], |row| Ok((row.get::<_, Vec<u8>>(0)?, Incarnation(rows::array(row, 1)?))));
    let Some((signed, incarnation)) = found.optional()? else { return Ok(None) };
    let signed: SignedGrant = minicbor::decode(&signed).map_err(|_| Error::Corrupt { set_aside: None })?;
    let Ok(grant) = proof::verify_grant(&identity.server_key(), &signed) else { return Ok(None) };
    let facts = AuthorFacts::of_grant(&grant).ok();
    Ok(facts.map(|facts| PushAuthor { actor: actor(&grant.key, &incarnation), facts }))
}

fn actor(key: &PublicKey, incarnation: &Incarnation) -> Actor {
    Actor::of(key, incarnation)
}

/// Writes who the author is, as its grant says; what the server told of it stands.
fn introduce(connection: &Connection, actor: &Actor, grant: &Grant) -> Result<(), Error> {
    // As everywhere, migrants are told by their role alone.
    let name = grant.name.as_deref().filter(|_| grant.role != Role::Migrant.code()).unwrap_or_default();
    let sql = "INSERT INTO author (actor, name, role) VALUES (?1, ?2, ?3) ON CONFLICT (actor) DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![actor.as_bytes(), name, grant.role])?;
    Ok(())
}

/// What became of each change that was shown.
fn told(
    connection: &Connection,
    push: i64,
    carried: &CarriedPush,
    hashes: &[ChangeHash],
    fates: &[(i64, SetFate)],
) -> Result<Vec<Kept>, Error> {
    let sql = "SELECT state FROM carried_item WHERE carried = ?1 AND hash = ?2 AND kind = ?3 AND id = ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let mut told = Vec::with_capacity(hashes.len());
    for (item, hash) in carried.items.iter().zip(hashes) {
        let key = &item.record.key;
        let words = params![push, hash.as_bytes(), key.kind.0, key.id.as_bytes()];
        let state: Option<i64> = statement.query_row(words, |row| row.get(0)).optional()?;
        let fate = fates.iter().find(|(set, _)| *set == i64::from(item.change_set)).map(|(_, fate)| *fate);
        told.push(match (state, fate) {
            (Some(APPLIED), Some(_)) => Kept::Applied,
            (Some(WAITING), _) => Kept::Waiting,
            (Some(REFUSED), _) => Kept::Refused("refused_by_server"),
            (None, Some(SetFate::Refused(code))) => Kept::Refused(code),
            (None, Some(SetFate::Waiting)) => Kept::Refused("for_others"),
            _ => Kept::Known,
        });
    }
    Ok(told)
}
