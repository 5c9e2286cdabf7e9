//! Builds the library with its foreign surface, and generates the Kotlin, Swift and Python sides from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::report::Outcome;
use crate::run;
use crate::workspace::Workspace;

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    match generate(workspace) {
        Ok(()) => Outcome::Passed(1),
        Err(reason) => Outcome::failed(reason),
    }
}

/// The built library, as this platform names it.
pub(crate) fn library(workspace: &Workspace) -> PathBuf {
    let name = format!("{}foras_ffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    workspace.target.join("debug").join(name)
}

/// The built binary `foras`, which the stories start as their server.
pub(crate) fn server(workspace: &Workspace) -> PathBuf {
    workspace.target.join("debug").join(format!("foras{}", std::env::consts::EXE_SUFFIX))
}

/// Python's package: the generated side, the library beside it, and the sugar from `bindings/python`.
pub(crate) fn python_path(workspace: &Workspace) -> PathBuf {
    workspace.bindings().join("python")
}

fn generate(workspace: &Workspace) -> Result<(), String> {
    let mut build = run::cargo(&workspace.root);
    build.args(["build", "--quiet", "-p", "foras-ffi", "-p", "foras-bindgen", "-p", "foras-server"]);
    must(&mut build)?;
    fresh(&workspace.bindings())?;
    let library = library(workspace);
    let package = python_path(workspace).join("foras");
    let sides = [
        ("kotlin", workspace.bindings().join("kotlin")),
        ("swift", workspace.bindings().join("swift")),
        ("python", package.clone()),
    ];
    for (language, out) in &sides {
        let mut bindgen = Command::new(workspace.target.join("debug").join("foras-bindgen"));
        bindgen.current_dir(&workspace.root).args(["generate", "--no-format", "--language", language, "--out-dir"]);
        must(bindgen.arg(out).arg(&library))?;
    }
    copy(&library, &package)?;
    copy(&workspace.root.join("bindings/python/foras/__init__.py"), &package)?;
    copy(&workspace.root.join("bindings/python/pyproject.toml"), &python_path(workspace))
}

fn must(command: &mut Command) -> Result<(), String> {
    if run::status(command)? { Ok(()) } else { Err("see the lines above".to_owned()) }
}

/// An empty folder: a file of an older surface must not stay beside the new ones.
fn fresh(folder: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(told)?;
    }
    std::fs::create_dir_all(folder).map_err(told)
}

fn copy(file: &Path, into: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap_or_default();
    std::fs::copy(file, into.join(name)).map(drop).map_err(|error| format!("{}: {error}", file.display()))
}
