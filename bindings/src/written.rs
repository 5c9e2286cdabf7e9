//! What an app writes, and what comes back.

use foras::phone;

/// A field and a value as text. An empty value clears; several of one set field replace the whole set.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Setting {
    /// The field's name.
    pub field: String,
    /// The value.
    pub value: String,
}

/// Somebody who comes for the first time.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Registration {
    /// Fields; name, sex, birth_year, nationality, country and point are needed.
    pub settings: Vec<Setting>,
    /// What the person consents to.
    pub consents: Vec<GivenConsent>,
    /// Another legal basis than the consent to assist.
    #[uniffi(default = None)]
    pub basis: Option<String>,
}

/// A consent given at registration.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GivenConsent {
    /// assist, share_with_origin_mission, publish or photo.
    pub purpose: String,
    /// oral, written, implicit, proxy or guardian.
    pub form: String,
}

/// A person who was registered.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Registered {
    /// The case.
    pub id: String,
    /// Its number.
    pub case_number: String,
}

/// What somebody said of a purpose.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConsentSaid {
    /// assist, share_with_origin_mission, publish or photo.
    pub purpose: String,
    /// given, refused or withdrawn.
    pub status: String,
    /// oral, written, implicit, proxy or guardian.
    pub form: String,
}

/// A step of a handover.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum HandoverStep {
    /// The point offers the case to a country's mission.
    Propose {
        /// The country's code, such as ML.
        to: String,
    },
    /// The mission takes the case.
    Accept,
    /// The mission does not take it.
    Reject {
        /// wrong_country, incomplete, not_reachable or other.
        reason: String,
    },
    /// The point takes its offer back.
    Revoke,
}

/// A session to plan.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NewSession {
    /// The module.
    pub module: String,
    /// The orientation point.
    pub point: String,
    /// When it starts, RFC 3339.
    pub start: String,
    /// How long it lasts, in minutes.
    pub minutes: i64,
    /// How many can take part.
    pub capacity: i64,
    /// Held over the network.
    #[uniffi(default = false)]
    pub is_virtual: bool,
}

pub(crate) fn settings(settings: Vec<Setting>) -> Vec<phone::Setting> {
    settings.into_iter().map(|setting| phone::Setting::new(setting.field, setting.value)).collect()
}

impl From<Registration> for phone::Registration {
    fn from(registration: Registration) -> Self {
        Self {
            settings: settings(registration.settings),
            consents: registration.consents.into_iter().map(|given| (given.purpose, given.form)).collect(),
            basis: registration.basis,
        }
    }
}

impl From<phone::Registered> for Registered {
    fn from(registered: phone::Registered) -> Self {
        Self { id: registered.id, case_number: registered.case_number }
    }
}

impl From<ConsentSaid> for phone::ConsentEvent {
    fn from(said: ConsentSaid) -> Self {
        Self { purpose: said.purpose, status: said.status, form: said.form, ..Self::default() }
    }
}

impl From<NewSession> for phone::NewSession {
    fn from(session: NewSession) -> Self {
        Self {
            module: session.module,
            point: session.point,
            start: session.start,
            minutes: session.minutes,
            capacity: session.capacity,
            is_virtual: session.is_virtual,
            individual: false,
        }
    }
}
