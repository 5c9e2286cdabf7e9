//! What benchmarks run on: how much, and the programme that several of them share.

use crate::input::programme::Programme;

/// Sessions of the programme.
const SESSIONS: usize = 500;
/// Cases where nothing else is asked; and in a quick run.
const CASES: usize = 10_000;
const CASES_QUICK: usize = 1_000;
/// Cases of the programme over which `cargo test` runs each benchmark.
pub(crate) const TEST_CASES: usize = 50;
/// Cases of the programme in which each case is edited twelve times: it costs as much as twelve others.
const EDITED_CASES_QUICK: usize = 300;
const SEED: u64 = 11;

/// How much is measured.
pub(crate) struct Workload {
    cases: usize,
    quick: bool,
    programme: Option<Programme>,
}

impl Workload {
    /// A workload of so many cases, or of as many as a whole or a quick run takes.
    pub(crate) fn new(cases: Option<usize>, quick: bool) -> Self {
        let usual = if quick { CASES_QUICK } else { CASES };
        Self { cases: cases.unwrap_or(usual).max(1), quick, programme: None }
    }

    pub(crate) fn cases(&self) -> usize {
        self.cases
    }

    pub(crate) fn edited_cases(&self) -> usize {
        if self.quick { self.cases.min(EDITED_CASES_QUICK) } else { self.cases }
    }

    /// A programme in which each case is edited: a copy of the shared one with its counsellors, where as many cases are
    /// edited as that has. It is asked for once.
    pub(crate) fn for_edits(&mut self) -> Programme {
        let (cases, sessions, seed) = (self.edited_cases(), self.sessions(), self.seed());
        match &mut self.programme {
            Some(shared) if shared.cases.len() == cases => shared.moved(),
            _ => Programme::load(cases, sessions, seed),
        }
    }

    /// A run that should end soon.
    pub(crate) fn quick(&self) -> bool {
        self.quick
    }

    pub(crate) fn sessions(&self) -> usize {
        SESSIONS.min(self.cases)
    }

    pub(crate) fn seed(&self) -> u64 {
        SEED
    }

    /// So many of something in a whole run; a fifth in a quick one; a hundredth where `cargo test` only runs it.
    pub(crate) fn share_of(&self, whole: usize) -> usize {
        let parts = if self.cases <= TEST_CASES {
            100
        } else if self.quick {
            5
        } else {
            1
        };
        (whole / parts).max(1)
    }

    /// The programme, loaded once. Whoever changes it works on a copy.
    pub(crate) fn programme(&mut self) -> &Programme {
        let (cases, sessions, seed) = (self.cases, self.sessions(), self.seed());
        self.programme.get_or_insert_with(|| Programme::load(cases, sessions, seed))
    }
}
