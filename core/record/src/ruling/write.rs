//! Rulings written into the case, as one change of the server.

use foras_wire::id::{Actor, RecordId};

use super::{Destinations, Docket, Grounds, RuledEvent};
use crate::access::AuthorFacts;
use crate::calendar;
use crate::document::{Authored, Document, DocumentError, Edit, Write};
use crate::kinds::case::CASE;
use crate::standing::{CaseFile, Standing};
use crate::value::Value;

/// What ruling a case gave.
#[derive(Debug, Clone)]
pub struct Rulings {
    /// The server's change; none when nothing waited.
    pub authored: Option<Authored>,
    /// Every event that waited, with its ruling, in order.
    pub ruled: Vec<RuledEvent>,
    /// Where the case stands now.
    pub standing: Standing,
}

/// Rules every waiting event of a case and writes the rulings into `document`, as one change of `server` at `time_s`,
/// the server's clock. `authors` tells as whom an actor recorded.
///
/// # Errors
/// [`DocumentError`] when the document does not take the change; it is then as it was.
pub fn rule_document(
    document: &mut Document,
    case: RecordId,
    (server, time_s): (Actor, i64),
    authors: &dyn Fn(&Actor) -> Option<AuthorFacts>,
    destinations: &Destinations,
) -> Result<Rulings, DocumentError> {
    let grounds = Grounds { case, destinations, today: calendar::day_of(time_s) };
    let mut docket = Docket::of(CaseFile::read(document));
    let ruled = docket.rule_all(authors, &grounds);
    let field = CASE.field("ruling").ok_or(DocumentError::UnknownField)?;
    let edits: Vec<Edit> = ruled
        .iter()
        .map(|one| Edit::item(field, one.event.id.to_string(), Write::Put(Value::Text(one.ruling.to_string()))))
        .collect();
    let authored = document.edit(server, time_s, &edits)?;
    Ok(Rulings { authored, ruled, standing: docket.standing })
}
