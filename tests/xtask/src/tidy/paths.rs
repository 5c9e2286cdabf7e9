//! No path of somebody's machine in the tree.

use super::File;

/// Spelled in halves, so that this file passes its own rule.
const BARRED: [&str; 5] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/"), concat!("/tm", "p/")];

pub(crate) fn slips(file: &File) -> Vec<String> {
    let mut slips = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for path in BARRED.iter().filter(|path| starts_a_path(line, path)) {
            slips.push(format!("{}:{}: the path of a machine ({path})", file.path, at + 1));
        }
    }
    slips
}

/// True where `path` begins a path; inside a longer one, as in an address, it is none.
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || ['.', '_', '-', '}', '~'].contains(&letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_found_and_a_part_of_one_is_not() {
        let home = concat!("/ho", "me/");
        assert!(starts_a_path(&format!("open(\"{home}amina/store\")"), home));
        assert!(!starts_a_path(&format!("https://example.org{home}"), home));
    }
}
