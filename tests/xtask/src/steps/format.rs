//! rustfmt.

use crate::report::Outcome;
use crate::workspace::Workspace;
use crate::{provide, run};

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    if let Err(reason) = provide::component("rustfmt", "rustfmt") {
        return Outcome::failed(reason);
    }
    run::one(run::cargo(&workspace.root).args(["fmt", "--all", "--check"]))
}
