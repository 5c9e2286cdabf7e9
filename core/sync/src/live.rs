//! Waiting for news: what the engine remembers of the request that a server holds back.

/// Shortest wait that is asked for, in seconds, however often the network cut a longer one.
pub const SHORTEST_S: u16 = 30;
/// How much longer than the wait itself its answer may take before it is given up, in milliseconds. The link gives up
/// earlier; this is for a link that never does.
pub const GUARD_MS: u64 = 3 * 60 * 1_000;

/// Where the wait stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// Nothing waits.
    #[default]
    Off,
    /// The next request is to wait.
    Asking,
    /// It waits since this time on the driver's clock, for so many seconds.
    Waiting { since_ms: i64, wait_s: u16 },
    /// Its answer has begun.
    Answered { early: bool },
}

/// The wait of one engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    stage: Stage,
    /// The longest wait that the network let pass, in seconds; `None`: nothing is known against long ones.
    longest_s: Option<u16>,
    /// Answers in a row that came early and brought nothing: two copies of one phone, or a server that does not hold
    /// requests back. Such must not be asked as fast as they answer.
    hollow: u32,
    /// A timer is set for what the server could not take yet; waits go without it.
    pub(crate) withheld: bool,
}

impl Live {
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Asking | Stage::Waiting { .. })
    }

    pub(crate) fn begin(&mut self) {
        self.stage = Stage::Asking;
    }

    pub(crate) fn leave(&mut self) {
        self.stage = Stage::Off;
    }

    /// The request goes out; it is held back for so many seconds, at most `most_s`.
    pub(crate) fn asked(&mut self, now_ms: i64, most_s: u16, proves: bool) -> u16 {
        let wait_s = self.longest_s.unwrap_or(most_s).min(most_s);
        // Who proves itself anew is answered at once, with a token: that is not early.
        self.stage = Stage::Waiting { since_ms: now_ms, wait_s: if proves { 0 } else { wait_s } };
        wait_s
    }

    /// The answer begins.
    pub(crate) fn answered(&mut self, now_ms: i64) {
        if let Stage::Waiting { since_ms, wait_s } = self.stage {
            let early = now_ms.abs_diff(since_ms) < u64::from(wait_s) * 1_000 / 2;
            self.stage = Stage::Answered { early };
        }
    }

    /// An answer is complete. If it is hollow: how many in a row were; otherwise 0.
    pub(crate) fn complete(&mut self, brought: bool) -> u32 {
        match std::mem::take(&mut self.stage) {
            Stage::Answered { early } => {
                self.hollow = if early && !brought { self.hollow.saturating_add(1) } else { 0 };
                self.hollow
            }
            _ => 0,
        }
    }

    /// The network cut the wait: some forget a connection that is silent for long. The next one is half as long.
    pub(crate) fn cut(&mut self) {
        if let Stage::Waiting { wait_s, .. } = self.stage {
            self.longest_s = Some((wait_s / 2).max(SHORTEST_S));
        }
    }

    /// Another network may be there: what was known of the last one's cuts is forgotten.
    pub(crate) fn try_long(&mut self) {
        self.longest_s = None;
    }
}
