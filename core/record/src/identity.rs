//! How ids derive from one another. A person's id is random. Who holds it can derive the rest; nobody can go back.

use foras_wire::id::{Actor, Incarnation, PublicKey, RecordId};
use foras_wire::record::{RecordKey, RecordRef};
use sha2::{Digest, Sha256};

use crate::kind::{Identity, Kind};

/// The case of a person.
#[must_use]
pub fn case_of_person(person: &RecordId) -> RecordId {
    RecordId::derived("foras case", person.as_bytes())
}

/// The badge of a person.
#[must_use]
pub fn badge_of_person(person: &RecordId) -> RecordId {
    RecordId::derived("foras badge", person.as_bytes())
}

/// The record of `kind` that a case has one of: its path, project or assessment.
#[must_use]
pub fn of_case(kind: Kind, case: &RecordId) -> RecordId {
    let label = match kind {
        Kind::Path => "foras path",
        Kind::Project => "foras project",
        Kind::Assessment => "foras assessment",
        _ => return *case,
    };
    RecordId::derived(label, case.as_bytes())
}

/// The id of what an author says in the change that begins a record: an event of a case, a version of an assessment. Whoever
/// reads the statement can derive its id, so no random bytes travel. Later ones have random ids: the same may be said twice,
/// and two copies of one phone may say different things. What the id was made of stands beside it, in the same record.
#[must_use]
pub fn statement(author: &Actor, record: &RecordKey, field: &str, value: &str) -> RecordId {
    let digest = Sha256::new()
        .chain_update(b"foras statement\0")
        .chain_update(author.as_bytes())
        .chain_update(record.kind.0.to_be_bytes())
        .chain_update(record.id.as_bytes())
        .chain_update(field.as_bytes())
        .chain_update([0])
        .chain_update(value.as_bytes())
        .finalize();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    RecordId(id)
}

/// The record of `kind` with this id, of this case.
#[must_use]
pub fn record(kind: Kind, id: RecordId, case: Option<RecordId>) -> RecordRef {
    RecordRef { key: RecordKey { kind: kind.code(), id }, case, generation: 0 }
}

/// Whether the id, kind and case of a record agree, as far as they can be checked one-way.
#[must_use]
pub fn agrees(kind: Kind, record: &RecordRef) -> bool {
    let id = &record.key.id;
    match (kind.rule().identity, &record.case) {
        (Identity::Person, Some(case)) => case_of_person(id) == *case,
        (Identity::Case, Some(case)) => id == case,
        (Identity::FromCase, Some(case)) => of_case(kind, case) == *id,
        // A badge's link to its case is one-way from both; the case's staff vouch for it.
        (Identity::FromPerson | Identity::RandomOfCase, Some(_)) | (Identity::Free, None) => true,
        _ => false,
    }
}

/// The server, whose key is `server`, as the author of changes to a record. The epoch is part of it, so that a restored
/// server cannot use its own numbers again. Whoever knows the server's key can derive it; only the server signs as it.
#[must_use]
pub fn server_actor(server: &PublicKey, epoch: u64, record: &RecordKey) -> Actor {
    let digest = Sha256::new()
        .chain_update(record.kind.0.to_be_bytes())
        .chain_update(record.id.as_bytes())
        .chain_update(epoch.to_be_bytes())
        .finalize();
    let mut incarnation = [0; 16];
    incarnation.copy_from_slice(&digest[..16]);
    Actor::of(server, &Incarnation(incarnation))
}
