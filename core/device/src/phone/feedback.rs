//! What people thought of a session: handed in beside the push, without a sender.

use foras_record::calendar;
use foras_record::document::Document;
use foras_record::field::ValueType;
use foras_record::kind::Kind;
use foras_record::value;
use serde::Serialize;

use super::{Phone, register, setting};
use crate::error::Error;

/// An answer that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HandedIn {
    /// Always true: it is durable, and travels with the next sync.
    pub deposited: bool,
}

/// The content of a deposit. It names no person, no case and no device. The kind `feedback` says what the fields mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Answer {
    pub(super) point: String,
    pub(super) programme: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) module: Option<String>,
    pub(super) satisfied: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
    /// The session's day: figures count session facts by it.
    pub(super) day: String,
}

impl Answer {
    pub(super) fn body(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Error::Misuse("the answer cannot be written down"))
    }
}

impl Phone {
    /// Hands in an answer to the satisfaction survey of a session: yes, no or none (asked, but not answered).
    ///
    /// # Errors
    /// [`Error::Misuse`] for another answer, [`Error::NotFound`], [`Error::InvalidValue`]; nothing is then kept.
    pub fn feedback(&mut self, session: &str, satisfied: &str, language: Option<&str>) -> Result<HandedIn, Error> {
        if !matches!(satisfied, "yes" | "no" | "none") {
            return Err(Error::Misuse("an answer is yes, no or none"));
        }
        let language = language.map(|text| value::check(&ValueType::Language, text)).transpose();
        let language = language
            .map_err(|error| Error::InvalidValue { code: error.code(), field: Some("language") })?
            .map(|value| setting::plain(&value));
        let session = self.session(session)?;
        let document = self.document(&session.key)?.ok_or(Error::NotFound)?;
        let point = field(&document, "point").ok_or(Error::Misuse("the session has no point"))?;
        let start = field(&document, "start").and_then(|start| value::instant_s(&start));
        let day = start.map_or_else(|| self.today(), calendar::day_of);
        let answer = Answer {
            point,
            programme: register::programme_on(day).to_owned(),
            session: Some(session.key.id.to_string()),
            module: field(&document, "module"),
            satisfied: satisfied.to_owned(),
            language,
            day: day.to_string(),
        };
        self.store.deposit(&answer.body()?)?;
        Ok(HandedIn { deposited: true })
    }
}

fn field(session: &Document, name: &str) -> Option<String> {
    session.value_text(Kind::Session.rule().field(name)?)
}
