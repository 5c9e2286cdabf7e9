//! What the demonstration found out.

use foras_record::indicator::Facts;
use serde_json::{Map, Value, json};

use super::figures::Counted;
use super::journal::Tally;
use super::laws::Comparison;
use super::programme::{PEOPLE, WORKSHOP_PEOPLE};
use super::story::Told;
use crate::output::Failure;

/// Everything counted.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) people: usize,
    pub(super) phones: usize,
    pub(super) seed: u64,
    /// Edits of the whole story: each was made with no server in reach, and sent later.
    pub(super) offline_edits: usize,
    pub(super) told: Told,
    pub(super) tally: Tally,
    pub(super) comparison: Comparison,
    pub(super) handovers_accepted: usize,
    pub(super) figures: Vec<Counted>,
    pub(super) bytes_up: u64,
    pub(super) bytes_down: u64,
    pub(super) loaded_s: f64,
    pub(super) seconds: f64,
}

/// Handovers that a mission accepted.
pub(super) fn accepted(facts: &Facts) -> usize {
    let handovers = facts.cases.iter().flat_map(|case| &case.handovers);
    handovers.filter(|handover| handover.accepted_on.is_some() && !handover.undone).count()
}

impl Outcome {
    fn converged(&self) -> bool {
        self.comparison.differing == 0 && self.comparison.compared > 0
    }

    /// The one object.
    pub(super) fn to_json(&self) -> Value {
        let figures: Map<String, Value> =
            self.figures.iter().map(|figure| (figure.id.to_owned(), figure.to_json())).collect();
        json!({
            "people": self.people,
            "workshop_people": WORKSHOP_PEOPLE,
            "phones": self.phones,
            "offline_edits": self.offline_edits,
            "acknowledged_edits": self.tally.acknowledged,
            "lost_edits": self.tally.lost,
            "concurrent_values_kept": self.told.concurrent_values_kept,
            "converged": self.converged(),
            "records_compared": self.comparison.compared,
            "leaks": self.comparison.leaks,
            "handovers_accepted": self.handovers_accepted,
            "dropped_after_withdrawal": self.told.dropped_after_withdrawal,
            "traces_after_withdrawal": self.told.traces_after_withdrawal,
            "figures": figures,
            "seed": self.seed,
            "bytes_up": self.bytes_up,
            "bytes_down": self.bytes_down,
            "loaded_s": self.loaded_s,
            "seconds": self.seconds,
        })
    }

    /// The end of the story.
    pub(super) fn to_text(&self) -> String {
        let Self { tally, comparison, told, .. } = self;
        let same = if self.converged() { "every replica holds the server's content" } else { "REPLICAS DIFFER" };
        let mut text = format!(
            "  {} edits acknowledged of {}, {} lost; {} values kept beside others\n  {same}; {} records outside their \
             audiences\n  {} handover accepted; {} records dropped after the withdrawal\n\nThe programme's figures, \
             counted from what the server admitted\n{}\n",
            tally.acknowledged,
            self.offline_edits,
            tally.lost,
            told.concurrent_values_kept,
            comparison.leaks,
            self.handovers_accepted,
            told.dropped_after_withdrawal,
            "-".repeat(64),
        );
        for figure in &self.figures {
            let value = figure.value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            text.push_str(&format!("  {value:>6}  {} (published: {})\n", figure.says, figure.published));
        }
        if self.people != PEOPLE {
            text.push_str(&format!("  Published figures are of {PEOPLE} people; here are {}.\n", self.people));
        }
        text.push_str(&format!("\n{} seconds, of which {} to load the programme.\n", self.seconds, self.loaded_s));
        text
    }

    /// Why the demonstration did not show what it should, if so.
    pub(super) fn failure(&self) -> Option<Failure> {
        let figure_differs = |figure: &&Counted| figure.value != Some(figure.published);
        let wrong = if self.tally.lost > 0 {
            "an acknowledged edit was lost"
        } else if self.tally.acknowledged < self.offline_edits {
            "an edit was not acknowledged"
        } else if !self.converged() {
            "replicas differ from the server"
        } else if self.comparison.leaks > 0 {
            "a device holds records outside its audiences"
        } else if self.told.traces_after_withdrawal > 0 {
            "what was withdrawn left traces on the mission's phone"
        } else if self.people == PEOPLE && self.figures.iter().any(|figure| figure_differs(&figure)) {
            "a published figure did not come out"
        } else {
            return None;
        };
        Some(Failure::refused("broken_promise", wrong, "report it with the seed that was printed"))
    }
}
