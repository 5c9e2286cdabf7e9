//! cargo's own tests, counted from the lines that it prints.

use crate::report::Outcome;
use crate::run;
use crate::workspace::Workspace;

/// Every test of every crate.
pub(crate) fn step(workspace: &Workspace) -> Outcome {
    counted(workspace, &["test", "--workspace", "--no-fail-fast"])
}

/// Unit tests only.
pub(crate) fn units(workspace: &Workspace) -> Outcome {
    counted(workspace, &["test", "--workspace", "--lib", "--no-fail-fast", "--quiet"])
}

fn counted(workspace: &Workspace, words: &[&str]) -> Outcome {
    let (succeeded, lines) = match run::lines(run::cargo(&workspace.root).args(words)) {
        Ok(ended) => ended,
        Err(reason) => return Outcome::failed(reason),
    };
    let (passed, failed) = sum(lines.iter().map(String::as_str));
    if succeeded && failed == 0 {
        return Outcome::Passed(passed);
    }
    Outcome::Failed { passed, failed, reason: "see the lines above".to_owned() }
}

/// Adds up lines such as `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
fn sum<'a>(lines: impl Iterator<Item = &'a str>) -> (u64, u64) {
    let number = |line: &str, word: &str| {
        let part = line.split(['.', ';']).map(str::trim).find(|part| part.ends_with(word));
        part.and_then(|part| part.split(' ').next()).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    let results = lines.filter(|line| line.starts_with("test result: "));
    results.fold((0, 0), |(passed, failed), line| (passed + number(line, " passed"), failed + number(line, " failed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_crates_add_up() {
        let printed = [
            "running 12 tests",
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ];
        assert_eq!(sum(printed.into_iter()), (15, 2));
    }
}
