//! Hostile bytes for every decoder, counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;
use serde_json::{Value, json};

use crate::run;
use crate::workspace::Workspace;

/// What is asked of a run.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// One target only.
    #[arg(long)]
    target: Option<String>,
    /// Inputs, over all targets. A target that costs more gets fewer.
    #[arg(long, default_value_t = 1_000_000)]
    inputs: u64,
    /// What chance begins with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Blind damage, even where cargo-fuzz is installed.
    #[arg(long)]
    blind: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Which hand makes the inputs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hand {
    /// cargo-fuzz, led by coverage.
    Led,
    /// Damage of our own, blind.
    Blind,
}

struct Places {
    root: PathBuf,
    corpus: PathBuf,
    found: PathBuf,
}

impl Fuzz {
    pub(crate) fn run(&self, workspace: &Workspace) -> ExitCode {
        match self.all(workspace) {
            Ok(clean) if clean => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(reason) => {
                eprintln!("xtask: {reason}");
                ExitCode::FAILURE
            }
        }
    }

    fn all(&self, workspace: &Workspace) -> Result<bool, String> {
        let hand = if self.blind || run::first_of(&["cargo-fuzz"]).is_none() { Hand::Blind } else { Hand::Led };
        let folder = workspace.target.join("fuzz");
        let places =
            Places { root: workspace.root.clone(), corpus: folder.join("corpus"), found: folder.join("found") };
        let mut targets = targets(&places.root)?;
        targets.retain(|(name, _)| self.target.as_ref().is_none_or(|wanted| wanted == name));
        if targets.is_empty() {
            return Err("there is no such target".to_owned());
        }
        if hand == Hand::Led {
            // The versions that the tests run with.
            let copied = fs::copy(places.root.join("Cargo.lock"), places.root.join("tests/fuzz/Cargo.lock"));
            copied.map_err(|error| format!("Cargo.lock is not copied: {error}"))?;
        }
        let shares: f64 = targets.iter().map(|(_, cost)| 1.0 / cost).sum();
        let (mut counted, mut found) = (BTreeMap::new(), Vec::new());
        for (name, cost) in &targets {
            let inputs = (self.inputs as f64 / cost / shares).ceil() as u64;
            let (done, broken) = match hand {
                Hand::Led => self.led(&places, name, inputs)?,
                Hand::Blind => self.blind(&places, name, inputs)?,
            };
            eprintln!("{name}: {done} inputs, {} found", broken.len());
            counted.insert(name.clone(), done);
            found.extend(broken);
        }
        self.tell(hand, &counted, &found);
        Ok(found.is_empty())
    }

    fn tell(&self, hand: Hand, counted: &BTreeMap<String, u64>, found: &[String]) {
        let by = if hand == Hand::Led { "cargo-fuzz, led by coverage" } else { "damage of our own, blind" };
        let inputs: u64 = counted.values().sum();
        if self.json {
            println!("{}", json!({"by": by, "seed": self.seed, "inputs": inputs, "targets": counted, "found": found}));
        } else {
            println!("{inputs} inputs by {by}, seed {}; {} broke a promise", self.seed, found.len());
            for path in found {
                println!("found: {path}");
            }
        }
    }

    /// Damage of our own, by the program `fuzz` of the tests.
    fn blind(&self, places: &Places, target: &str, inputs: u64) -> Result<(u64, Vec<String>), String> {
        let told = program(
            &places.root,
            &[
                "damage",
                target,
                "--inputs",
                &inputs.to_string(),
                "--seed",
                &self.seed.to_string(),
                "--found",
                &places.found.to_string_lossy(),
            ],
        )?;
        let found = told["found"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = found.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect();
        Ok((told["inputs"].as_u64().unwrap_or(0), found))
    }

    /// cargo-fuzz, which begins with our seeds and keeps what led it on beside them.
    fn led(&self, places: &Places, target: &str, inputs: u64) -> Result<(u64, Vec<String>), String> {
        let corpus = places.corpus.join(target);
        let made = corpus.join("made");
        program(&places.root, &["seeds", target, &made.to_string_lossy()])?;
        let kept = corpus.join("kept");
        fs::create_dir_all(&kept).map_err(|error| format!("{}: {error}", kept.display()))?;
        fs::create_dir_all(&places.found).map_err(|error| format!("{}: {error}", places.found.display()))?;
        let prefix = places.found.join(format!("{target}-"));
        let output = run::cargo(&places.root)
            .args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir", "tests/fuzz", target])
            .args([&kept, &made])
            .arg("--")
            .args([format!("-runs={inputs}"), format!("-seed={}", self.seed), "-max_len=65536".to_owned()])
            .args([format!("-artifact_prefix={}", prefix.display()), "-print_final_stats=1".to_owned()])
            // Coverage is asked for by flags that only some toolchains take without being told.
            .env("RUSTC_BOOTSTRAP", "1")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cargo fuzz: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let done = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let done = done.and_then(|count| count.trim().parse().ok());
        if output.status.success() {
            return Ok((done.unwrap_or(inputs), Vec::new()));
        }
        let written = said.lines().find_map(|line| line.split("Test unit written to ").nth(1));
        match written {
            Some(path) => Ok((done.unwrap_or(0), vec![path.to_owned()])),
            None => Err(format!("cargo fuzz run {target}:\n{said}")),
        }
    }
}

/// The targets and what each costs.
fn targets(root: &Path) -> Result<Vec<(String, f64)>, String> {
    let told = program(root, &["targets"])?;
    let targets = told.as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |target: &Value| Some((target["target"].as_str()?.to_owned(), target["cost"].as_f64()?));
    Ok(targets.iter().filter_map(read).collect())
}

/// Runs the tests' program `fuzz`; its answer in JSON, or nothing where it gives none.
fn program(root: &Path, words: &[&str]) -> Result<Value, String> {
    let mut command: Command = run::cargo(root);
    command.args(["run", "--quiet", "--package", "foras-tests", "--bin", "fuzz", "--"]).args(words);
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("fuzz: {error}"))?;
    if output.stdout.is_empty() {
        return if output.status.success() { Ok(Value::Null) } else { Err("fuzz failed".to_owned()) };
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("fuzz did not answer in JSON: {error}"))
}
