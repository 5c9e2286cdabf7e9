//! The registry of kinds: one line each. What a kind holds stands in its own file under `kinds/`.

use crate::kind::{Kind, KindRule};
use crate::kinds;

/// Every kind, in the order of its code.
pub static ALL: [&KindRule; 11] = [
    &kinds::person::PERSON,
    &kinds::badge::BADGE,
    &kinds::case::CASE,
    &kinds::path::PATH,
    &kinds::project::PROJECT,
    &kinds::assessment::ASSESSMENT,
    &kinds::note::NOTE,
    &kinds::session::SESSION,
    &kinds::module::MODULE,
    &kinds::feedback::FEEDBACK,
    &kinds::country_note::COUNTRY_NOTE,
];

/// The rule of `kind`.
#[must_use]
pub fn rule(kind: Kind) -> &'static KindRule {
    ALL.iter().find(|rule| rule.kind == kind).copied().unwrap_or(&kinds::person::PERSON)
}

/// The kind of this name, as the command line writes it.
#[must_use]
pub fn named(name: &str) -> Option<Kind> {
    ALL.iter().find(|rule| rule.name == name).map(|rule| rule.kind)
}
