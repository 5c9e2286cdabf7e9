//! Who creates records of a kind, and who writes which field of them.

use super::site::Site;
use super::written::Written;
use super::{AccessError, AuthorFacts, Relation};
use crate::document::{Document, Edit, Write};
use crate::field::{FieldRule, Writer};
use crate::kind::{Identity, Kind};
use crate::role::Role;

/// Whether `author`, so related to the record, is one of `writers`.
fn is_one_of(writers: &[Writer], author: &AuthorFacts, relation: Relation) -> bool {
    writers.iter().any(|writer| match writer {
        Writer::Role(Role::Server) => author.role == Role::Server,
        Writer::Role(role) => author.role == *role && relation.at_place,
        Writer::Holder => author.role == Role::OriginCounsellor && relation.holder,
        Writer::OpenedMission => author.role == Role::OriginCounsellor && relation.opened,
        Writer::Own => author.role == Role::Migrant && relation.own,
    })
}

/// Whether the author may write this field of a record.
///
/// # Errors
/// [`AccessError::FieldNotAllowed`].
pub fn may_write(field: &'static FieldRule, author: &AuthorFacts, relation: Relation) -> Result<(), AccessError> {
    if is_one_of(field.writers, author, relation) { Ok(()) } else { Err(AccessError::FieldNotAllowed(field.name)) }
}

/// Whether the author may create a record of this kind.
///
/// # Errors
/// [`AccessError::CreationNotAllowed`].
pub fn may_create(kind: Kind, author: &AuthorFacts, relation: Relation) -> Result<(), AccessError> {
    if is_one_of(kind.rule().creators, author, relation) { Ok(()) } else { Err(AccessError::CreationNotAllowed) }
}

/// Whether a device's own edits of a record are allowed, asked before they are written. A record that nobody has
/// written yet is created.
///
/// # Errors
/// [`AccessError`] for the first edit that is not.
pub fn check_edits(
    before: &Document,
    edits: &[Edit],
    author: &AuthorFacts,
    relation: Relation,
) -> Result<(), AccessError> {
    let mut writes = Vec::with_capacity(edits.len());
    for edit in edits {
        let field = before.kind().rule().field(edit.field.name).ok_or(AccessError::UnknownField)?;
        let value = if let Write::Put(value) = &edit.write { Some(value) } else { None };
        writes.push(Written { field, value });
    }
    permit(before, &writes, author, relation)
}

/// The rule that edits and foreign changes share.
pub(super) fn permit(
    before: &Document,
    writes: &[Written<'_>],
    author: &AuthorFacts,
    relation: Relation,
) -> Result<(), AccessError> {
    let kind = before.kind();
    let creating = !before.is_written();
    if creating {
        may_create(kind, author, relation)?;
    }
    for written in writes {
        may_write(written.field, author, relation)?;
    }
    if kind.rule().identity == Identity::Free {
        let site = Site::of(before);
        let stays = creating || site.is_site_of(author);
        if !stays || !site.after(writes).is_site_of(author) {
            return Err(AccessError::OtherPlace);
        }
    }
    Ok(())
}
