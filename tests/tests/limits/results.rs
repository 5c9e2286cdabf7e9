//! `RESULTS.md`: the most expensive input of each family.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use super::meter::Cost;

/// Set in the environment by whoever wants the table kept.
pub(crate) const KEEP: &str = "FORAS_KEEP_LIMITS";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/limits/RESULTS.md");
const MIB: f64 = 1024.0 * 1024.0;

/// The most that inputs of a family cost, and which.
#[derive(Default)]
struct Worst<'a> {
    inputs: usize,
    cpu_ms: (f64, &'a str),
    memory_mib: (f64, &'a str),
}

pub(crate) fn keep(costs: &[(String, Cost)]) {
    let mut families: BTreeMap<&str, Worst<'_>> = BTreeMap::new();
    for (name, cost) in costs {
        // `packed: a run of 2000`, or one without a family of its own.
        let (family, which) = name.split_once(": ").unwrap_or(("other", name));
        let worst = families.entry(family).or_default();
        worst.inputs += 1;
        let cpu_ms = cost.cpu.as_secs_f64() * 1_000.0;
        if cpu_ms >= worst.cpu_ms.0 {
            worst.cpu_ms = (cpu_ms, which);
        }
        let memory_mib = cost.heap_bytes.max(cost.resident_bytes) as f64 / MIB;
        if memory_mib >= worst.memory_mib.0 {
            worst.memory_mib = (memory_mib, which);
        }
    }
    let profile = if cfg!(debug_assertions) { "dev, not optimised" } else { "release" };
    let day =
        jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default().strftime("%Y-%m-%d").to_string();
    let mut text = format!(
        "# What hostile inputs cost\n\n`cargo xtask limits --write`, {day}, profile {profile}, {} inputs. At most 250 ms of CPU and \
         64 MiB are allowed\neach; memory is the larger of what was asked for and of what the process grew by;\nCPU is told in steps of some milliseconds.\n\n\
         | family | inputs | most CPU, ms | by | most memory, MiB | by |\n|---|---:|---:|---|---:|---|\n",
        costs.len()
    );
    for (family, Worst { inputs, cpu_ms, memory_mib }) in families {
        let (ms, by_cpu, mib, by_memory) = (cpu_ms.0, cpu_ms.1, memory_mib.0, memory_mib.1);
        writeln!(text, "| {family} | {inputs} | {ms:.1} | {by_cpu} | {mib:.1} | {by_memory} |").unwrap();
    }
    std::fs::write(Path::new(FILE), text).unwrap();
}
