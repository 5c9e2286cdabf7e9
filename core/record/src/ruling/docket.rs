//! The docket: all events of a case that wait, ruled one after the other.

use std::borrow::Cow;

use foras_wire::id::Actor;

use super::{Grounds, PendingEvent, Ruling, Verdict, reason, rule};
use crate::access::AuthorFacts;
use crate::standing::{CaseFile, Ruled, Standing};

/// An event with the ruling that it got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuledEvent {
    /// The event.
    pub event: PendingEvent,
    /// The ruling.
    pub ruling: Ruling,
}

/// A case while its waiting events are ruled.
#[derive(Debug, Clone)]
pub struct Docket {
    /// Events and rulings, growing.
    pub file: CaseFile,
    /// The standing after the rulings so far.
    pub standing: Standing,
}

impl Docket {
    /// The docket of a case.
    #[must_use]
    pub fn of(file: CaseFile) -> Self {
        let standing = Standing::fold(&file);
        Self { file, standing }
    }

    /// Rules every waiting event, causes before effects. An event whose author is not known is void.
    pub fn rule_all(
        &mut self,
        authors: &dyn Fn(&Actor) -> Option<AuthorFacts>,
        grounds: &Grounds<'_>,
    ) -> Vec<RuledEvent> {
        let mut ruled = Vec::new();
        for event in self.file.unruled() {
            let verdict = match authors(&event.actor) {
                Some(author) => rule(&self.file, &self.standing, &event.event, &author, grounds),
                None => Verdict::Void(Cow::Borrowed(reason::NOT_YOURS)),
            };
            let ruling = Ruling { number: self.file.last_ruling() + 1, verdict };
            self.file.rulings.insert(event.id, Ruled { ruling: ruling.clone(), on: grounds.today });
            self.standing = Standing::fold(&self.file);
            ruled.push(RuledEvent { event, ruling });
        }
        ruled
    }
}
