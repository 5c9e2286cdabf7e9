//! How far a run is: a bar on a terminal, JSON lines for machines.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Arguments;
use crate::outcome::Outcome;

/// Device-days between two JSON lines.
const LINE_DEVICE_DAYS: u64 = 1_000;

/// The progress of a run, on standard error.
pub(crate) struct Progress {
    device_days: u64,
    json: bool,
    bar: ProgressBar,
    so_far: Mutex<SoFar>,
}

#[derive(Default)]
struct SoFar {
    device_days: u64,
    told: u64,
    lost: u64,
    diverged: u64,
    leaked: u64,
}

impl Progress {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let bar = if std::io::stderr().is_terminal() && !arguments.json {
            let style = "{bar:40} {pos}/{len} device-days, {elapsed} gone, {eta} left";
            let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(arguments.device_days).with_style(style)
        } else {
            ProgressBar::hidden()
        };
        Self { device_days: arguments.device_days, json: arguments.json, bar, so_far: Mutex::default() }
    }

    /// A programme is over.
    pub(crate) fn played(&self, device_days: u64, outcome: &Outcome) {
        self.bar.inc(device_days);
        let mut so_far = self.so_far.lock().expect("no thread panics with it");
        so_far.device_days += device_days;
        so_far.lost += outcome.lost;
        so_far.diverged += outcome.diverged;
        so_far.leaked += outcome.leaked;
        let is_due = so_far.device_days - so_far.told >= LINE_DEVICE_DAYS || !outcome.is_clean();
        if self.json && is_due {
            so_far.told = so_far.device_days;
            let SoFar { device_days, lost, diverged, leaked, .. } = *so_far;
            let line = serde_json::json!({
                "device_days": device_days, "of": self.device_days, "lost": lost, "diverged": diverged, "leaked": leaked
            });
            eprintln!("{line}");
        }
        for finding in &outcome.findings {
            self.bar.suspend(|| eprintln!("{finding}"));
        }
    }

    pub(crate) fn over(&self) {
        self.bar.finish_and_clear();
    }
}
