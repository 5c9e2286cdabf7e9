//! How a sync stops before its end: refusals, turns, cuts, answers that break the protocol, a store that fails.

use foras_wire::sync::Refusal;
use foras_wire::turn::Turn;

use super::{COMPARISONS_MAX, Engine, Now, SAY_PLAINLY, State};
use crate::backoff;
use crate::effect::Effect;
use crate::event::LinkFailure;
use crate::exchange::Violation;

impl Engine {
    pub(super) fn refused(&mut self, refusal: Refusal, now: Now) -> Vec<Effect> {
        let forward = self.close().is_some_and(|exchange| exchange.went_forward());
        if forward && self.more_work {
            // The work of somebody who left is taken, request by request, before the device is refused.
            return self.load();
        }
        if self.makes_itself_known(&refusal) {
            return self.load();
        }
        if refusal.code == SAY_PLAINLY
            && let Some(again) = self.say_plainly()
        {
            return again;
        }
        self.fail(refusal.code, refusal.retryable, refusal.retry_after_s, now)
    }

    /// The server's own pages come later; what is left in the outbox goes at once.
    pub(super) fn wait_for_turn(&mut self, turn: Turn, now: Now) -> Vec<Effect> {
        let forward = self.close().is_some_and(|exchange| exchange.went_forward());
        self.proved_again = false;
        if (forward && self.more_work) || self.edited {
            return self.load();
        }
        self.state = State::Idle;
        self.live.leave();
        let mut effects = self.timer(Some(backoff::turn_ms(turn.after_s, now.entropy)), now);
        effects.push(Effect::Failed { code: "server_busy".to_owned(), retryable: true, summary: self.summary });
        effects
    }

    /// Asks anew, with everything told in full; `None` where that was tried.
    pub(super) fn say_plainly(&mut self) -> Option<Vec<Effect>> {
        if std::mem::replace(&mut self.plain, true) { None } else { Some(self.load()) }
    }

    pub(super) fn violated(&mut self, _: Violation, now: Now) -> Vec<Effect> {
        self.close();
        self.fail("malformed".to_owned(), true, 0, now)
    }

    /// The answer stopped before its end. Where it brought something, asking again at once goes on from there.
    pub(super) fn cut(&mut self, failure: LinkFailure, now: Now) -> Vec<Effect> {
        let Some(exchange) = self.close() else { return Vec::new() };
        if matches!(failure, LinkFailure::Offline | LinkFailure::TimedOut) {
            self.live.cut();
        }
        if exchange.went_forward() && matches!(failure, LinkFailure::Offline | LinkFailure::TimedOut) {
            return self.load();
        }
        let retry_after_s = if let LinkFailure::Busy { retry_after_s } = failure { retry_after_s } else { 0 };
        self.fail(failure.code().to_owned(), failure.retryable(), retry_after_s, now)
    }

    pub(super) fn store_failed(&mut self, code: String, retryable: bool, now: Now) -> Vec<Effect> {
        // Even when the engine rests already: the effect that failed may have been the last but one.
        let exchange = self.close();
        if code == SAY_PLAINLY
            && exchange.is_some()
            && let Some(again) = self.say_plainly()
        {
            return again;
        }
        if exchange.is_some() && matches!(code.as_str(), SAY_PLAINLY | "bad_answer") && self.comparisons == 0 {
            // A page that does not fit what is here, told in full too: the server may have been put back.
            return self.went_back(now);
        }
        self.fail(code, retryable, 0, now)
    }

    pub(super) fn fail(&mut self, code: String, retryable: bool, retry_after_s: u32, now: Now) -> Vec<Effect> {
        self.state = State::Idle;
        self.failures = self.failures.saturating_add(1);
        self.stopped = !retryable;
        let spread_ms = if self.live.is_waiting() { backoff::reconnect_ms(now.entropy) } else { 0 };
        self.live.leave();
        let wait_ms = backoff::wait_ms(self.failures, retry_after_s, now.entropy).max(spread_ms);
        let mut effects = self.timer(retryable.then_some(wait_ms), now);
        effects.push(Effect::Failed { code, retryable, summary: self.summary });
        effects
    }

    /// The server's log ends before the device's cursor: it was put back. What it lost is found by comparing.
    pub(super) fn went_back(&mut self, now: Now) -> Vec<Effect> {
        self.close();
        if self.comparisons >= COMPARISONS_MAX {
            return self.fail("server_went_back".to_owned(), true, 0, now);
        }
        self.comparisons += 1;
        let mut effects = vec![Effect::CompareAll];
        effects.extend(self.load());
        effects
    }
}
