//! Rulings: the events that came with a change set are ruled in the same transaction, by the server as an author of
//! its own.

use std::collections::BTreeMap;

use foras_record::access::AuthorFacts;
use foras_record::change;
use foras_record::ruling::{Rulings, rule_document};
use foras_record::standing::CaseFile;
use foras_wire::id::{Actor, RecordId};
use foras_wire::record::RecordKey;
use rusqlite::Connection;

use super::{Intake, SetAuthor, Touched};
use crate::error::ServerError;
use crate::grants;
use crate::storage::authors;
use crate::storage::devices;

const BAD: ServerError = ServerError::Corrupt("a ruling could not be written");

impl Intake<'_> {
    /// Rules every waiting event of the case, and writes the rulings in one change.
    pub(super) fn rule(
        &self,
        case: RecordId,
        touched: &mut Touched,
        author: &SetAuthor,
    ) -> Result<Rulings, ServerError> {
        let mut document = touched.history.document().clone();
        let mut facts = BTreeMap::new();
        for waiting in CaseFile::read(&document).unruled() {
            facts.insert(waiting.actor, self.facts_of(&waiting.actor, &touched.record.key, author)?);
        }
        let server = self.keys.actor(&touched.record.key);
        let known = |actor: &Actor| facts.get(actor).cloned().flatten();
        let rulings =
            rule_document(&mut document, case, (server, self.now_s()), &known, &self.destinations).map_err(|_| BAD)?;
        if let Some(authored) = &rulings.authored {
            let parsed = change::parse(&authored.chunk).map_err(|_| BAD)?;
            touched.history.authored(document, &parsed);
        }
        Ok(rulings)
    }

    /// As whom an event was written: the author of this push, or what is known of an earlier one.
    fn facts_of(
        &self,
        actor: &Actor,
        case: &RecordKey,
        author: &SetAuthor,
    ) -> Result<Option<AuthorFacts>, ServerError> {
        if author.actor == *actor {
            return Ok(Some(author.facts.clone()));
        }
        if self.keys.was(case, actor) { Ok(Some(AuthorFacts::server())) } else { stored_facts(self.db, actor) }
    }
}

fn stored_facts(db: &Connection, actor: &Actor) -> Result<Option<AuthorFacts>, ServerError> {
    let Some(author) = authors::get(db, actor)? else { return Ok(None) };
    let Some(device) = author.device else { return Ok(Some(AuthorFacts::server())) };
    let Some(device) = devices::get(db, &device)? else { return Ok(None) };
    let grant = grants::of_revision(db, &device.device, device.revision)?;
    Ok(grant.and_then(|(grant, ..)| AuthorFacts::of_grant(&grant).ok()))
}
