//! cargo-deny: licences, sources and banned crates, by `.deny.toml`.

use std::process::Command;

use crate::report::Outcome;
use crate::run;
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    // Building it takes longer than all our tests, so it is used where it is and never installed from here.
    let Some(deny) = run::first_of(&["cargo-deny"]) else {
        return Outcome::Skipped("cargo-deny is not installed (cargo install cargo-deny --locked)".to_owned());
    };
    run::one(Command::new(deny).current_dir(&workspace.root).args([
        "--all-features",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}
