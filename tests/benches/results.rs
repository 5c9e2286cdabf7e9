//! The table of `RESULTS.md`: what was measured, on which machine.

use std::path::Path;

use serde_json::{Map, Value};

use crate::measure::machine;
use crate::measure::outcome::Outcome;

/// A table stands between two such lines, one of whole runs and one of quick ones; what is written around them stays.
const WHOLE: [&str; 2] = ["<!-- measured: begin -->", "<!-- measured: end -->"];
const QUICK: [&str; 2] = ["<!-- measured quickly: begin -->", "<!-- measured quickly: end -->"];
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md");
/// What has a column of its own.
const COLUMNS: [&str; 6] = ["name", "ours", "limit", "ratio", "value", "goal"];

/// Puts the table into `RESULTS.md`.
pub(crate) fn keep(outcomes: &[Outcome], how: &str, quick: bool) {
    let [begin, end] = if quick { QUICK } else { WHOLE };
    let file = Path::new(FILE);
    let text = std::fs::read_to_string(file).expect("the page of results");
    let (before, rest) = text.split_once(begin).expect("a place for the table");
    let (_, after) = rest.split_once(end).expect("an end of the table");
    let text = format!("{before}{begin}\n{}{end}{after}", table(outcomes, how));
    std::fs::write(file, text).expect("the page of results is written");
}

/// The table, with the machine above it.
pub(crate) fn table(outcomes: &[Outcome], how: &str) -> String {
    let mut text = format!(
        "Measured on {}, commit {}, with `cargo xtask bench {how}`, on {}.\n\n\
         | name | ours or value | limit | ratio | to reach | reached | beside |\n|---|---:|---:|---:|---:|---|---|\n",
        machine::today(),
        machine::commit(),
        machine::described()
    );
    for outcome in outcomes {
        let object = outcome.json();
        let Value::Object(fields) = object else { continue };
        text.push_str(&row(&fields));
    }
    text
}

fn row(fields: &Map<String, Value>) -> String {
    let shown = |name: &str| match fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let ours = if fields.contains_key("value") { shown("value") } else { shown("ours") };
    let reached = match fields.get("reached").and_then(Value::as_bool) {
        Some(true) => "yes",
        Some(false) => "no",
        None => "reported",
    };
    let beside: Vec<String> = fields
        .keys()
        .filter(|name| !COLUMNS.contains(&name.as_str()) && *name != "reached")
        .map(|name| format!("{name} {}", shown(name).replace('|', "/")))
        .collect();
    let cells =
        [shown("name"), ours, shown("limit"), shown("ratio"), shown("goal"), reached.to_owned(), beside.join(", ")];
    format!("| {} |\n", cells.join(" | "))
}
