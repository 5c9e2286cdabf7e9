//! Rules over Rust source: its size, and what only tests may do.

use super::File;

/// A file has one reason; a longer one has two.
const LINES_MAX: usize = 400;
/// What only tests may call: outside them an error is returned.
/// These and the next are spelled in halves, so that this file passes its own rules.
const TESTS_ONLY: [&str; 4] =
    [concat!(".unwr", "ap()"), concat!(".exp", "ect("), concat!("pan", "ic!("), concat!("unreach", "able!(")];
const NEVER: [&str; 5] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("#[ig", "nore"), concat!("dbg", "!(")];

pub(crate) fn slips(file: &File) -> Vec<String> {
    let mut slips = Vec::new();
    let code = ["rs", "py", "kt", "swift", "sh"].iter().any(|ending| file.path.ends_with(&format!(".{ending}")));
    if code {
        for (at, line) in file.text.lines().enumerate() {
            for word in NEVER.iter().filter(|word| line.contains(**word)) {
                slips.push(format!("{}:{}: {word}", file.path, at + 1));
            }
        }
    }
    if !file.path.ends_with(".rs") || is_test(&file.path) {
        return slips;
    }
    let own = without_tests(&file.text);
    if own.len() > LINES_MAX {
        slips.push(format!("{}: {} lines without its tests, at most {LINES_MAX}", file.path, own.len()));
    }
    for (at, line) in own.iter().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        let line = line.split(" //").next().unwrap_or(line);
        for word in TESTS_ONLY.iter().filter(|word| line.contains(**word)) {
            slips.push(format!("{}:{at}: `{word}` outside tests", file.path));
        }
    }
    slips
}

/// Files that hold nothing but tests: a crate's `tests/`, the tests' own crate, modules of tests in a file.
fn is_test(path: &str) -> bool {
    let in_tests_crate = path.starts_with("tests/") && !path.starts_with("tests/xtask/");
    let name = path.rsplit('/').next().unwrap_or(path);
    in_tests_crate
        || path.contains("/tests/")
        || name == "tests.rs"
        || name.ends_with("_tests.rs")
        || name.ends_with("_test.rs")
}

/// Lines, numbered from 1, without the modules and functions marked `#[cfg(test)]`. It trusts rustfmt: an item ends at the first
/// closing brace that stands as far in as the item began.
fn without_tests(text: &str) -> Vec<(usize, &str)> {
    let mut own = Vec::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((at, line)) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            own.push((at, line));
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        for (_, line) in lines.by_ref() {
            let outermost = line.len() - line.trim_start().len() == indent;
            if outermost && (line.ends_with('}') || line.ends_with(';')) {
                break;
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<String> {
        slips(&File { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn unwrap_outside_tests_is_found() {
        let text = "fn a() {\n    b().unwrap();\n}\n";
        assert_eq!(of("core/wire/src/id.rs", text), ["core/wire/src/id.rs:2: `.unwrap()` outside tests"]);
    }

    #[test]
    fn unwrap_in_tests_passes() {
        let text =
            "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n        c().unwrap();\n    }\n}\n\nfn d() {}\n";
        assert!(of("core/wire/src/id.rs", text).is_empty());
        assert_eq!(without_tests(text).len(), 4);
        assert!(of("server/tests/enrol.rs", "fn a() { b().unwrap(); }\n").is_empty());
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_are_not_counted() {
        let long = "//\n".repeat(LINES_MAX + 1);
        assert_eq!(of("core/sync/src/engine.rs", &long).len(), 1);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    //\n".repeat(LINES_MAX));
        assert!(of("core/sync/src/engine.rs", &tests).is_empty());
    }

    #[test]
    fn what_is_unfinished_is_found_in_tests_too() {
        assert_eq!(of("server/tests/enrol.rs", concat!("// TO", "DO later\n")).len(), 1);
        assert_eq!(of("server/tests/enrol.rs", concat!("#[ig", "nore]\n")).len(), 1);
    }
}
