//! clippy, with every warning an error.

use crate::report::Outcome;
use crate::workspace::Workspace;
use crate::{provide, run};

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    if let Err(reason) = provide::component("cargo-clippy", "clippy") {
        return Outcome::failed(reason);
    }
    run::one(run::cargo(&workspace.root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}
