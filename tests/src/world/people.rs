//! What people of the programme do in the world, in their own words.

use std::collections::{BTreeMap, BTreeSet};

use foras::Error;
use foras::phone::{ConsentEvent, Registration, Setting, ValueShown};
use foras_record::document::FieldState;
use foras_record::identity;
use foras_record::kind::Kind;
use foras_record::role::Role;
use foras_wire::id::RecordId;

use super::clock::TEN_YEARS_MS;
use super::oracle::Edit;
use super::{DeviceNumber, World};

/// A consent as it is said at a point.
fn said(purpose: &str, status: &str) -> ConsentEvent {
    let words = |text: &str| text.to_owned();
    ConsentEvent { purpose: words(purpose), status: words(status), form: words("oral"), ..ConsentEvent::default() }
}

impl World {
    /// An outreach worker of a point.
    pub fn outreach(&mut self, point: &str) -> DeviceNumber {
        self.join(&format!("outreach worker in {point}"), Role::Outreach, &[point], None)
    }

    /// A counsellor of the host mission at a point.
    pub fn host_counsellor(&mut self, point: &str) -> DeviceNumber {
        self.join(&format!("host counsellor in {point}"), Role::HostCounsellor, &[point], None)
    }

    /// A trainer at a point.
    pub fn trainer(&mut self, point: &str) -> DeviceNumber {
        self.join(&format!("trainer in {point}"), Role::Trainer, &[point], None)
    }

    /// A counsellor of an origin mission.
    pub fn mission(&mut self, country: &str) -> DeviceNumber {
        self.join(&format!("counsellor of {country}"), Role::OriginCounsellor, &[country], None)
    }

    /// The person of a case, on the own phone.
    pub fn migrant(&mut self, case: &str) -> DeviceNumber {
        let case: RecordId = case.parse().expect("a case id");
        self.join("the person", Role::Migrant, &[], Some(case))
    }

    /// A device has no network.
    pub fn offline(&mut self, number: DeviceNumber) {
        self.device(number).set_online(false);
    }

    /// A device has a network again.
    pub fn online(&mut self, number: DeviceNumber) {
        self.device(number).set_online(true);
    }

    /// A device's clock is ten years ahead, or behind.
    pub fn ten_years_off(&mut self, number: DeviceNumber, ahead: bool) {
        let error_ms = if ahead { TEN_YEARS_MS } else { -TEN_YEARS_MS };
        self.device(number).clock().set_error(error_ms);
    }

    /// Somebody is registered; gives the case.
    ///
    /// # Errors
    /// What the phone says.
    pub fn register(&mut self, number: DeviceNumber, name: &str, point: &str) -> Result<String, Error> {
        let settings = [
            ("name", name),
            ("sex", "f"),
            ("birth_year", "1996"),
            ("nationality", "ML"),
            ("country", "ML"),
            ("point", point),
            ("registered_on", "2026-10-01"),
        ];
        let registration = Registration {
            settings: settings.into_iter().map(|(field, value)| Setting::new(field, value)).collect(),
            consents: vec![("assist".to_owned(), "oral".to_owned())],
            basis: None,
        };
        Ok(self.phone(number).register(&registration)?.id)
    }

    /// A field of a case's project, or of a session, is written with a value that nobody else writes; the oracle
    /// remembers it.
    ///
    /// # Errors
    /// What the phone says; the oracle then remembers nothing.
    pub fn edit(&mut self, number: DeviceNumber, subject: &str, field: &str, value: &str) -> Result<(), Error> {
        // Opening a record may write: what it was received as is verified then. A failing disk fails there, too.
        let overwrote = self.seen(number, subject, field)?;
        let rewrote = self.refused_values(number, subject, field)?;
        if let Err(error) = self.phone(number).edit(subject, &[Setting::new(field, value)]) {
            if matches!(error, Error::StorageFailed) {
                self.oracle.doubt(subject, field);
            }
            return Err(error);
        }
        self.oracle.keep(Edit {
            device: number,
            subject: subject.to_owned(),
            field: field.to_owned(),
            value: value.to_owned(),
            overwrote: overwrote.into_iter().collect(),
            rewrote,
        });
        Ok(())
    }

    /// What a device shows in a field of a case's records of one kind.
    pub fn shown(&mut self, number: DeviceNumber, case: &str, kind: &str, field: &str) -> Option<ValueShown> {
        let shown = self.phone(number).show(case).ok()?;
        let record = shown.records.into_iter().find(|record| record.kind == kind)?;
        record.fields.into_iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// Every value of a field of a case's project, or of a session, that a device shows: the one on top first.
    pub fn values(&mut self, number: DeviceNumber, subject: &str, field: &str) -> Vec<String> {
        self.seen(number, subject, field).unwrap_or_default()
    }

    fn seen(&mut self, number: DeviceNumber, subject: &str, field: &str) -> Result<Vec<String>, Error> {
        Ok(self.fields_beside(number, subject, field)?.remove(field).unwrap_or_default())
    }

    /// As [`World::values`], of every field of the record that has this one.
    pub(super) fn fields_beside(
        &mut self,
        number: DeviceNumber,
        subject: &str,
        field: &str,
    ) -> Result<BTreeMap<&'static str, Vec<String>>, Error> {
        let Ok(id) = subject.parse() else { return Ok(BTreeMap::new()) };
        let is_project = Kind::Project.rule().field(field).is_some();
        let key = if is_project {
            identity::record(Kind::Project, identity::of_case(Kind::Project, &id), Some(id)).key
        } else {
            identity::record(Kind::Session, id, None).key
        };
        let shown = match self.phone(number).store_mut().show(&key) {
            Err(Error::NotFound) => return Ok(BTreeMap::new()),
            other => other?,
        };
        let values = |state: FieldState| {
            let all = state.shown.into_iter().chain(state.others);
            all.filter_map(|held| held.value.as_str().map(str::to_owned)).collect()
        };
        Ok(shown.fields.into_iter().map(|(field, state)| (field, values(state))).collect())
    }

    /// Values that a device keeps as refused.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn refused_on(&mut self, number: DeviceNumber) -> BTreeSet<String> {
        let refused = self.phone(number).store().refused().expect("refused work");
        refused.into_iter().filter_map(|edit| edit.value.as_str().map(str::to_owned)).collect()
    }

    /// What a device keeps as refused in a field of a case or session.
    fn refused_values(&mut self, number: DeviceNumber, subject: &str, field: &str) -> Result<BTreeSet<String>, Error> {
        let refused = self.phone(number).store().refused()?;
        let of_field = refused.into_iter().filter(|edit| {
            let of_subject = edit.record.case.unwrap_or(edit.record.key.id).to_string() == subject;
            of_subject && edit.field.as_deref() == Some(field)
        });
        Ok(of_field.filter_map(|edit| edit.value.as_str().map(str::to_owned)).collect())
    }

    /// Somebody consents that the mission of the country of return sees the case.
    ///
    /// # Errors
    /// What the phone says.
    pub fn consent_to_share(&mut self, number: DeviceNumber, case: &str) -> Result<(), Error> {
        self.phone(number).consent(case, &said("share_with_origin_mission", "given")).map(drop)
    }

    /// Somebody withdraws that consent.
    ///
    /// # Errors
    /// What the phone says.
    pub fn withdraw(&mut self, number: DeviceNumber, case: &str) -> Result<(), Error> {
        self.phone(number).consent(case, &said("share_with_origin_mission", "withdrawn")).map(drop)
    }

    /// Whether a device holds anything of a case, or a session.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn holds(&mut self, number: DeviceNumber, subject: &str) -> bool {
        self.looks_for(number, subject).expect("the store")
    }

    /// As [`World::holds`], of a phone whose power may be about to go: looking may write, since what is folded gets its rows.
    ///
    /// # Errors
    /// What the store says.
    pub fn looks_for(&mut self, number: DeviceNumber, subject: &str) -> Result<bool, Error> {
        let Ok(id) = subject.parse() else { return Ok(false) };
        let store = self.phone(number).store();
        let session = identity::record(Kind::Session, id, None).key;
        Ok(!store.records_of_case(&id)?.is_empty() || store.record(&session)?.is_some())
    }
}
