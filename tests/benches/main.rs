//! Benchmarks against limits that are computed in the same run: `cargo xtask bench NAME`. What the limits hold, and the
//! numbers: `RESULTS.md` beside this file.
//!
//! One file per benchmark; `input/` is what is measured on, `measure/` how. Run by `cargo test`, each benchmark goes once
//! over a tiny programme, so that none rots.
#![allow(clippy::expect_used, clippy::panic)]

mod catchup_bytes;
mod cold_bytes;
mod cold_ingest;
mod crowd;
mod edit;
mod fanout;
mod idle_bytes;
mod ingest;
mod input;
mod last_writer_wins;
mod list;
mod measure;
mod memory;
mod poll;
mod reconcile;
mod results;
mod round_trips;
mod serving;
mod workload;

use clap::Parser;
use serde_json::{Value, json};

use measure::outcome::Outcome;
use measure::progress;
use workload::Workload;

/// A benchmark by its name.
type Benchmark = (&'static str, fn(&mut Workload) -> Outcome);

const BENCHMARKS: &[Benchmark] = &[
    ("cold-bytes", cold_bytes::run),
    ("catchup-bytes", catchup_bytes::run),
    ("idle-bytes", idle_bytes::run),
    ("round-trips", round_trips::run),
    ("edit", edit::run),
    ("cold-ingest", cold_ingest::run),
    ("list", list::run),
    ("memory", memory::run),
    ("ingest", ingest::run),
    ("fanout", fanout::run),
    ("poll", poll::run),
    ("reconcile", reconcile::run),
];

#[derive(Parser)]
#[command(about = "Benchmarks against limits that are computed in the same run")]
struct Asked {
    /// Benchmarks, or all; several share one programme.
    #[arg(required = true)]
    names: Vec<String>,
    /// One JSON object instead of lines for people.
    #[arg(long)]
    json: bool,
    /// Cases of the programme.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    cases: Option<u32>,
    /// Less of everything, so that all of it takes minutes.
    #[arg(long)]
    quick: bool,
    /// Keeps the table in RESULTS.md.
    #[arg(long)]
    write: bool,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    if !std::env::args().any(|word| word == "--bench") {
        return run_each_once();
    }
    let words: Vec<String> = std::env::args().skip(2).collect();
    match words.split_first() {
        Some((role, words)) if role == memory::PHONE_ROLE => return memory::as_a_phone(words),
        Some((role, words)) if role == serving::SERVER_ROLE => return serving::as_a_server(words),
        _ => {}
    }
    let asked = Asked::parse();
    if let Some(unknown) = asked.names.iter().find(|name| *name != "all" && !names().contains(&name.as_str())) {
        eprintln!("there is no benchmark {unknown}; there are all, {}", names().join(", "));
        std::process::exit(2);
    }
    let is_asked = |name: &str| asked.names.iter().any(|asked| asked == "all" || asked == name);
    let chosen: Vec<_> = BENCHMARKS.iter().filter(|(name, _)| is_asked(name)).collect();
    let mut workload = Workload::new(asked.cases.map(|cases| cases as usize), asked.quick);
    let mut outcomes = Vec::new();
    progress::begin();
    for (name, run) in chosen {
        progress::says(format_args!("{name}"));
        let outcome = run(&mut workload);
        if !asked.json {
            println!("{}", outcome.line());
        }
        outcomes.push(outcome);
    }
    progress::says(format_args!("done"));
    if asked.write {
        let how: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench" && word != "--write").collect();
        results::keep(&outcomes, &how.join(" "), asked.quick);
    }
    let objects: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
    match objects.as_slice() {
        [one] if asked.json => println!("{one}"),
        all if asked.json => {
            println!("{}", json!({"name": "all", "machine": measure::machine::described(), "results": all}));
        }
        _ => {}
    }
}

fn names() -> Vec<&'static str> {
    BENCHMARKS.iter().map(|(name, _)| *name).collect()
}

/// What `cargo test` runs: each benchmark, once, over a tiny programme; its object must be whole.
fn run_each_once() {
    let mut workload = Workload::new(Some(workload::TEST_CASES), true);
    for (name, run) in BENCHMARKS {
        let object = run(&mut workload).json();
        let is_number = |field: &str| object.get(field).is_some_and(Value::is_number);
        assert_eq!(object.get("name").and_then(Value::as_str), Some(*name));
        assert!(is_number("value") || (is_number("ours") && is_number("limit") && is_number("ratio")), "{object}");
        println!("test {name} ... ok");
    }
    println!("test result: ok. {} passed; 0 failed; 0 ignored", BENCHMARKS.len());
}
