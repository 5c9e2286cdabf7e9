//! The phone, as an app holds it.

use std::path::Path;
use std::sync::Arc;

use crate::errand::Errands;
use crate::error::ForasError;
use crate::held::Held;
use crate::listed::{PeoplePage, Query, Status, SyncReport};
use crate::observe::{ChangeObserver, Observation};
use crate::shown::{self, Record, RecordPage};
use crate::written::{self, ConsentSaid, HandoverStep, NewSession, Registered, Registration, Setting};

/// A phone over its store. Everything but enrolling and syncing works with no network; what writes is durable when it returns,
/// and what fails wrote nothing.
#[derive(uniffi::Object)]
pub struct ForasPhone {
    held: Held,
    errands: Errands,
}

#[uniffi::export]
impl ForasPhone {
    /// Opens the phone whose store is in the directory `dir`, and makes it where there is none.
    #[uniffi::constructor]
    pub fn open(dir: &str) -> Result<Arc<Self>, ForasError> {
        let held = Held::new(foras::Phone::open(Path::new(dir))?);
        let errands = Errands::start(&held)?;
        Ok(Arc::new(Self { held, errands }))
    }

    /// Enrols this phone with an invitation: its link, or its code where `server_url` is named.
    #[uniffi::method(default(server_url = None))]
    pub async fn enrol(&self, invitation: String, server_url: Option<String>) -> Result<(), ForasError> {
        self.errands.enrol(invitation, server_url).await
    }

    /// Pushes what waits and catches up. Cancelling the call gives the rest of it up; nothing is lost. `server_url`
    /// stands in for the address that the invitation named.
    #[uniffi::method(default(server_url = None))]
    pub async fn sync(&self, server_url: Option<String>) -> Result<SyncReport, ForasError> {
        self.errands.sync(server_url).await.map(SyncReport::from)
    }

    /// Registers a person.
    pub fn register(&self, registration: Registration) -> Result<Registered, ForasError> {
        let registration = registration.into();
        Ok(self.held.with(|phone| phone.register(&registration))?.into())
    }

    /// Sets fields of a case's records, or of a session, in one change set; true where that changed something.
    pub fn edit(&self, id: &str, settings: Vec<Setting>) -> Result<bool, ForasError> {
        let settings = written::settings(settings);
        Ok(self.held.with(|phone| phone.edit(id, &settings))?.changed)
    }

    /// Notes a counselling interview that was held today; returns the note's id.
    pub fn note(&self, id: &str, text: &str) -> Result<String, ForasError> {
        Ok(self.held.with(|phone| phone.note(id, text))?.id)
    }

    /// Plans a session; returns its id.
    pub fn add_session(&self, session: NewSession) -> Result<String, ForasError> {
        let session = session.into();
        Ok(self.held.with(|phone| phone.add_session(&session))?.id)
    }

    /// Asks for a place in a session for a person, or takes that back.
    #[uniffi::method(default(cancel = false))]
    pub fn enrol_in(&self, session: &str, id: &str, cancel: bool) -> Result<(), ForasError> {
        Ok(self.held.with(|phone| phone.enrol_in(session, id, cancel)).map(drop)?)
    }

    /// Records whether a person came to a session: present, partly or absent.
    pub fn attend(&self, session: &str, id: &str, outcome: &str) -> Result<(), ForasError> {
        Ok(self.held.with(|phone| phone.attend(session, id, outcome)).map(drop)?)
    }

    /// Records what a person said of a purpose; returns the event's id. It counts once the server has ruled it.
    pub fn consent(&self, id: &str, said: ConsentSaid) -> Result<String, ForasError> {
        let said = said.into();
        Ok(self.held.with(|phone| phone.consent(id, &said))?.event)
    }

    /// Takes a step of a handover; returns the event's id. It counts once the server has ruled it.
    pub fn handover(&self, id: &str, step: HandoverStep) -> Result<String, ForasError> {
        let stepped = self.held.with(|phone| match step {
            HandoverStep::Propose { to } => phone.propose_handover(id, &to),
            HandoverStep::Accept => phone.accept_handover(id),
            HandoverStep::Reject { reason } => phone.reject_handover(id, &reason),
            HandoverStep::Revoke => phone.revoke_handover(id),
        });
        Ok(stepped?.event)
    }

    /// One page of the people that this phone holds; for a trainer, of badges.
    pub fn people(&self, query: Query) -> Result<PeoplePage, ForasError> {
        let filter = query.into();
        Ok(self.held.with(|phone| phone.list("people", &filter))?.into())
    }

    /// The records that this phone holds about a case, or a session.
    pub fn show(&self, id: &str) -> Result<Vec<Record>, ForasError> {
        Ok(shown::records(self.held.with(|phone| phone.show(id))?))
    }

    /// One page of the records whose fields hold concurrent values.
    pub fn conflicts(&self, page: u32) -> Result<RecordPage, ForasError> {
        Ok(self.held.with(|phone| phone.conflicts(page))?.into())
    }

    /// Who this phone is, what waits, and when it last caught up.
    pub fn status(&self) -> Result<Status, ForasError> {
        Ok(self.held.with(|phone| phone.status())?.into())
    }

    /// Tells `observer` of every change from now on, until the observation is cancelled or dropped.
    pub fn observe(&self, observer: Arc<dyn ChangeObserver>) -> Result<Arc<Observation>, ForasError> {
        Observation::start(&self.held, observer)
    }
}
