//! Notes of counselling interviews.

use foras_record::document::{Edit, Write, text_steps};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::value::{self, Value};
use serde::Serialize;

use super::{Phone, setting};
use crate::error::Error;
use crate::store::{Action, RecordEdits};

/// Operations of a note's first change beside its characters.
const OTHER_OPERATIONS: usize = 1;

/// A note that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// The note.
    pub id: String,
}

impl Phone {
    /// Notes a counselling interview that was held today.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::InvalidValue`] or [`Error::NotAllowed`]; nothing is then written.
    pub fn note(&mut self, id: &str, text: &str) -> Result<Noted, Error> {
        let case = self.case(id)?;
        let field = |name| Kind::Note.rule().field(name).ok_or(Error::Misuse("the record has no such field"));
        let (text_field, held_on) = (field("text")?, field("held_on")?);
        let text = value::check(&text_field.value, text).map_err(|error| setting::invalid(text_field, error.code()))?;
        let note = self.new_id()?;
        let record = identity::record(Kind::Note, note, Some(case));
        let mut held_on = Some(Edit::of(held_on, Write::Put(Value::Text(self.today().to_string()))));
        // One change holds only so many characters: a long note is several, with one flush to the disk.
        let step = |text| {
            let edits = [Edit::of(text_field, Write::Text(text))].into_iter().chain(held_on.take()).collect();
            Action { set: vec![RecordEdits { record, edits }], ..Action::default() }
        };
        let steps: Vec<_> = text_steps("", &setting::plain(&text), OTHER_OPERATIONS).into_iter().map(step).collect();
        for written in self.store.commit_each(self.now_ms(), &steps)? {
            written?;
        }
        Ok(Noted { id: note.to_string() })
    }
}
