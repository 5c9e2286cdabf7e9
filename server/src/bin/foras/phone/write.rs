//! The commands that write: each is one change set, durable when it returns.

use clap::{Args, Subcommand};
use foras::phone::{ConsentEvent, NewSession, Registration, Setting};

use crate::output::{Failure, Terminal};

/// `FIELD=VALUE` as typed.
fn settings(typed: &[String]) -> Result<Vec<Setting>, Failure> {
    typed.iter().map(|pair| Setting::parse(pair).map_err(Failure::from)).collect()
}

/// `PURPOSE=FORM` as typed.
fn consents(typed: &[String]) -> Result<Vec<(String, String)>, Failure> {
    typed
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((purpose, form)) => Ok((purpose.to_owned(), form.to_owned())),
            None => Err(Failure::misuse("a consent is PURPOSE=FORM", "write it as --consent assist=oral")),
        })
        .collect()
}

/// Register a person who comes for the first time.
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// A field and its value; `foras phone fields` lists them. Needed: name, sex, birth_year, nationality, country, point.
    #[arg(long = "set", value_name = "FIELD=VALUE", required = true)]
    settings: Vec<String>,
    /// A consent and its form, such as assist=oral.
    #[arg(long = "consent", value_name = "PURPOSE=FORM")]
    consents: Vec<String>,
    /// Another legal basis than the consent to assist.
    #[arg(long, value_name = "CODE")]
    basis: Option<String>,
}

impl Register {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let registration = Registration {
            settings: settings(&self.settings)?,
            consents: consents(&self.consents)?,
            basis: self.basis,
        };
        let made = phone.register(&registration)?;
        terminal.result(&made, || format!("registered: {} ({})", made.case_number, made.id))
    }
}

/// Set fields of a person's records or of a session.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// A case's id or number, or a session's id.
    id: String,
    /// A field and its value; `FIELD=` clears; several of a `+` field replace the whole set.
    #[arg(long = "set", value_name = "FIELD=VALUE", required = true)]
    settings: Vec<String>,
}

impl Edit {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let edited = phone.edit(&self.id, &settings(&self.settings)?)?;
        terminal.result(&edited, || if edited.changed { "saved".into() } else { "nothing to change".into() })
    }
}

/// Note a counselling interview.
#[derive(Debug, Args)]
pub(crate) struct Note {
    /// A case's id or number.
    id: String,
    /// What was said and agreed.
    #[arg(long, allow_hyphen_values = true)]
    text: String,
}

impl Note {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let made = phone.note(&self.id, &self.text)?;
        terminal.result(&made, || format!("noted: {}", made.id))
    }
}

/// Sessions and workshops.
#[derive(Debug, Args)]
pub(crate) struct Session {
    #[command(subcommand)]
    action: SessionAction,
}

#[derive(Debug, Subcommand)]
enum SessionAction {
    /// Plan a session.
    Add {
        /// The module.
        #[arg(long)]
        module: String,
        /// The orientation point.
        #[arg(long)]
        point: String,
        /// When it starts, in RFC 3339, such as 2026-10-05T09:00:00+01:00.
        #[arg(long)]
        start: String,
        /// How long it lasts, in minutes.
        #[arg(long)]
        minutes: i64,
        /// How many can take part.
        #[arg(long)]
        capacity: i64,
        /// It is held over the network, not on site.
        #[arg(long = "virtual")]
        is_virtual: bool,
        /// It is for one person or family, not for a group.
        #[arg(long)]
        individual: bool,
    },
}

impl Session {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let SessionAction::Add { module, point, start, minutes, capacity, is_virtual, individual } = self.action;
        let session = NewSession { module, point, start, minutes, capacity, is_virtual, individual };
        let made = phone.add_session(&session)?;
        terminal.result(&made, || format!("planned: {}", made.id))
    }
}

/// Ask for a place in a session.
#[derive(Debug, Args)]
pub(crate) struct EnrolIn {
    /// The session's id.
    session: String,
    /// A case's id or number.
    id: String,
    /// Take the enrolment back.
    #[arg(long)]
    cancel: bool,
}

impl EnrolIn {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let edited = phone.enrol_in(&self.session, &self.id, self.cancel)?;
        terminal.result(&edited, || if self.cancel { "cancelled".into() } else { "requested".into() })
    }
}

/// Record who came.
#[derive(Debug, Args)]
pub(crate) struct Attend {
    /// The session's id.
    session: String,
    /// A case's id or number.
    id: String,
    /// present, partly or absent.
    outcome: String,
}

impl Attend {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let edited = phone.attend(&self.session, &self.id, &self.outcome)?;
        terminal.result(&edited, || format!("recorded: {}", self.outcome))
    }
}

/// Record that somebody gives, refuses or withdraws a consent.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// A case's id or number.
    id: String,
    /// assist, share_with_origin_mission, publish or photo.
    purpose: String,
    /// given, refused or withdrawn.
    status: String,
    /// oral, written, implicit, proxy or guardian.
    #[arg(long)]
    form: String,
    /// The language in which it was explained.
    #[arg(long)]
    language: Option<String>,
    /// What it covers, where it is narrower or wider than usual; may repeat.
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// To which country's mission; else the country of return.
    #[arg(long)]
    recipient: Option<String>,
}

impl Consent {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let consent = ConsentEvent {
            purpose: self.purpose,
            status: self.status,
            form: self.form,
            language: self.language,
            scopes: self.scopes,
            recipient: self.recipient,
        };
        let made = phone.consent(&self.id, &consent)?;
        terminal.result(&made, || format!("recorded: {} {}", consent.purpose, consent.status))
    }
}

/// Hand a case over to the mission of the country of return.
#[derive(Debug, Args)]
pub(crate) struct Handover {
    #[command(subcommand)]
    step: HandoverStep,
}

#[derive(Debug, Subcommand)]
enum HandoverStep {
    /// Propose the case to a country's mission.
    Propose {
        /// A case's id or number.
        id: String,
        /// The country, such as ML.
        #[arg(long)]
        to: String,
    },
    /// Accept the proposal, as the mission.
    Accept {
        /// A case's id or number.
        id: String,
    },
    /// Reject the proposal, as the mission.
    Reject {
        /// A case's id or number.
        id: String,
        /// wrong_country, incomplete, not_reachable or other.
        #[arg(long)]
        reason: String,
    },
    /// Take the proposal back, as the point.
    Revoke {
        /// A case's id or number.
        id: String,
    },
}

impl Handover {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let (made, text) = match self.step {
            HandoverStep::Propose { id, to } => (phone.propose_handover(&id, &to)?, "proposed"),
            HandoverStep::Accept { id } => (phone.accept_handover(&id)?, "accepted"),
            HandoverStep::Reject { id, reason } => (phone.reject_handover(&id, &reason)?, "rejected"),
            HandoverStep::Revoke { id } => (phone.revoke_handover(&id)?, "revoked"),
        };
        terminal.result(&made, || format!("{text}; it takes effect when the server has ruled"))
    }
}

/// Hand in an answer to the satisfaction survey, without a sender.
#[derive(Debug, Args)]
pub(crate) struct Feedback {
    /// The session's id.
    session: String,
    /// yes, no or none.
    #[arg(long)]
    satisfied: String,
    /// The language of the survey.
    #[arg(long)]
    language: Option<String>,
}

impl Feedback {
    pub(crate) fn run(self, phone: &mut foras::Phone, terminal: &Terminal) -> Result<(), Failure> {
        let handed_in = phone.feedback(&self.session, &self.satisfied, self.language.as_deref())?;
        terminal.result(&handed_in, || "handed in".into())
    }
}
