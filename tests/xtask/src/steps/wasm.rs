//! The platform rules: wire, record, sync and the device's store compile for a browser.

use std::path::{Path, PathBuf};

use crate::report::Outcome;
use crate::workspace::Workspace;
use crate::{provide, run};

const TARGET: &str = "wasm32-unknown-unknown";

/// Any clang from 14 on compiles SQLite and zstd for the target; 14 is Debian 12's.
const CLANGS: [&str; 8] = ["clang-14", "clang", "clang-15", "clang-16", "clang-17", "clang-18", "clang-19", "clang-20"];
const ARCHIVERS: [&str; 3] = ["llvm-ar-14", "llvm-ar", "ar"];

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    let (clang, archiver) = match needs() {
        Ok(found) => found,
        Err(reason) => return Outcome::Skipped(reason),
    };
    let core = ["check", "--quiet", "--target", TARGET, "-p", "foras-wire", "-p", "foras-record", "-p", "foras-sync"];
    let store = ["check", "--quiet", "--target", TARGET, "-p", "foras", "--no-default-features"];
    for words in [core.as_slice(), store.as_slice()] {
        let outcome = run::one(&mut check(&workspace.root, words, &clang, &archiver));
        if !matches!(outcome, Outcome::Passed(_)) {
            return outcome;
        }
    }
    Outcome::Passed(1)
}

fn needs() -> Result<(PathBuf, PathBuf), String> {
    provide::target(TARGET)?;
    let why = "SQLite and zstd are C, and a browser's C needs clang";
    let clang = provide::program(&CLANGS, &["clang-14", "llvm-14"], why)?;
    Ok((clang, provide::program(&ARCHIVERS, &["llvm-14"], why)?))
}

fn check(root: &Path, words: &[&str], clang: &Path, archiver: &Path) -> std::process::Command {
    let mut check = run::cargo(root);
    check.args(words).env("CC_wasm32_unknown_unknown", clang).env("AR_wasm32_unknown_unknown", archiver);
    check
}
