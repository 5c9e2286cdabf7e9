//! Notes of counselling interviews.

use foras_record::document::{Edit, Write};
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::value::{self, Value};
use serde::Serialize;

use super::{Phone, setting};
use crate::error::Error;
use crate::store::RecordEdits;

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
        let edits = vec![
            Edit::of(text_field, Write::Text(setting::plain(&text))),
            Edit::of(held_on, Write::Put(Value::Text(self.today().to_string()))),
        ];
        let record = identity::record(Kind::Note, note, Some(case));
        self.store.commit(self.now_ms(), &[RecordEdits { record, edits }])?;
        Ok(Noted { id: note.to_string() })
    }
}
