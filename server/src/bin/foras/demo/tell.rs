//! Telling the story: sentences on stdout for people; with `--json`, lines of progress on stderr.

use std::time::Instant;

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

    fn say(&self, progress: &str, text: &str) -> Result<(), Failure> {
        if self.terminal.is_json() {
            self.terminal.progress(&json!({"progress": progress, "seconds": self.seconds()}), String::new);
            return Ok(());
        }
        self.terminal.result(&(), || text.to_owned())
    }
}
