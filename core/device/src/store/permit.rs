//! Whether this device's grant allows an edit: the same rules that the server applies, before anything is written.

use std::collections::BTreeSet;

use foras_record::access::{self, AccessError, AuthorFacts, Relation};
use foras_record::audience::Audience;
use foras_record::change::ParsedChange;
use foras_record::document::{Document, Edit};
use foras_record::kind::Kind;
use foras_record::standing::Standing;
use foras_wire::id::RecordId;
use foras_wire::record::RecordRef;
use rusqlite::Connection;

use super::identity::Identity;
use super::writing::Writing;
use crate::error::Error;

/// What the grant says of this device's person.
pub(super) fn facts(identity: &Identity) -> Result<AuthorFacts, Error> {
    AuthorFacts::of_grant(&identity.grant).map_err(|_| Error::BadAnswer { code: "unknown_role" })
}

/// How the person relates to the record. Who registers a case relates to it by that registration, so a
/// case is looked at as the edit leaves it.
pub(super) fn relation(
    writing: &mut Writing<'_>,
    facts: &AuthorFacts,
    kind: Kind,
    record: &RecordRef,
    after: &Document,
) -> Result<Relation, Error> {
    let Some(case) = record.case else {
        return Ok(Relation::of(facts, kind, None, writing.take(kind, record)?.history.document()));
    };
    let standing = match kind {
        Kind::Case => Some(Standing::of(after)),
        _ => writing.standing(&case)?,
    };
    match standing {
        Some(standing) => Ok(Relation::of(facts, kind, Some((case, &standing)), after)),
        None => Ok(Relation::of_audiences(facts, &audiences_of_case(writing.connection(), &case)?)),
    }
}

/// How the person relates to a record of a case that nothing in this edit moves.
pub(super) fn relation_to_case(
    writing: &mut Writing<'_>,
    facts: &AuthorFacts,
    kind: Kind,
    record: &RecordRef,
    case: &RecordId,
) -> Result<Relation, Error> {
    match writing.standing(case)? {
        Some(standing) => {
            let document = writing.take(kind, record)?.history.document();
            Ok(Relation::of(facts, kind, Some((*case, &standing)), document))
        }
        None => Ok(Relation::of_audiences(facts, &audiences_of_case(writing.connection(), case)?)),
    }
}

/// Audiences through which the device holds anything of the case.
pub(super) fn audiences_of_case(connection: &Connection, case: &RecordId) -> Result<BTreeSet<Audience>, Error> {
    let sql = "SELECT DISTINCT holding.audience FROM holding JOIN record ON record.row = holding.record \
               WHERE record.case_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let names = statement.query_map([case.as_bytes()], |row| row.get::<_, String>(0))?;
    let names = names.collect::<Result<Vec<_>, _>>()?;
    Ok(names.iter().filter_map(|name| Audience::of_name(&name.parse().ok()?)).collect())
}

/// Refuses edits that the grant does not allow, those that would change nothing too.
pub(super) fn edits(before: &Document, edits: &[Edit], facts: &AuthorFacts, relation: Relation) -> Result<(), Error> {
    access::check_edits(before, edits, facts, relation).map_err(|error| match of_access(error) {
        // Where the record may not come about, every field of it is forbidden; the first is named.
        Error::NotAllowed { code, field } => {
            Error::NotAllowed { code, field: field.or(edits.first().map(|edit| edit.field.name)) }
        }
        other => other,
    })
}

/// Refuses a change that the server would refuse.
pub(super) fn change(
    change: &ParsedChange,
    before: &Document,
    facts: &AuthorFacts,
    relation: Relation,
) -> Result<(), Error> {
    access::check_change(change, before, facts, relation).map_err(of_access)
}

fn of_access(error: AccessError) -> Error {
    let (code, field) = (error.code(), error.field());
    if error.is_denial() { Error::NotAllowed { code, field } } else { Error::InvalidValue { code, field } }
}
