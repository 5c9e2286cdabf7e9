//! The story in Python: the generated module against a real `foras serve`.

use std::process::Command;

use super::bindings;
use crate::report::Outcome;
use crate::workspace::Workspace;
use crate::{provide, run};

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    let python = match provide::program(&["python3"], &["python3"], "the Python story runs in Python 3.11") {
        Ok(python) => python,
        Err(reason) => return Outcome::Skipped(reason),
    };
    let mut story = Command::new(python);
    story.arg("bindings/python/tests/story.py").current_dir(&workspace.root);
    story.env("PYTHONPATH", bindings::python_path(workspace)).env("PYTHONDONTWRITEBYTECODE", "1");
    story.env("FORAS_BINARY", bindings::server(workspace));
    match run::lines(&mut story) {
        Ok((true, lines)) => Outcome::Passed(tests_run(&lines)),
        Ok((false, _)) => Outcome::failed("see the lines above"),
        Err(reason) => Outcome::failed(reason),
    }
}

/// The number in unittest's `Ran 3 tests in 1.204s`.
fn tests_run(lines: &[String]) -> u64 {
    let ran = lines.iter().rev().find_map(|line| line.strip_prefix("Ran "));
    ran.and_then(|rest| rest.split(' ').next()).and_then(|digits| digits.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unittest_says_how_many_ran() {
        assert_eq!(tests_run(&["..".to_owned(), "Ran 3 tests in 1.204s".to_owned(), "OK".to_owned()]), 3);
    }
}
