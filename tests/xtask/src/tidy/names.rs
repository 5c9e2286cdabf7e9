//! Names come from the field. A name that fits everything says nothing.

use super::File;

const BARRED_FILES: [&str; 9] = ["util", "utils", "helper", "helpers", "manager", "common", "misc", "info", "stuff"];
const BARRED_ENDINGS: [&str; 7] = ["Manager", "Helper", "Helpers", "Util", "Utils", "Common", "Info"];
const DEFINES: [&str; 5] = ["struct ", "enum ", "trait ", "type ", "class "];

pub(crate) fn slips(file: &File) -> Vec<String> {
    let mut slips = Vec::new();
    let parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    for part in parts.filter(|part| part.split(['_', '-']).any(|word| BARRED_FILES.contains(&word)) || *part == "data")
    {
        slips.push(format!("{}: `{part}` says nothing of what is inside", file.path));
    }
    if !file.path.ends_with(".rs") {
        return slips;
    }
    for (at, line) in file.text.lines().enumerate() {
        if let Some(name) = defined(line)
            && BARRED_ENDINGS.iter().any(|ending| name.ends_with(ending))
        {
            slips.push(format!("{}:{}: `{name}` says nothing of what it is", file.path, at + 1));
        }
    }
    slips
}

/// The name of the type that a line defines.
fn defined(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    let rest = DEFINES.iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> usize {
        slips(&File { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn empty_names_are_found() {
        assert_eq!(of("core/wire/src/util.rs", ""), 1);
        assert_eq!(of("core/wire/src/time_utils.rs", ""), 1);
        assert_eq!(of("core/sync/src/outbox.rs", "pub struct OutboxManager {\n"), 1);
    }

    #[test]
    fn words_of_the_field_pass() {
        assert_eq!(of("core/record/src/kinds/handover.rs", "pub(crate) enum Handover {\n"), 0);
        assert_eq!(of("server/src/bin/foras/demo/people.rs", "struct Informed;\n"), 0);
    }
}
