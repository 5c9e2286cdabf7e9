//! A test of the tests: bugs that are put in on purpose, one at a time, must be noticed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use crate::report::Outcome;
use crate::run;
use crate::workspace::Workspace;

/// Bugs whose crates build and run in seconds: what the ordinary run takes.
const QUICK: [&str; 3] = ["items-not-counted", "rehearsal-skipped", "sequence-not-checked"];

/// What is asked of a run.
#[derive(Args)]
pub(crate) struct SeededBugs {
    /// Names of bugs, separated by commas; all where none is named.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only looks whether each bug can still be put in.
    #[arg(long)]
    check: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// A wrong implementation.
struct Bug {
    name: String,
    why: String,
    file: String,
    /// Words for `cargo test`.
    test: String,
    find: String,
    replace: String,
}

/// How the tests took it.
enum Verdict {
    /// They noticed it; the first of them.
    Caught(String),
    /// They passed.
    Survived,
    /// It could not be tried, and why.
    Unusable(String),
}

/// The step of the ordinary run: every bug can still be put in, and the quick ones are noticed.
pub(crate) fn step(workspace: &Workspace) -> Outcome {
    match stale(&workspace.root) {
        Ok(stale) if stale.is_empty() => {}
        Ok(stale) => return Outcome::failed(format!("what they replace does not stand once: {}", stale.join(", "))),
        Err(reason) => return Outcome::failed(reason),
    }
    match try_all(workspace, &QUICK.map(str::to_owned)) {
        Ok(tried) if tried.iter().all(|(_, verdict, _)| is_caught(verdict)) => Outcome::Passed(tried.len() as u64),
        Ok(_) => Outcome::failed("a seeded bug was not noticed; see above"),
        Err(reason) => Outcome::failed(reason),
    }
}

impl SeededBugs {
    pub(crate) fn run(&self, workspace: &Workspace) -> ExitCode {
        if self.check {
            return check(&workspace.root);
        }
        let tried = match try_all(workspace, &self.only) {
            Ok(tried) => tried,
            Err(reason) => {
                eprintln!("xtask: {reason}");
                return ExitCode::FAILURE;
            }
        };
        let caught = tried.iter().filter(|(_, verdict, _)| is_caught(verdict)).count();
        if self.json {
            let bugs: Vec<Value> = tried.iter().map(|(bug, verdict, took_s)| told(bug, verdict, *took_s)).collect();
            println!("{}", json!({"bugs": bugs, "tried": tried.len(), "caught": caught}));
        } else {
            println!("{caught} of {} bugs were noticed", tried.len());
        }
        if caught == tried.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn check(root: &Path) -> ExitCode {
    match stale(root) {
        Ok(stale) if stale.is_empty() => ExitCode::SUCCESS,
        Ok(stale) => {
            println!("what they replace does not stand once: {}", stale.join(", "));
            ExitCode::FAILURE
        }
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn is_caught(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Caught(_))
}

fn told(bug: &Bug, verdict: &Verdict, took_s: u64) -> Value {
    let (outcome, by) = match verdict {
        Verdict::Caught(by) => ("caught", by.as_str()),
        Verdict::Survived => ("survived", ""),
        Verdict::Unusable(reason) => ("unusable", reason.as_str()),
    };
    json!({"bug": bug.name, "why": bug.why, "tests": bug.test, "outcome": outcome, "by": by, "took_s": took_s})
}

fn try_all(workspace: &Workspace, only: &[String]) -> Result<Vec<(Bug, Verdict, u64)>, String> {
    let mut bugs = kept(&workspace.root.join("tests/seeded"))?;
    if let Some(unknown) = only.iter().find(|name| bugs.iter().all(|bug| bug.name != **name)) {
        return Err(format!("there is no bug {unknown}"));
    }
    bugs.retain(|bug| only.is_empty() || only.contains(&bug.name));
    let place = workspace.target.join("seeded");
    let tree = place.join("tree");
    copy_tree(&workspace.root, &tree)?;
    let build = place.join("build");
    let mut sound: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut tried = Vec::new();
    for bug in bugs {
        let began = Instant::now();
        if !sound.contains_key(&bug.test) {
            let without = tests(&tree, &build, &bug.test)?;
            sound.insert(bug.test.clone(), without.failure());
        }
        let verdict = match sound.get(&bug.test).cloned().flatten() {
            Some(failure) => Verdict::Unusable(format!("the tests fail without it: {failure}")),
            None => judge(&tree, &build, &bug)?,
        };
        let took_s = began.elapsed().as_secs();
        eprintln!("{}", told(&bug, &verdict, took_s));
        tried.push((bug, verdict, took_s));
    }
    Ok(tried)
}

/// Bugs that can no longer be put in, since the code went on.
fn stale(root: &Path) -> Result<Vec<String>, String> {
    let mut bugs = kept(&root.join("tests/seeded"))?;
    bugs.retain(|bug| !fs::read_to_string(root.join(&bug.file)).is_ok_and(|text| text.matches(&bug.find).count() == 1));
    Ok(bugs.into_iter().map(|bug| bug.name).collect())
}

/// Puts the bug in, runs its tests, and takes it out again.
fn judge(tree: &Path, build: &Path, bug: &Bug) -> Result<Verdict, String> {
    let path = tree.join(&bug.file);
    let honest = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", bug.file))?;
    if honest.matches(&bug.find).count() != 1 {
        return Ok(Verdict::Unusable(format!("what it replaces does not stand once in {}", bug.file)));
    }
    write(&path, &honest.replace(&bug.find, &bug.replace))?;
    let ran = tests(tree, build, &bug.test);
    write(&path, &honest)?;
    let ran = ran?;
    Ok(match (ran.compiled, ran.failure()) {
        (false, _) => Verdict::Unusable("it does not compile".to_owned()),
        (true, None) => Verdict::Survived,
        (true, Some(by)) => Verdict::Caught(by),
    })
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// How a run of tests ended.
struct Ran {
    compiled: bool,
    succeeded: bool,
    failed: Vec<String>,
}

impl Ran {
    fn failure(&self) -> Option<String> {
        if self.succeeded {
            return None;
        }
        Some(self.failed.first().cloned().unwrap_or_else(|| "the tests did not end".to_owned()))
    }
}

fn tests(tree: &Path, build: &Path, words: &str) -> Result<Ran, String> {
    let mut command: Command = run::cargo(tree);
    command.arg("test").args(words.split(' ')).env("CARGO_TARGET_DIR", build).env("RUST_BACKTRACE", "0");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cargo test: {error}"))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed = out.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    Ok(Ran {
        compiled: !err.contains("could not compile"),
        succeeded: output.status.success(),
        failed: failed.map(str::to_owned).collect(),
    })
}

fn kept(folder: &Path) -> Result<Vec<Bug>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "bug"));
    paths.sort();
    paths.iter().map(|path| read(path).ok_or(format!("{} does not read", path.display()))).collect()
}

fn read(path: &Path) -> Option<Bug> {
    let text = fs::read_to_string(path).ok()?;
    let (head, change) = text.split_once("--- find\n")?;
    let (find, replace) = change.split_once("\n--- replace\n")?;
    let said = |word: &str| head.lines().find_map(|line| line.strip_prefix(word)).map(|rest| rest.trim().to_owned());
    Some(Bug {
        name: path.file_stem()?.to_string_lossy().into_owned(),
        why: said("why:")?,
        file: said("file:")?,
        test: said("test:")?,
        find: find.to_owned(),
        replace: replace.trim_end().to_owned(),
    })
}

/// Makes `tree` a copy of the tree as it is now. Files that did not change keep their time, so that little is built anew.
fn copy_tree(root: &Path, tree: &Path) -> Result<(), String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err("git does not say which files there are".to_owned());
    }
    let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    for name in String::from_utf8_lossy(&output.stdout).split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), tree.join(name));
        let Ok(new) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|old| old == new) {
            continue;
        }
        let folder = to.parent().unwrap_or(tree);
        fs::create_dir_all(folder).map_err(|error| told(folder, error))?;
        fs::write(&to, new).map_err(|error| told(&to, error))?;
    }
    Ok(())
}
