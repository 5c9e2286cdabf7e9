//! Which audiences a record has, as far as this device can know: those by which it holds the record, and those that follow
//! from where its case stands. A registration that waits for its ruling counts as if it were ruled valid.

use std::collections::BTreeSet;

use foras_record::access;
use foras_record::audience::Audience;
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_wire::audience::AudienceName;
use foras_wire::id::RecordId;
use foras_wire::record::{RecordKey, RecordRef};
use rusqlite::{Connection, params};

use super::super::permit;
use super::super::writing::Writing;
use crate::error::Error;

/// The audiences of `record`; none where nothing is known of its case.
pub(super) fn audiences(
    writing: &mut Writing<'_>,
    kind: Kind,
    record: &RecordRef,
) -> Result<BTreeSet<AudienceName>, Error> {
    let mut names = held(writing.connection(), &record.key)?;
    let standing = match record.case {
        Some(case) => foreseen(writing, &case)?,
        None => None,
    };
    if record.case.is_some() && standing.is_none() {
        return Ok(names);
    }
    let document = writing.take(kind, record)?.history.document();
    let follow = access::audiences(kind, standing.as_ref(), record.case, document);
    names.extend(follow.into_iter().map(Audience::name));
    Ok(names)
}

/// Where the case stands, or will once its registration is ruled; without the case itself, where its other records are
/// held.
fn foreseen(writing: &mut Writing<'_>, case: &RecordId) -> Result<Option<Standing>, Error> {
    if let Some(mut standing) = writing.standing(case)? {
        if standing.points.is_empty() {
            standing.points.extend(standing.awaiting_point);
        }
        return Ok(Some(standing));
    }
    let held = permit::audiences_of_case(writing.connection(), case)?;
    let point = |audience: &Audience| match audience {
        Audience::Roster(point) | Audience::Programme(point) => Some(*point),
        Audience::Casework(place) | Audience::Protection(place) => place.point(),
        Audience::Public | Audience::Person(_) => None,
    };
    let points: BTreeSet<_> = held.iter().filter_map(point).collect();
    Ok((!points.is_empty()).then(|| Standing { points, ..Standing::default() }))
}

fn held(connection: &Connection, key: &RecordKey) -> Result<BTreeSet<AudienceName>, Error> {
    let sql = "SELECT holding.audience FROM holding JOIN record ON record.row = holding.record \
               WHERE record.kind = ?1 AND record.id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let names = statement.query_map(params![key.kind.0, key.id.as_bytes()], |row| row.get::<_, String>(0))?;
    let names = names.collect::<Result<Vec<_>, _>>()?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}
