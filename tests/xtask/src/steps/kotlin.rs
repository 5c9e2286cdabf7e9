//! The story in Kotlin on the JVM: the Maven project `bindings/kotlin` against a real `foras serve`.

use std::process::Command;

use super::bindings;
use crate::report::Outcome;
use crate::workspace::Workspace;
use crate::{provide, run};

/// What Maven says when it cannot fetch what it lacks; then nothing was compiled and nothing is known.
const OUT_OF_REACH: [&str; 4] =
    ["Could not transfer artifact", "Unknown host", "could not be resolved", "Failure to transfer"];

pub(crate) fn step(workspace: &Workspace) -> Outcome {
    let why = "the Kotlin story is a Maven project on Java 17";
    let maven = match provide::program(&["mvn"], &["maven", "openjdk-17-jdk-headless"], why) {
        Ok(maven) => maven,
        Err(reason) => return Outcome::Skipped(reason),
    };
    let library = workspace.target.join("debug");
    let generated = workspace.bindings().join("kotlin");
    let mut story = Command::new(maven);
    story.current_dir(workspace.root.join("bindings/kotlin")).args(["--batch-mode", "--no-transfer-progress", "test"]);
    story.arg(format!("-Dforas.generated={}", generated.display()));
    story.arg(format!("-Dforas.library={}", library.display()));
    story.arg(format!("-Dforas.binary={}", bindings::server(workspace).display()));
    story.arg(format!("-Dforas.built={}", workspace.target.join("kotlin").display()));
    let (succeeded, lines) = match run::lines(&mut story) {
        Ok(ended) => ended,
        Err(reason) => return Outcome::failed(reason),
    };
    if succeeded {
        return Outcome::Passed(tests_run(&lines));
    }
    if lines.iter().any(|line| OUT_OF_REACH.iter().any(|words| line.contains(words))) {
        return Outcome::Skipped(
            "Maven Central cannot be reached from here, and Kotlin is not on this machine".to_owned(),
        );
    }
    Outcome::failed("see the lines above")
}

/// The number in surefire's last `Tests run: 3, Failures: 0, …`.
fn tests_run(lines: &[String]) -> u64 {
    let ran = lines.iter().rev().find_map(|line| line.split("Tests run: ").nth(1));
    ran.and_then(|rest| rest.split(',').next()).and_then(|digits| digits.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surefire_says_how_many_ran() {
        let printed = ["[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0".to_owned(), "[INFO] BUILD".to_owned()];
        assert_eq!(tests_run(&printed), 3);
    }
}
