//! The steps and their order.

pub(crate) mod bindings;
mod deny;
mod docs;
mod format;
mod kotlin;
mod lints;
mod python;
mod rust;
mod walkthrough;
mod wasm;

use crate::report::Report;
use crate::simulate;
use crate::tidy;
use crate::workspace::Workspace;

/// Everything. Cheap steps first, so that a slip shows early.
pub(crate) fn test(workspace: &Workspace, report: &mut Report) {
    report.step("format", || format::step(workspace));
    report.step("tidy", || tidy::step(workspace));
    report.step("lints", || lints::step(workspace));
    report.step("tests", || rust::step(workspace));
    report.step("seeded bugs", || crate::seeded::step(workspace));
    report.step("simulation", || simulate::step(workspace));
    report.step("docs", || docs::step(workspace));
    report.step("wasm32", || wasm::step(workspace));
    report.step("licences and sources", || deny::step(workspace));
    stories(workspace, report);
}

/// What needs the built library and the built server.
pub(crate) fn stories(workspace: &Workspace, report: &mut Report) {
    report.step("bindings", || bindings::step(workspace));
    report.step("the README's field office", || walkthrough::step(workspace));
    report.step("story in Python", || python::step(workspace));
    report.step("story in Kotlin", || kotlin::step(workspace));
}

/// The quick loop.
pub(crate) fn check(workspace: &Workspace, report: &mut Report) {
    report.step("format", || format::step(workspace));
    report.step("tidy", || tidy::step(workspace));
    report.step("lints", || lints::step(workspace));
    report.step("unit tests", || rust::units(workspace));
    report.step("wasm32", || wasm::step(workspace));
}
