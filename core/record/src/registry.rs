//! The registry of kinds: one line each. What a kind holds stands in its own file under `kinds/`.

use crate::kind::{Kind, KindRule};
use crate::kinds;

/// Every kind, in the order of its code.
pub static ALL: [&KindRule; 1] = [&kinds::person::PERSON];

/// The rule of `kind`.
#[must_use]
pub fn rule(kind: Kind) -> &'static KindRule {
    ALL.iter().find(|rule| rule.kind == kind).copied().unwrap_or(&kinds::person::PERSON)
}
