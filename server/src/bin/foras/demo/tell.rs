//! Telling the story: sentences on stdout for people; with `--json`, lines of progress on stderr.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::{Failure, Terminal};

/// Who tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Teller {
    terminal: Terminal,
    began: Instant,
}

impl Teller {
    pub(super) fn new(terminal: Terminal) -> Self {
        Self { terminal, began: Instant::now() }
    }

    /// Seconds since the story began, to a tenth.
    pub(super) fn seconds(&self) -> f64 {
        f64::from(u32::try_from(self.began.elapsed().as_millis() / 100).unwrap_or(u32::MAX)) / 10.0
    }

    /// A new part of the story.
    pub(super) fn part(&self, title: &str) -> Result<(), Failure> {
        self.say(title, &format!("\n{title}\n{}", "-".repeat(title.chars().count())))
    }

    /// One sentence.
    pub(super) fn tell(&self, sentence: &str) -> Result<(), Failure> {
        self.say(sentence, &format!("  {sentence}"))
    }

    /// A bar of so many bytes, where people look at a terminal.
    pub(super) fn bar(&self, bytes: u64) -> ProgressBar {
        if self.terminal.is_json() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("  registering and syncing {bar:40} {percent} % after {elapsed}");
        let bar = ProgressBar::new(bytes);
        if let Ok(style) = style { bar.with_style(style) } else { bar }
    }

    /// So many people were registered at a point.
    pub(super) fn registered(&self, point: &str, people: u64) {
        if self.terminal.is_json() {
            self.terminal.progress(
                &json!({"progress": format!("{point}: {people} people"), "seconds": self.seconds()}),
                String::new,
            );
        }
    }

    fn say(&self, progress: &str, text: &str) -> Result<(), Failure> {
        if self.terminal.is_json() {
            self.terminal.progress(&json!({"progress": progress, "seconds": self.seconds()}), String::new);
            return Ok(());
        }
        self.terminal.result(&(), || text.to_owned())
    }
}
