//! The top level stays small: a reader meets the layers, not the tools.

use std::path::Path;

const ALLOWED: [&str; 9] =
    ["Cargo.toml", "Cargo.lock", "core", "bindings", "server", "tests", "README.md", "CHANGELOG.md", "target"];

pub(crate) fn slips(root: &Path) -> Vec<String> {
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) => return vec![format!("the root cannot be read: {error}")],
    };
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.retain(|name| !is_allowed(name));
    names.into_iter().map(|name| format!("{name}: does not belong at the top level")).collect()
}

fn is_allowed(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("LICENSE-") || ALLOWED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_layers_and_first_pages() {
        assert!(["core", "LICENSE-MIT", ".ci", "README.md"].into_iter().all(is_allowed));
        assert!(!["scripts", "deny.toml", "notes.md"].into_iter().any(is_allowed));
    }
}
