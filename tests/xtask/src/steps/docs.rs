//! rustdoc: the pages of `core/docs` are included there, so a broken link fails here.

use crate::report::Outcome;
use crate::run;
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    let mut doc = run::cargo(&workspace.root);
    // The binary `foras` would write over the pages of the library `foras`.
    doc.args(["doc", "--workspace", "--no-deps", "--lib", "--quiet"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run::one(&mut doc)
}
