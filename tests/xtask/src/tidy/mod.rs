//! The rules of style that a machine can see. Each rule is a function over text or over the workspace, tested beside it.

mod layers;
mod links;
mod names;
mod paths;
mod source;
mod top_level;

use std::path::{Path, PathBuf};

use crate::report::Outcome;
use crate::workspace::Workspace;

/// One file of the tree as the rules see it.
pub(crate) struct File {
    /// Path from the root of the workspace, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    let mut slips = top_level::slips(&workspace.root);
    slips.extend(layers::slips(&workspace.packages));
    match tracked(&workspace.root) {
        Ok(files) => {
            for file in &files {
                slips.extend(links::slips(file, &workspace.root));
                slips.extend(names::slips(file));
                slips.extend(paths::slips(file));
                slips.extend(source::slips(file));
            }
        }
        Err(reason) => slips.push(reason),
    }
    for slip in &slips {
        println!("{slip}");
    }
    match slips.len() {
        0 => Outcome::Passed(1),
        count => Outcome::failed(format!("{count} slips")),
    }
}

/// Our own text files: what is not ignored and not built.
fn tracked(root: &Path) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                let built = ["target", ".git", "node_modules", "__pycache__", ".build"].contains(&name.as_str());
                folders.extend((!built).then_some(path));
            } else if is_text(&name) {
                let from_root = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                // A file that is not UTF-8 is none of ours (a seed of a fuzzer, say).
                files.extend(std::fs::read_to_string(&path).ok().map(|text| File { path: from_root, text }));
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn is_text(name: &str) -> bool {
    let endings = ["rs", "md", "toml", "py", "kt", "swift", "xml", "sh", "yml", "yaml", "json", "sql"];
    name == "run" || name.rsplit('.').next().is_some_and(|ending| endings.contains(&ending))
}
