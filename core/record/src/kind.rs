//! Kinds of records, and the rule that describes one.

use foras_wire::record::KindCode;

use crate::field::{FieldRule, Shape, Writer};

/// A kind of record that this build knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Kind {
    /// Names and ways to reach a person (fiche).
    Person = 1,
    /// Called name and link to the case, for roll calls.
    Badge = 2,
    /// The pseudonymous file of a return (dossier AVRR).
    Case = 3,
    /// Enrolments and attendance (parcours).
    Path = 4,
    /// Education, skills, project idea (projet).
    Project = 5,
    /// Vulnerability and risk assessments.
    Assessment = 6,
    /// A counselling interview (entretien de conseil).
    Note = 7,
    /// A session or workshop (séance, atelier).
    Session = 8,
    /// A module of the training.
    Module = 9,
    /// An answer to the satisfaction survey, without its author.
    Feedback = 10,
    /// What a country offers and asks (fiche pays).
    CountryNote = 11,
}

impl Kind {
    /// The code that travels.
    #[must_use]
    pub fn code(self) -> KindCode {
        KindCode(self as u16)
    }

    /// The kind of this code, if this build knows it.
    #[must_use]
    pub fn of_code(code: KindCode) -> Option<Self> {
        crate::registry::ALL.iter().find(|rule| rule.kind.code() == code).map(|rule| rule.kind)
    }

    /// The rule of this kind.
    #[must_use]
    pub fn rule(self) -> &'static KindRule {
        crate::registry::rule(self)
    }

    /// The name used on the command line and in views.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.rule().name
    }
}

/// How a record's id relates to its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// A person's id: random; the case is [`crate::identity::case_of_person`] of it.
    Person,
    /// Derived one-way from the person's id (case, badge).
    FromPerson,
    /// The case itself.
    Case,
    /// Derived one-way from the case's id.
    FromCase,
    /// Random, with the case named beside it.
    RandomOfCase,
    /// Random, or derived by its author; about nobody.
    Free,
}

/// Which audiences a kind's records have. The rule is applied by [`crate::access::audiences`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudienceRule {
    /// Everybody.
    pub public: bool,
    /// The roster of the case's points.
    pub roster: bool,
    /// Casework of the case's points.
    pub casework: bool,
    /// Protection of the case's points.
    pub protection: bool,
    /// The person.
    pub person: bool,
    /// The programme of the case's points.
    pub programme: bool,
    /// When a country's mission sees it.
    pub country: CountryRule,
}

/// When the mission of a country sees a record of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountryRule {
    /// Never.
    Never,
    /// From a ruled proposal of handover on.
    Proposed,
    /// Once the mission holds the case, where the consent covers this scope.
    Accepted(&'static str),
}

/// One kind of record.
#[derive(Debug)]
pub struct KindRule {
    /// The kind.
    pub kind: Kind,
    /// Its name on the command line, singular.
    pub name: &'static str,
    /// How its records are named.
    pub identity: Identity,
    /// Who sees its records.
    pub audience: AudienceRule,
    /// Who creates its records.
    pub creators: &'static [Writer],
    /// Its fields.
    pub fields: &'static [FieldRule],
}

impl KindRule {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static FieldRule> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field that a document's key belongs to, with the item it names: `phone/+2126…` is a member of `phone`.
    /// `None` where the key has another layout than the field's shape asks for, or its item is not well formed.
    #[must_use]
    pub fn resolve<'k>(&self, key: &'k str) -> Option<(&'static FieldRule, Option<&'k str>)> {
        let (name, item) = match key.split_once('/') {
            Some((name, item)) => (name, Some(item)),
            None => (key, None),
        };
        let field = self.field(name)?;
        crate::value::check_item(field, item).ok()?;
        Some((field, item))
    }

    /// The fields merged by character, in the order in which the kind's genesis makes their objects.
    pub fn texts(&self) -> impl Iterator<Item = &'static FieldRule> + use<> {
        self.fields.iter().filter(|field| field.shape == Shape::Text)
    }
}
